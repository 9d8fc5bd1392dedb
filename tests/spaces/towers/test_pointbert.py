"""The PointBERT tower reads its model key by key and sees shapes the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.spaces.tiny import manifest, put_ulip
from unisearch.errors import WeightsError
from unisearch.records import PointSample
from unisearch.spaces.towers.pointbert import PointBert, PointBertTower, Sizes, load_network

State = dict[str, torch.Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put_ulip(tmp_path)
    manifest(tmp_path)
    return tmp_path


def shapes(count: int) -> list[PointSample]:
    rng = np.random.default_rng(5)
    return [
        PointSample((rng.standard_normal((700, 3)) * rng.uniform(0.2, 2, 3)).astype(np.float32))
        for _ in range(count)
    ]


def test_a_shape_has_one_vector_in_any_batch_and_order(folder: Path) -> None:
    tower = PointBertTower(folder)
    prepared = [tower.preparer("3d")(shape) for shape in shapes(5)]

    with torch.inference_mode():
        together = tower.encode("3d", prepared)
        backward = tower.encode("3d", prepared[::-1]).flip(0)
        alone = torch.cat([tower.encode("3d", [one]) for one in prepared])

    assert together.shape == (5, tower.dim)
    assert together.norm(dim=1).tolist() == pytest.approx([1.0] * 5)
    assert (together - backward).abs().max() < 1e-5
    assert (together - alone).abs().max() < 1e-5
    assert (together[0] - together[1]).abs().max() > 1e-2


def test_what_is_multiplied_out_is_what_was_published() -> None:
    torch.manual_seed(3)
    network = PointBert(Sizes(first=8, part=12, width=64, hidden=32, depth=1, place=8, dim=16))
    state = {key: torch.rand_like(one) if one.ndim else one for key, one in _floats(network)}
    encoder = load_network(state, Path("a")).point_encoder.encoder
    points = torch.randn(5, 32, 3)

    with torch.inference_mode():
        found = encoder(points)
        each = encoder.first_conv(points.transpose(1, 2))  # (parts, channels, points)
        highest = each.amax(dim=2, keepdim=True).expand_as(each)
        published = encoder.second_conv(torch.cat([highest, each], dim=1)).amax(dim=2)

    assert torch.allclose(found, published, rtol=1e-4)


def _floats(network: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    return list(network.state_dict().items())


def lacking(state: State) -> None:
    del state["point_encoder.blocks.blocks.1.attn.qkv.weight"]


def headless(state: State) -> None:
    del state["pc_projection"]


def more(state: State) -> None:
    state["logit_scale"] = torch.zeros(())


def other_size(state: State) -> None:
    state["point_encoder.pos_embed.2.weight"] = torch.zeros(64, 17)


def coloured(state: State) -> None:
    state["point_encoder.encoder.first_conv.0.weight"] = torch.zeros(8, 6, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lacking, r"lacks 'point_encoder.blocks.blocks.1.attn.qkv.weight'"),
        (headless, r"lacks 'pc_projection'"),
        (more, r"has 'logit_scale' too much"),
        (other_size, r"'point_encoder.pos_embed.2.weight' as 64x17 .* has 64x16"),
        (coloured, r"is the coloured PointBERT, .* take pointbert_ULIP-2.pt"),
    ],
)
def test_another_model_is_one_clear_line(
    folder: Path, change: Callable[[State], None], message: str
) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")

    with pytest.raises(WeightsError, match=message) as raised:
        PointBertTower(folder)

    assert "\n" not in str(raised.value)
    assert "model.safetensors" in str(raised.value)
