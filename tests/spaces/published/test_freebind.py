"""Molecule-Space: factors and parts, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.spaces.conftest import picture, tone
from tests.spaces.tiny import manifest, put_projectors, tiny_models
from unisearch.errors import BadSetting, UnknownName, WeightsError
from unisearch.factors import mix
from unisearch.records import Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.spaces.mixed import MixedSpace, combine, mixed_cosine
from unisearch.spaces.published.freebind import nearest_preset
from unisearch.spaces.table import load_space, models_of

SAMPLES: list[Sample] = [TextSample("a red chair"), picture(1), tone(1)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def opened(models: Path, name: str, **settings: object) -> MixedSpace:
    weights = tiny_models(models, models_of(name))
    space: Space = load_space(name, weights, settings={"remote_code": True, **settings})
    assert isinstance(space, MixedSpace)
    return space


def parts_of(space: MixedSpace, sample: Sample) -> tuple[np.ndarray, np.ndarray | None]:
    """Base and expert of one sample."""
    modality, arrays = sample.modality, space.prepare(sample).arrays
    with torch.inference_mode():
        rows = {
            name: space.towers[name].encode(modality, [array])
            for name, array in zip(space.seen_by[modality], arrays, strict=True)
        }
        base, expert = space.parts(modality, rows)
    return base.numpy(), None if expert is None else expert.numpy()


def test_without_factors_a_space_is_versatile(models: Path) -> None:
    assert opened(models, "ib_pp").factors == {"text": 0.1, "audio": 0.5}
    assert opened(models, "ib_pp").id == opened(models, "ib_pp", factors="versatile").id


def test_other_factors_are_another_space_of_the_same_parts(models: Path) -> None:
    one = opened(models, "ib_pp")
    others = [
        opened(models, "ib_pp", factors="at_expertise"),
        opened(models, "ib_pp", factors={"text": 0.1, "audio": 0.51}),
    ]

    assert len({one.id, *(other.id for other in others)}) == 3
    assert {one.parts_id} == {other.parts_id for other in others}
    assert one.parts_id != one.id


@pytest.mark.parametrize("name", ["ib_pp", "internvl_ib_pp", "internvl_ib_ft_pp"])
def test_factors_lead_from_the_base_to_the_expert(models: Path, name: str) -> None:
    base = opened(models, name, factors={"text": 0, "audio": 0})
    expert = opened(models, name, factors={"text": 1, "audio": 1})
    half = opened(models, name, factors={"text": 0.5, "audio": 0.5})

    for sample in SAMPLES:
        b, e = parts_of(half, sample)
        assert np.abs(base.encode([sample]) - b).max() < 1e-5
        if e is None:
            assert sample.modality == "image"
            assert np.array_equal(base.encode([sample]), half.encode([sample]))
            continue
        assert np.abs(expert.encode([sample]) - e).max() < 1e-5
        mixed = combine(0.5, torch.from_numpy(e), torch.from_numpy(b)).numpy()
        assert np.abs(half.encode([sample]) - mixed).max() < 1e-5


@pytest.mark.parametrize("name", ["internvl_ib", "internvl_ib_ft"])
def test_a_displaced_space_mixes_what_internvl_sees(models: Path, name: str) -> None:
    space = opened(models, name)

    for sample in SAMPLES:
        base, expert = parts_of(space, sample)
        assert (expert is None) == (sample.modality == "audio")
        assert np.linalg.norm(base, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_cosine_for_any_factor_follows_from_the_parts(models: Path) -> None:
    space = opened(models, "ib_pp")
    (b, e), [q] = parts_of(space, SAMPLES[2]), space.encode(SAMPLES[:1])
    assert e is not None

    for factor in (0.0, 0.3, 0.8, 1.0):
        row = opened(models, "ib_pp", factors={"text": 0.1, "audio": factor}).encode(SAMPLES[2:])
        found = mixed_cosine(factor, e @ q, b @ q, (e * b).sum(axis=1))
        assert found == pytest.approx(row @ q, abs=1e-5)


def test_stored_parts_give_the_vectors_of_other_factors(models: Path) -> None:
    space = opened(models, "ib_pp")

    for sample, factor in zip(SAMPLES[::2], (0.9, 0.3), strict=True):
        stored = space.encode_stored([space.prepare(sample)]).astype(np.float16)
        other = space.turned({"text": 0.9, "audio": 0.3}).encode([sample])
        assert np.abs(mix(factor, stored[:, space.dim :]) - other).max() < 5e-4
        assert np.abs(stored[:, : space.dim] - space.encode([sample])).max() < 5e-4


def test_the_tuned_tower_hears_through_its_own_heads_or_the_displacement(models: Path) -> None:
    own = opened(models, "internvl_ib_ft")
    other = opened(models, "internvl_ib_ft", tuned_audio="displacement")

    assert own.id != other.id
    assert np.array_equal(own.encode(SAMPLES[:2]), other.encode(SAMPLES[:2]))
    assert np.abs(own.encode(SAMPLES[2:]) - other.encode(SAMPLES[2:])).max() > 1e-3
    assert own.seen_by["audio"] == ("tuned",)


def test_heads_count_by_their_names_not_by_their_order(models: Path, tmp_path: Path) -> None:
    weights = tiny_models(models, models_of("ib_pp"))
    folder = Path(shutil.copytree(weights["freebind-ib-pp"], tmp_path / "heads"))
    state = load_file(folder / "model.safetensors")
    save_file(dict(reversed(state.items())), folder / "model.safetensors")

    turned = load_space("ib_pp", {**weights, "freebind-ib-pp": folder})

    assert np.array_equal(turned.encode(SAMPLES), opened(models, "ib_pp").encode(SAMPLES))


def test_heads_of_both_claps_are_not_exchanged(models: Path, tmp_path: Path) -> None:
    weights = tiny_models(models, models_of("ib_pp"))
    folder = Path(shutil.copytree(weights["freebind-ib-pp"], tmp_path / "heads"))
    state = load_file(folder / "model.safetensors")
    swap = str.maketrans("GM", "MG")
    swapped = {key[:6] + key[6:7].translate(swap) + key[7:]: one for key, one in state.items()}
    save_file(swapped, folder / "model.safetensors")

    other = load_space("ib_pp", {**weights, "freebind-ib-pp": folder})

    assert swapped.keys() == state.keys()
    assert (
        np.abs(other.encode(SAMPLES[2:]) - opened(models, "ib_pp").encode(SAMPLES[2:])).max() > 1e-3
    )


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("IB_PP_M_Proj/TV.Head2.mlps.4.running_var", "lacks 'IB_PP_M_Proj/TV.Head2.mlps.4.running"),
        ("IB_PP_G_Proj/mix.Head2.mlps.0.weight", "lacks the matrix 'IB_PP_G_Proj/mix.Head2"),
        ("IB_PP_G_Proj/X.Head2.mlps.0.bias", "has 'IB_PP_G_Proj/X.Head2.mlps.0.bias' too much"),
    ],
)
def test_heads_that_lack_or_are_too_many_are_named(
    models: Path, tmp_path: Path, key: str, message: str
) -> None:
    weights = tiny_models(models, models_of("ib_pp"))
    folder = Path(shutil.copytree(weights["freebind-ib-pp"], tmp_path / "heads"))
    state = load_file(folder / "model.safetensors")
    if state.pop(key, None) is None:
        state[key] = torch.zeros(16)
    save_file(state, folder / "model.safetensors")

    with pytest.raises(WeightsError, match=r"heads/model\.safetensors") as error:
        load_space("ib_pp", {**weights, "freebind-ib-pp": folder})

    assert message in str(error.value)


def test_heads_of_another_width_are_refused(models: Path, tmp_path: Path) -> None:
    weights, folder = tiny_models(models, models_of("ib_pp")), tmp_path / "heads"
    folder.mkdir()
    put_projectors(folder, "freebind-ib-pp", 24, 40)
    manifest(folder)

    with pytest.raises(WeightsError, match="from 24 to 40 numbers, where 'general' needs 24 to 32"):
        load_space("ib_pp", {**weights, "freebind-ib-pp": folder})


def test_a_space_of_internvl_asks_before_it_runs_code(models: Path) -> None:
    weights = tiny_models(models, models_of("internvl_ib"))

    with pytest.raises(BadSetting, match="remote_code"):
        load_space("internvl_ib", weights)


def test_an_unknown_preset_is_named(models: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'versatile'"):
        opened(models, "ib_pp", factors="versatil")


def test_a_model_that_is_not_given_is_named(models: Path) -> None:
    weights = tiny_models(models, models_of("ib_pp"))
    del weights["clap-music-speech"]

    with pytest.raises(WeightsError, match="'ib_pp' needs the folder of the model 'clap-music"):
        load_space("ib_pp", weights)


def test_figures_are_those_of_the_nearest_preset(models: Path) -> None:
    assert nearest_preset({"text": 0.2, "audio": 0.5}) == "versatile"
    assert nearest_preset({"text": 0.4, "audio": 0.9}) == "at_expertise"
    expert = opened(models, "ib_pp", factors="at_expertise")
    assert expert.quality["text", "audio"] == 0.425
    assert expert.quality["text", "audio"] > opened(models, "ib_pp").quality["text", "audio"]
