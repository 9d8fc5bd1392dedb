"""Small samples of every modality, made with numpy."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.records import (
    AudioSample,
    ImageSample,
    Modality,
    PointSample,
    Sample,
    ShotSample,
    TextSample,
)


def picture(seed: int, height: int = 120, width: int = 90) -> ImageSample:
    """A disc of one colour on a ground of another."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    disc = np.hypot(rows - height / 2, columns - width / 2) < rng.uniform(0.2, 0.5) * width
    ground, colour = rng.integers(0, 256, (2, 3))
    return ImageSample(np.where(disc[..., None], colour, ground).astype(np.uint8))


def tone(seed: int, seconds: float = 2.0, rate_hz: int = 16_000) -> AudioSample:
    """A decaying tone with a little noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * rng.uniform(150, 2_000) * time_s) * np.exp(-time_s)
    noisy = 0.5 * wave + 0.01 * rng.standard_normal(len(time_s))
    return AudioSample(noisy.astype(np.float32), rate_hz)


def blob(seed: int, count: int = 1_500) -> PointSample:
    """Points on a stretched sphere, with normals and colours."""
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals * rng.uniform(0.2, 2.0, 3)
    colors = np.broadcast_to(rng.uniform(0, 1, 3), points.shape)
    return PointSample(
        points.astype(np.float32), normals.astype(np.float32), colors.astype(np.float32)
    )


@pytest.fixture(scope="session")
def samples() -> dict[Modality, list[Sample]]:
    """A few of every modality, odd ones among them: empty, tiny, long, of another rate."""
    return {
        "text": [TextSample("a red chair"), TextSample("thunder"), TextSample("")],
        "image": [picture(1), picture(2, 40, 300), picture(3, 97, 96)],
        "audio": [tone(1), tone(2, 10.0), tone(3, 0.05)],
        "3d": [blob(1), blob(2, 40), PointSample(blob(3).points)],
        "video": [
            ShotSample(picture(seed, side, 64).pixels) for seed, side in ((4, 48), (5, 36), (6, 9))
        ],
    }


@pytest.fixture(scope="session")
def mixed(samples: dict[Modality, list[Sample]]) -> list[Sample]:
    """Every modality in turn."""
    return [samples[modality][place] for place in range(3) for modality in samples]
