"""Heads are read key by key, in either published form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unisearch.errors import WeightsError
from unisearch.spaces.towers.heads import (
    DeepHead,
    ExHead,
    FlatHead,
    load_ex_heads,
    load_pair_heads,
)

WHERE = Path("models/heads/model.safetensors")
State = dict[str, torch.Tensor]


def named(**heads: torch.nn.Module) -> State:
    return {
        f"{name}.{key}": tensor
        for name, head in heads.items()
        for key, tensor in head.state_dict().items()
    }


def ex_state() -> State:
    torch.manual_seed(1)
    return named(ex_clap=ExHead(8, 12), ex_ulip=ExHead(8, 12))


@pytest.mark.parametrize("head", [ExHead(8, 12), DeepHead(8, 12), FlatHead(8)])
def test_rows_are_of_unit_length_and_do_not_depend_on_their_mates(head: torch.nn.Module) -> None:
    rows = torch.nn.functional.normalize(torch.randn(5, 8), dim=-1)

    found = head.eval()(rows)

    assert found.norm(dim=-1).tolist() == pytest.approx([1.0] * 5)
    assert torch.allclose(head(rows[:1]), found[:1], atol=1e-6)


def test_both_kinds_of_pairs_are_told_apart_by_their_keys() -> None:
    deep = load_pair_heads(named(Head_A=DeepHead(8, 12), Head_B=DeepHead(8, 12)), WHERE)
    flat = load_pair_heads(named(Head_A=FlatHead(8), Head_B=FlatHead(8)), WHERE)

    assert {type(head) for head in deep.values()} == {DeepHead}
    assert {type(head) for head in flat.values()} == {FlatHead}
    assert not any(head.training for head in (*deep.values(), *flat.values()))


def test_the_heads_of_ex_mcr_are_for_use_only() -> None:
    heads = load_ex_heads(ex_state(), WHERE)

    assert list(heads) == ["ex_clap", "ex_ulip"]
    assert not any(head.training for head in heads.values())
    assert not any(one.requires_grad for head in heads.values() for one in head.parameters())


def test_each_misfit_is_one_line_with_file_and_key() -> None:
    lacking, more, other = ex_state(), ex_state(), ex_state()
    del lacking["ex_ulip.Head2.mlp2.net2.1.running_var"]
    more["ex_image.Head1.weight"] = torch.zeros(8, 8)
    other["ex_clap.Head2.mlp2.net2.0.weight"] = torch.zeros(8, 13)

    for state, message in (
        (lacking, r"safetensors \(ex_ulip\) lacks 'Head2.mlp2.net2.1.running_var'"),
        (more, r"safetensors has 'ex_image.Head1.weight' too much"),
        (other, r"'Head2.mlp2.net2.0.weight' as 8x13 where the network has 8x12"),
        ({}, r"lacks 'ex_clap.Head1.weight'"),
    ):
        with pytest.raises(WeightsError, match=message):
            load_ex_heads(state, WHERE)
