"""Spaces of hashes beside `toy`, for libraries that hold several."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.records import Prepared
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.spaces.toy import ToySpace


class Second(ToySpace):
    """Sees all that `toy` sees, as other vectors, and wants larger pictures and faster sound."""

    name = "second"
    id = "second-1"
    image_min_side = 32
    audio_rate_hz = 24_000

    def __init__(self, weights: Mapping[str, Path] | None = None, device: str = "cpu") -> None:
        super().__init__(None, device)

    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = -super().encode_prepared(batch)[:, ::-1]
        return rows


class Pictures(Second):
    """Sees texts and pictures alone, and these best."""

    name = "pictures"
    id = "pictures-1"
    modalities = ("text", "image")
    quality = {("text", "image"): 0.9, ("image", "image"): 0.9}  # noqa: RUF012


ENTRIES = {space.name: SpaceEntry(f"tests.second:{space.__name__}") for space in (Second, Pictures)}


def register() -> None:
    """Have them in the table of spaces."""
    SPACES.update(ENTRIES)


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in the table of spaces during a test."""
    for name, entry in ENTRIES.items():
        monkeypatch.setitem(SPACES, name, entry)


if __name__ == "__main__":  # the command line, with them
    from unisearch.cli.main import run

    register()
    sys.exit(run(sys.argv[1:]))
