"""What holds of the previews of every modality."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.previews.conftest import ball, cube, opened, sketch
from unisearch.previews.make import PREVIEWS, PreviewOptions, make
from unisearch.records import MODALITIES, ImageSample, PointSample, TextSample

SMALL = PreviewOptions(side=64, turn_side=48, turn_frames=6, chars=200, renderer="software")


def payloads(modality: str) -> list[Any]:
    rng = np.random.default_rng(5)
    if modality == "text":
        return [TextSample("word " * 500), TextSample("")]
    if modality == "audio":
        return [sketch(rng.uniform(-0.5, 0.5, 30_000)), sketch(np.zeros(1)), sketch(np.zeros(0))]
    if modality == "3d":
        points = rng.normal(size=(500, 3)).astype(np.float32)
        return [cube(), ball(40), PointSample(points), PointSample(points[:1])]
    return [
        ImageSample(rng.integers(0, 255, size, np.uint8))
        for size in [(90, 200, 3), (1, 1, 3), (1, 3000, 3)]
    ]


def test_every_modality_has_previews() -> None:
    assert set(PREVIEWS) == set(MODALITIES)


@pytest.mark.parametrize("modality", PREVIEWS)
def test_each_preview_opens_and_is_no_larger_than_asked_for(modality: str) -> None:
    for payload in payloads(modality):
        previews = make(modality, payload, SMALL)

        assert len({preview.kind for preview in previews}) == len(previews) > 0
        for preview in previews:
            if preview.kind == "text":
                assert len(preview.data.decode("utf-8")) <= SMALL.chars
                continue
            picture = opened(preview)
            assert max(picture.size) <= (64 if preview.kind == "still" else 48)
            assert getattr(picture, "n_frames", 1) <= (1 if preview.kind == "still" else 6)


@pytest.mark.parametrize("modality", PREVIEWS)
def test_the_same_payload_gives_the_same_bytes(modality: str) -> None:
    for once, again in zip(payloads(modality), payloads(modality), strict=True):
        assert make(modality, once, SMALL) == make(modality, again, SMALL)


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from tests.previews.test_contract import *;"
        "print(*(hashlib.sha256(one.data).hexdigest() for name in PREVIEWS"
        " for payload in payloads(name) for one in make(name, payload, SMALL)))"
    )

    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for seed, threads in (("1", "1"), ("2", "2"))
    }

    assert len(told) == 1
