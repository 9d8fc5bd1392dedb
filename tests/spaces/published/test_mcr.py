"""Ex-MCR and C-MCR: which network sees what, and which head is behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.spaces.tiny import manifest, tiny_models
from unisearch.errors import WeightsError
from unisearch.records import Modality, Sample
from unisearch.spaces.published.mcr import CLAP, ExMcrSpace, HeadedSpace
from unisearch.spaces.table import load_space, models_of
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.heads import Head, load_ex_heads, load_pair_heads
from unisearch.spaces.towers.strict import read_state

Samples = dict[Modality, list[Sample]]
#: The space whose vectors a head reads; '3d' of pictures, where no points are read.
BASES = {"text": "clip", "image": "clip", "audio": "clap", "3d": "clip"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def encoded(space: str, models: Path, samples: list[Sample]) -> torch.Tensor:
    rows = load_space(space, tiny_models(models, models_of(space))).encode(samples)
    return torch.from_numpy(rows)


def heads(model: str, models: Path) -> dict[str, Head]:
    tiny_models(models, [model])
    file = models / model / "model.safetensors"
    load = load_ex_heads if model == "exmcr-heads" else load_pair_heads
    return dict(load(read_state(file), file))


@pytest.mark.parametrize(
    ("space", "model", "roles"),
    [
        ("exmcr", "exmcr-heads", {"audio": "ex_clap", "3d": "ex_ulip"}),
        (
            "cmcr-clap-clip",
            "cmcr-clap-clip",
            {"text": "Head_B", "image": "Head_B", "audio": "Head_A", "3d": "Head_B"},
        ),
        (
            "cmcr-ulip-clip",
            "cmcr-ulip-clip",
            {"text": "Head_A", "image": "Head_A", "3d": "Head_B"},
        ),
    ],
)
def test_each_modality_passes_its_own_head(
    space: str, model: str, roles: dict[Modality, str], models: Path, samples: Samples
) -> None:
    known = heads(model, models)

    for modality in load_space(space, tiny_models(models, models_of(space))).modalities:
        if modality == "video":
            continue
        by_points = modality == "3d" and space != "cmcr-clap-clip"
        base = encoded("ulip2" if by_points else BASES[modality], models, samples[modality])
        with torch.inference_mode():
            wanted = known[roles[modality]](base) if modality in roles else base
        found = encoded(space, models, samples[modality])
        assert (found - wanted).abs().max() < 1e-5, modality


@pytest.mark.parametrize("space", ["exmcr", "cmcr-clap-clip"])
def test_of_clap_only_the_half_that_hears_is_loaded(space: str, models: Path) -> None:
    opened = load_space(space, tiny_models(models, models_of(space)))

    assert isinstance(opened, HeadedSpace)
    clap = opened.towers[CLAP]
    assert isinstance(clap, ClapTower)
    assert clap.modalities == ("audio",)
    assert not hasattr(clap._network, "text_model")


def test_other_heads_are_another_space(models: Path, tmp_path: Path) -> None:
    weights = tiny_models(models, models_of("exmcr"))
    state = load_file(weights["exmcr-heads"] / "model.safetensors")
    state["ex_clap.Head1.bias"] += 1
    save_file(state, tmp_path / "model.safetensors")
    manifest(tmp_path)

    one = ExMcrSpace(weights)
    other = ExMcrSpace({**weights, "exmcr-heads": tmp_path})

    assert one.id == ExMcrSpace(weights).id
    assert one.id != other.id


def test_heads_for_another_width_are_refused(models: Path, tmp_path: Path) -> None:
    weights = tiny_models(models, models_of("exmcr"))
    state = load_file(weights["ulip2-pointbert"] / "model.safetensors")
    state["pc_projection"] = torch.zeros(128, 40)
    save_file(state, tmp_path / "model.safetensors")
    manifest(tmp_path)

    with pytest.raises(WeightsError, match="of 24 numbers, the model 'ulip2-pointbert' gives 40"):
        ExMcrSpace({**weights, "ulip2-pointbert": tmp_path})


def test_a_model_that_is_not_there_is_named(models: Path) -> None:
    weights = tiny_models(models, ["exmcr-heads", "clip-vit-b-32", "clap-630k-fusion"])

    with pytest.raises(WeightsError, match="'exmcr' needs the folder of the model 'ulip2-pointb"):
        ExMcrSpace(weights)


def test_shapes_alone_find_shapes(models: Path, samples: Samples) -> None:
    rows = encoded("ulip2", models, samples["3d"]).numpy()

    assert (rows @ rows.T).argmax(axis=1).tolist() == list(range(len(rows)))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
