"""Where parity fixtures lie: those of the suite, and outside sets that the environment names.

UNISEARCH_PARITY: folders laid out as tests/data/parity, UNISEARCH_MEDIA: one of the media that they
name. Files are found by pattern: a set with another seed or another letter runs as it is.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.parity import rule

OWN = Path(__file__).resolve().parent.parent / "data" / "parity"
#: Read while tests are collected: later no test sees the environment of its caller.
OUTSIDE = [Path(name) for name in os.environ.get("UNISEARCH_PARITY", "").split(os.pathsep) if name]
MEDIA = os.environ.get("UNISEARCH_MEDIA")


@dataclass(frozen=True)
class Fixture:
    """Inputs and outputs of an official implementation, and the weights that it ran with."""

    file: Path

    @cached_property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays of the file by their names."""
        with np.load(self.file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What lies beside NAME_LETTER.npz as NAME_LETTER.manifest.json or NAME.manifest.json."""
        return dict(json.loads(self.beside(".manifest.json").read_text("utf-8")))

    def beside(self, suffix: str) -> Path:
        """The sister file with that suffix, of this letter or of none."""
        stems = [self.file.stem, re.sub(r"_[^_]+$", "", self.file.stem)]
        places = [self.file.with_name(stem + suffix) for stem in stems]
        return next((place for place in places if place.is_file()), places[0])

    @cached_property
    def weights(self) -> dict[str, torch.Tensor]:
        """The weights by rule, checked against the digests of the manifest."""
        prefix = self.manifest.get("key_prefix", "")
        return tensors(rule.state(self.manifest["tensors"], self.manifest["seed"], prefix))


def tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Arrays of a state dict as torch has them."""
    return {key: torch.from_numpy(values) for key, values in arrays.items()}


def fixtures(pattern: str) -> list[Any]:
    """Parameters for a test: the fixtures that match in every set; where there is none, a skip.

    pattern: below the folder of a set, 'exmcr/ex_*.npz' for instance
    """
    found = [_parameter("own", path, OWN) for path in sorted(OWN.glob(pattern))]
    for place in OUTSIDE:
        if not place.is_dir():
            raise pytest.UsageError(f"UNISEARCH_PARITY: {place} is no folder")
        matching = [_parameter("outside", path, place) for path in sorted(place.glob(pattern))]
        found += matching or [_not_run(f"{place} has no {pattern}")]
    return found if OUTSIDE else [*found, _not_run("set UNISEARCH_PARITY")]


def _parameter(which: str, path: Path, place: Path) -> Any:
    return pytest.param(Fixture(path), id=f"{which}:{path.relative_to(place).with_suffix('')}")


def _not_run(why: str) -> Any:
    return pytest.param(None, marks=pytest.mark.skip(reason=f"not run: {why}"), id="outside")


def medium(name: str) -> Path:
    """A file of the media that fixtures name; skips the test where they are not here."""
    if MEDIA is None:
        pytest.skip("not run: set UNISEARCH_MEDIA")
    return Path(MEDIA) / name


def worst(found: NDArray[Any] | torch.Tensor, wanted: NDArray[Any]) -> float:
    """The maximal absolute difference; of one shape, or the test fails."""
    values = np.asarray(found)
    assert values.shape == wanted.shape
    return float(np.abs(values.astype(np.float64) - wanted).max())
