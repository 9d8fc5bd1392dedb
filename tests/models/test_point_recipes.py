"""Published files of ULIP-2, Ex-MCR and C-MCR: what is kept of them, and what is refused."""

from __future__ import annotations

import json

import pytest
import torch

from tests.parity.sets import OWN
from unisearch.errors import WeightsError
from unisearch.models.recipes import cmcr, exmcr, ulip

State = dict[str, torch.Tensor]


def listed(manifest: str) -> State:
    """Empty tensors of the keys and shapes that an official file has."""
    tensors = json.loads((OWN / f"{manifest}.manifest.json").read_text("utf-8"))["tensors"]
    return {key: torch.zeros(facts["shape"]) for key, facts in tensors.items()}


@pytest.fixture(scope="module")
def pointbert() -> State:
    return listed("pointbert/pointbert_A")


def test_of_the_training_checkpoint_only_the_point_encoder_is_kept(pointbert: State) -> None:
    towers = {
        "visual.cls_token": torch.zeros(1, 1, 768),
        "transformer.resblocks.0.ln_1.weight": torch.zeros(512),
        "positional_embedding": torch.zeros(77, 512),
        "logit_scale": torch.zeros(()),
    }
    published = {f"module.{key}": tensor for key, tensor in (pointbert | towers).items()}

    kept = ulip.convert({"pointbert_ULIP-2.pt": published}).state

    assert kept.keys() == pointbert.keys()
    assert len(kept) == 161
    assert sum(tensor.numel() for tensor in kept.values()) == 22_253_314


def test_a_whole_block_too_few_is_a_smaller_network_but_a_part_of_one_is_damage(
    pointbert: State,
) -> None:
    smaller = {key: one for key, one in pointbert.items() if "blocks.11." not in key}
    torn = dict(pointbert)
    del torn["point_encoder.blocks.blocks.11.mlp.fc2.bias"]

    assert len(ulip.convert({"a.pt": smaller}).state) == 161 - 11
    with pytest.raises(WeightsError, match=r"a.pt: lacks the tensor '.*11\.mlp\.fc2\.bias'"):
        ulip.convert({"a.pt": torn})


def test_the_coloured_pointbert_is_named(pointbert: State) -> None:
    coloured = pointbert | {
        "point_encoder.encoder.first_conv.0.weight": torch.zeros(128, 6, 1),
        "pc_projection": torch.zeros(768, 1280),
    }

    with pytest.raises(WeightsError, match=r"is the coloured PointBERT .* wanted is"):
        ulip.convert({"ULIP-2-colored.pt": coloured})


def test_heads_of_ex_mcr_are_told_apart_by_their_file() -> None:
    files = {f"{name}.pt": listed(f"exmcr/{name}_A") for name in ("ex_clap", "ex_ulip")}

    kept = exmcr.convert(files).state

    assert len(kept) == 60
    assert kept["ex_ulip.Head1.weight"] is files["ex_ulip.pt"]["Head1.weight"]


@pytest.mark.parametrize(("name", "count"), [("clap_clip", 28), ("ulip_clip", 14)])
def test_heads_of_c_mcr_keep_their_keys(name: str, count: int) -> None:
    official = listed(f"cmcr/{name}_A")

    assert cmcr.convert({f"{name}.pt": official}).state.keys() == official.keys()
    assert len(official) == count


def test_the_other_pair_of_c_mcr_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"clap_clip.pt: lacks the tensor 'Head_A.net1.0.weight"):
        cmcr.convert({"clap_clip.pt": listed("cmcr/ulip_clip_A")})
