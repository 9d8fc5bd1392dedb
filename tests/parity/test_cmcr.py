"""Heads of C-MCR compute what the published ones do, and the published file itself is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.parity import rule
from tests.parity.sets import Fixture, fixtures, worst
from unisearch.models.recipes import cmcr
from unisearch.spaces.towers.heads import Head, load_pair_heads

PAIRS = ("clap_clip", "ulip_clip")


def official(fixture: Fixture) -> dict[str, torch.Tensor]:
    """The weights: by rule, or of the file that was published and has no rule."""
    if "seed" in fixture.manifest:
        return fixture.weights
    return dict(torch.load(fixture.beside(".pt"), weights_only=True))


def heads(fixture: Fixture) -> dict[str, Head]:
    """Both heads, by the way that an import takes."""
    [pair] = [pair for pair in PAIRS if pair in fixture.file.stem]
    converted = cmcr.convert({f"{pair}.pt": official(fixture)})
    return load_pair_heads(converted.state, Path("model.safetensors"))


@pytest.mark.parametrize("fixture", fixtures("cmcr/*_clip_*.npz"))
@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_head_agrees_with_the_published_one(fixture: Fixture, letter: str) -> None:
    head, theirs = heads(fixture)[f"Head_{letter}"], fixture.arrays
    rows = torch.from_numpy(theirs[f"input_head_{letter.lower()}"])

    with torch.inference_mode():
        found = head(rows)

    assert worst(found, theirs[f"output_head_{letter.lower()}"]) <= 1e-5


@pytest.mark.parametrize("fixture", fixtures("cmcr/official_*.npz"))
def test_the_published_weights_are_those_of_the_manifest(fixture: Fixture) -> None:
    stored, listed = official(fixture), fixture.manifest["tensors"]

    assert stored.keys() == listed.keys()
    for key, tensor in stored.items():
        assert rule.digest(tensor.numpy()) == listed[key]["sha256"], key


@pytest.mark.parametrize("fixture", fixtures("cmcr/*_clip_*.npz"))
def test_a_stored_state_dict_is_that_of_the_rule(fixture: Fixture) -> None:
    if not fixture.manifest.get("stored_state_dict") or not fixture.beside(".pt").is_file():
        pytest.skip("not run: this set has no state dict drawn by rule")

    stored = torch.load(fixture.beside(".pt"), weights_only=True)

    assert stored.keys() == fixture.weights.keys()
    assert all(torch.equal(stored[key], fixture.weights[key]) for key in stored)
