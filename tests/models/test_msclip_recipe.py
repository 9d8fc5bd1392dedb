"""The published MS-CLIP-S checkpoints keep their keys, and each shared tensor is kept once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from unisearch.errors import WeightsError
from unisearch.models.recipes.msclip import convert

KEYS = Path(__file__).parent.parent / "data" / "parity" / "msclip" / "keys.json"
SECOND = "visual.transformer.resblocks.4.mlp.c_fc.bias"
State = dict[str, torch.Tensor]


def published() -> State:
    """All official names with as many axes as officially, but short ones."""
    shapes = json.loads(KEYS.read_text("utf-8"))["b32"]
    return {key: torch.zeros([min(2, size) for size in shape]) for key, shape in shapes.items()}


def test_all_official_keys_are_read_and_each_tensor_is_kept_once() -> None:
    found = convert({"b32.pth": published()}).state

    second = published().keys() - found.keys()
    assert (len(published()), len(found), len(second)) == (521, 433, 88)
    assert found.keys() < published().keys()
    assert {key.removeprefix("visual.") for key in second} < found.keys()


def test_the_prefix_of_parallel_training_is_taken_off() -> None:
    prefixed = {f"module.{key}": tensor for key, tensor in published().items()}

    assert convert({"b32.pth": prefixed}).state.keys() == convert({"x": published()}).state.keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("visual.proj"), "b32.pth: lacks the tensor 'visual.proj'"),
        (lambda s: s.pop(SECOND), f"b32.pth: lacks the tensor '{SECOND}'"),
        (lambda s: s.update(more=torch.zeros(1)), "b32.pth: holds a tensor 'more' too many"),
        (lambda s: s.update(logit_scale=torch.zeros(3)), r"'logit_scale' has the shape \(3,\)"),
        (lambda s: s.update({SECOND: torch.ones(2)}), f"'{SECOND}' is not the same as 'trans"),
    ],
    ids=["lacks", "one name", "more", "shape", "differ"],
)
def test_what_is_no_such_checkpoint_is_one_line(
    change: Callable[[State], object], says: str
) -> None:
    state = published()
    change(state)

    with pytest.raises(WeightsError, match=says) as raised:
        convert({"b32.pth": state})

    assert "\n" not in str(raised.value)
