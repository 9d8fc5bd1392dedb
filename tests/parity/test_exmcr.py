"""Heads of Ex-MCR compute what the published ones do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.parity.sets import Fixture, fixtures, worst
from unisearch.models.recipes import exmcr
from unisearch.spaces.towers.heads import ExHead, load_ex_heads


def head(weights: dict[str, torch.Tensor]) -> ExHead:
    """The head of an official state dict, by the way that an import takes."""
    files = {"ex_clap.pt": weights, "ex_ulip.pt": weights}
    return load_ex_heads(exmcr.convert(files).state, Path("model.safetensors"))["ex_ulip"]


@pytest.mark.parametrize("fixture", fixtures("exmcr/ex_*.npz"))
def test_a_head_agrees_with_the_published_one(fixture: Fixture) -> None:
    ours, theirs = head(fixture.weights), fixture.arrays
    rows = torch.from_numpy(theirs["input"])

    with torch.inference_mode():
        linear = ours.Head1(rows)
        first = ours.Head2.mlp1(linear)  # type: ignore[operator]
        found = ours(rows)

    assert worst(linear, theirs["head1"]) <= 1e-5
    assert worst(first, theirs["mlp1"]) <= 1e-4  # of lengths about 30
    assert worst(found, theirs["head2"]) <= 1e-5
    assert worst(found, theirs["output"]) <= 1e-5


@pytest.mark.parametrize("fixture", fixtures("exmcr/ex_*.npz"))
def test_a_stored_state_dict_is_read_as_tensors_only(fixture: Fixture) -> None:
    file = fixture.beside(".pt")
    if not fixture.manifest.get("stored_state_dict") or not file.is_file():
        pytest.skip("not run: this set has no state dict of that head")

    stored = torch.load(file, weights_only=True)

    assert stored.keys() == fixture.weights.keys()
    assert all(torch.equal(stored[key], fixture.weights[key]) for key in stored)
