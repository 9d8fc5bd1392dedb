"""What recipes share: names that are cleaned, and keys and shapes that must fit exactly."""

from __future__ import annotations

import pytest
import torch

from unisearch.errors import WeightsError
from unisearch.models.recipes import snapshot
from unisearch.models.recipes.base import strict, stripped, without

SHAPES = {"a.weight": (2, None), "a.bias": (2,)}


def state() -> dict[str, torch.Tensor]:
    return {"a.bias": torch.zeros(2), "a.weight": torch.zeros(2, 3)}


def test_what_fits_comes_back_in_the_order_that_was_asked_for() -> None:
    assert list(strict(state(), SHAPES, "best.pt")) == ["a.weight", "a.bias"]


def test_each_misfit_is_one_line_with_file_and_key() -> None:
    lacking = {"a.bias": torch.zeros(2)}
    more = state() | {"b": torch.zeros(1), "c": torch.zeros(1)}
    other = state() | {"a.bias": torch.zeros(3)}
    flat = state() | {"a.weight": torch.zeros(6)}

    for broken, message in (
        (lacking, "best.pt: lacks the tensor 'a.weight'"),
        (more, "best.pt: holds a tensor 'b' too many and 1 more"),
        (other, r"best.pt: 'a.bias' has the shape \(3,\), not \(2,\)"),
        (flat, r"best.pt: 'a.weight' has the shape \(6,\), not \(2, None\)"),
    ):
        with pytest.raises(WeightsError, match=message):
            strict(broken, SHAPES, "best.pt")


def test_a_prefix_is_taken_off_only_when_all_have_it() -> None:
    one = torch.zeros(1)

    assert list(stripped({"module.a": one, "module.b": one}, "module.")) == ["a", "b"]
    assert list(stripped({"module.a": one, "b": one}, "module.")) == ["module.a", "b"]
    assert list(without({"visual.a": one, "text.b": one}, "visual.")) == ["text.b"]


def test_shards_are_joined_and_old_buffers_dropped() -> None:
    one = torch.zeros(1)
    files = {"1.bin": {"a": one, "text_model.embeddings.position_ids": one}, "2.bin": {"b": one}}

    assert list(snapshot.convert(files).state) == ["a", "b"]
    with pytest.raises(WeightsError, match=r"2.bin: holds 'a', which another file holds too"):
        snapshot.convert({"1.bin": {"a": one}, "2.bin": {"a": one}})
