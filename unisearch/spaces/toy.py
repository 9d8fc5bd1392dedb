"""A space of hashes for tests: no weights, instant, and the same on every machine.

Equal content gives equal vectors and content that is nearly equal gives near ones (shared
words, the same coarse picture, spectrum or shape). Across modalities it knows nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import WeightsError
from unisearch.records import (
    MODALITIES,
    AudioSample,
    ImageSample,
    Modality,
    PointSample,
    Prepared,
    Sample,
    TextSample,
    seen_as,
)
from unisearch.spaces.base import Space

DIM = 64
#: Share of the exact content beside the coarse one: tells near copies apart.
EXACT_SHARE = 0.2
REFERENCE_ROWS = 512


class ToySpace(Space):
    """Hashed features of each sample; see the module."""

    name = "toy"
    id = "toy-1"
    dim = DIM
    modalities = MODALITIES
    image_min_side = 16

    def __init__(self, weights: Mapping[str, Path] | None = None, device: str = "cpu") -> None:
        if weights:
            raise WeightsError(f"the space 'toy' has no weights, but was given {weights}")
        self.device = device

    @property
    def preparer(self) -> Callable[[Sample], Prepared]:
        return prepare_sample

    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = [_unit(prepared.arrays[0]) for prepared in batch]
        return np.stack(rows) if rows else np.empty((0, DIM), np.float32)

    def reference(self, modality: Modality) -> NDArray[np.float32]:
        rows = range(REFERENCE_ROWS)
        return np.stack([_unit(_direction(f"reference {seen_as(modality)} {row}")) for row in rows])


def prepare_sample(sample: Sample) -> Prepared:
    """One array, float32 (dim,)."""
    return Prepared(sample.modality, (_features(sample),))


def _features(sample: Sample) -> NDArray[np.float32]:
    """float32 (dim,), not yet of unit length."""
    if isinstance(sample, TextSample):
        return _text(sample.text)
    if isinstance(sample, ImageSample):
        coarse, content = _thumbnail(sample.pixels), sample.pixels.tobytes()
    elif isinstance(sample, AudioSample):
        coarse, content = _spectrum(sample.samples), sample.samples.tobytes()
    else:
        coarse, content = _shape(sample), sample.points.tobytes()
    exact = EXACT_SHARE * _unit(_direction(content))
    return _unit(_project(seen_as(sample.modality), coarse)) + exact


def _text(text: str) -> NDArray[np.float32]:
    words = re.findall(r"\w+", text.lower()) or [text]
    total: NDArray[np.float32] = np.stack([_direction(f"word {word}") for word in words]).sum(0)
    return total


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean colour of a 4 x 4 grid, about 0."""
    rows = np.array_split(np.arange(len(pixels)), min(4, len(pixels)))
    columns = np.array_split(np.arange(pixels.shape[1]), min(4, pixels.shape[1]))
    cells = [pixels[np.ix_(row, column)].mean((0, 1)) for row in rows for column in columns]
    centred: NDArray[np.float32] = np.concatenate(cells).astype(np.float32) / 127.5 - 1.0
    return centred


def _spectrum(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the energy in 32 bands."""
    energy = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    bands = [band.sum() for band in np.array_split(energy, 32)]
    shares: NDArray[np.float32] = (np.array(bands) / (energy.sum() + 1e-12)).astype(np.float32)
    return shares


def _shape(sample: PointSample) -> NDArray[np.float32]:
    """Share of the points in each of 4 x 4 x 4 cells of the bounding box."""
    low, high = sample.points.min(0), sample.points.max(0)
    scaled = (sample.points - low) / max(float((high - low).max()), 1e-12)
    cells = np.minimum((scaled * 4).astype(np.int64), 3) @ np.array([16, 4, 1])
    shares: NDArray[np.float32] = (np.bincount(cells, minlength=64) / len(cells)).astype(np.float32)
    return shares


def _project(modality: Modality, values: NDArray[np.float32]) -> NDArray[np.float32]:
    directions = np.stack([_direction(f"{modality} {place}") for place in range(len(values))])
    projected: NDArray[np.float32] = values @ directions
    return projected


def _direction(content: str | bytes) -> NDArray[np.float32]:
    """float32 (dim,) in [-1, 1]: a direction that only the content decides."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    digest = hashlib.blake2b(data, digest_size=DIM).digest()
    return np.frombuffer(digest, np.uint8).astype(np.float32) / 127.5 - 1.0


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    if length < 1e-9:  # silence, a grey picture: no coarse features at all
        return _unit(_direction("nothing"))
    scaled: NDArray[np.float32] = (vector / length).astype(np.float32)
    return scaled
