"""The keys of official LAION-CLAP checkpoints: each has a place or is dropped on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from unisearch.errors import WeightsError
from unisearch.models.recipes.clap import convert, renamed

FIXTURES = Path(__file__).resolve().parent.parent / "data" / "parity" / "clap"


def official(name: str) -> dict[str, torch.Tensor]:
    """A whole state dict of the official classes, of small sizes, without numbers."""
    manifest: dict[str, Any] = json.loads((FIXTURES / f"{name}_A.manifest.json").read_text("utf-8"))
    facts = manifest["tensors"]
    return {key: torch.empty(one["shape"], device="meta") for key, one in facts.items()}


@pytest.fixture(params=["clap_small_fusion", "clap_small_plain"])
def state(request: pytest.FixtureRequest) -> dict[str, torch.Tensor]:
    return official(str(request.param))


def test_each_key_of_the_network_gets_a_tensor_of_its_shape(state: dict[str, torch.Tensor]) -> None:
    from transformers import ClapConfig, ClapModel

    converted, config = renamed(state)

    with torch.device("meta"):
        network = ClapModel(ClapConfig(**config))
    wanted = {key: tuple(one.shape) for key, one in network.state_dict().items()}
    for name in ("position_ids", "token_type_ids"):
        del wanted[f"text_model.embeddings.{name}"]
    assert {key: tuple(one.shape) for key, one in converted.items()} == wanted


def test_the_prefix_of_parallel_training_makes_no_difference(
    state: dict[str, torch.Tensor],
) -> None:
    prefixed = {f"module.{key}": one for key, one in state.items()}

    assert renamed(prefixed)[0].keys() == renamed(state)[0].keys()


def test_queries_keys_and_values_are_the_thirds_of_one_tensor() -> None:
    state = official("clap_small_plain")
    place = "layers.0.blocks.0"
    state[f"audio_branch.{place}.attn.qkv.bias"] = torch.arange(48.0)

    converted, _ = renamed(state)

    start = f"audio_model.audio_encoder.{place}.attention.self"
    parts = [converted[f"{start}.{part}.bias"] for part in ("query", "key", "value")]
    assert torch.equal(torch.cat(parts), torch.arange(48.0))
    assert [len(part) for part in parts] == [16, 16, 16]


def test_sizes_are_read_from_the_tensors() -> None:
    _, fusion = renamed(official("clap_small_fusion"))
    _, plain = renamed(official("clap_small_plain"))

    assert fusion["audio_config"]["depths"] == [2, 2, 1, 2]
    assert plain["audio_config"]["depths"] == [1, 2, 2, 1]
    assert plain["audio_config"]["num_attention_heads"] == [1, 2, 4, 8]
    assert [one["audio_config"]["enable_fusion"] for one in (fusion, plain)] == [True, False]
    assert fusion["projection_dim"] == 24
    assert fusion["text_config"]["layer_norm_eps"] == 1e-5


@pytest.mark.parametrize(
    "key",
    [
        "logit_scale_a",
        "audio_branch.patch_embed.proj.weight",
        "audio_branch.patch_embed.fusion_model.global_att.5.running_var",
        "audio_branch.layers.0.blocks.1.attn.qkv.bias",
        "audio_branch.layers.2.downsample.norm.weight",
        "text_branch.encoder.layer.0.output.LayerNorm.bias",
        "text_branch.pooler.dense.weight",
        "audio_projection.2.bias",
    ],
)
def test_a_key_that_is_missing_is_named(key: str) -> None:
    state = official("clap_small_fusion")
    del state[key]

    with pytest.raises(WeightsError, match=f"'{key}' is missing"):
        renamed(state)


def test_a_key_that_has_no_place_is_named() -> None:
    state = official("clap_small_fusion") | {"audio_branch.mel_conv1d.0.weight": torch.ones(1)}

    with pytest.raises(WeightsError, match=r"'audio_branch.mel_conv1d.0.weight' has no place"):
        renamed(state)


@pytest.mark.parametrize("state", [{}, {"weight": torch.ones(2)}])
def test_another_checkpoint_is_one_line(state: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WeightsError, match="no whole LAION-CLAP checkpoint") as raised:
        renamed(state)

    assert "\n" not in str(raised.value)


def test_a_tensor_of_another_rank_is_one_line() -> None:
    state = official("clap_small_fusion") | {"audio_branch.patch_embed.proj.weight": torch.ones(2)}

    with pytest.raises(WeightsError, match="its sizes fit none"):
        renamed(state)


def test_the_file_gets_its_settings_beside_it_and_is_named_in_errors() -> None:
    state = official("clap_small_plain")

    converted = convert({"best.pt": state})

    assert json.loads(converted.extra_files["config.json"]) == renamed(state)[1]
    assert converted.state.keys() == renamed(state)[0].keys()
    with pytest.raises(WeightsError, match=r"best\.pt: this is no whole LAION-CLAP checkpoint"):
        convert({"best.pt": {}})
