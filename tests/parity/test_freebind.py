"""Heads, ensembles and mixtures of FreeBind (Molecule-Space) compute what the published ones do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from tests.parity import rule
from tests.parity.sets import Fixture, fixtures, tensors, worst
from unisearch.factors import PRESETS, Factors
from unisearch.models.recipes import freebind as recipe
from unisearch.records import Modality
from unisearch.spaces.mixed import combine, mixed_cosine
from unisearch.spaces.published import bonds
from unisearch.spaces.published.bonds import Bonds, Displacement
from unisearch.spaces.published.freebind import (
    DISPLACEMENT,
    NUMBERS,
    FreeBindSpace,
    IbPpSpace,
    InternVlIbFtPpSpace,
    InternVlIbFtSpace,
    InternVlIbPpSpace,
    InternVlIbSpace,
    head_names,
)
from unisearch.spaces.towers.imagebind.tower import ALL
from unisearch.spaces.towers.reaction import Ensemble, ReactionHead, ensemble_of
from unisearch.spaces.towers.strict import load_strict

State = dict[str, torch.Tensor]
FILE = Path("model.safetensors")
#: By the names in the fixtures.
SPACES: dict[str, type[FreeBindSpace]] = {
    "IB_PP": IbPpSpace,
    "InternVL_IB": InternVlIbSpace,
    "InternVL_IB_PP": InternVlIbPpSpace,
    "InternVL_IB_FT": InternVlIbFtSpace,
    "InternVL_IB_FT_PP": InternVlIbFtPpSpace,
}
#: Factors of the ++ spaces by a setting of the fixtures; DEFAULTS are those of the released code.
SETTINGS: dict[str, Factors] = {**PRESETS, "text0_audio1": {"text": 0.0, "audio": 1.0}}
HALF: Factors = {"text": 0.5, "audio": 0.5}
DEFAULTS: dict[type[FreeBindSpace], Factors] = {
    IbPpSpace: HALF,
    InternVlIbPpSpace: PRESETS["versatile"],
    InternVlIbFtPpSpace: HALF,
}
#: Of the published heads: what goes in and comes out.
WIDTHS = {
    "freebind-ib-pp": (512, 1024),
    "freebind-drvt": (1024, 768),
    "freebind-internvl-ib-pp": (512, 768),
    "freebind-internvl-ib-ftpp": (512, 768),
}


@pytest.mark.parametrize("fixture", fixtures("freebind/head_*.npz"))
def test_a_head_agrees_with_the_published_one(fixture: Fixture) -> None:
    hidden, inputs = fixture.weights["Head2.mlps.0.weight"].shape
    ours = ReactionHead(inputs, hidden, len(fixture.weights["Head2.mlps.3.weight"]))
    load_strict(ours, fixture.weights, FILE)

    with torch.inference_mode():
        found = ours(torch.from_numpy(fixture.arrays["input"]))

    assert worst(found, fixture.arrays["output"]) <= 1e-5


@pytest.mark.parametrize("fixture", fixtures("freebind/spaces_*.npz"))
def test_heads_are_drawn_as_the_manifest_says(fixture: Fixture) -> None:
    for file, facts in fixture.manifest["tensors"].items():
        rule.state(facts, fixture.manifest["seed"], f"{file}:")


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("fixture", fixtures("freebind/spaces_*.npz"))
def test_a_space_agrees_with_the_published_one(fixture: Fixture, name: str) -> None:
    space = SPACES[name]
    ours, checked = bonds_of(fixture, space), set()

    for modality in ALL:
        with torch.inference_mode():
            base, expert = ours.parts(modality, experts(fixture, modality, tuned=space.tuned))
        for setting, wanted in outputs(fixture, name, modality):
            factor = factor_of(space, setting, modality)
            found = base if expert is None else combine(factor, expert, base)
            assert worst(found, wanted) <= 1e-5, (setting, modality)
            checked.add((setting, modality))

    assert {("default", modality) for modality in ALL} <= checked


@pytest.mark.parametrize("fixture", fixtures("freebind/spaces_*.npz"))
def test_the_heads_of_the_tuned_tower_agree_with_the_published_ones(fixture: Fixture) -> None:
    ours = Displacement(ensemble(fixture, DISPLACEMENT), own_heads(fixture))

    with torch.inference_mode():
        found, _ = ours.parts("audio", experts(fixture, "audio", tuned=True))

    assert worst(found, fixture.arrays["out/ib_head/audio"]) <= 1e-5


@pytest.mark.parametrize("fixture", fixtures("freebind/spaces_*.npz"))
@pytest.mark.parametrize("factor", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_the_cosine_of_parts_is_that_of_the_mixture(fixture: Fixture, factor: float) -> None:
    ours = bonds_of(fixture, IbPpSpace)
    with torch.inference_mode():
        base, expert = ours.parts("audio", experts(fixture, "audio", tuned=False))
        queries, _ = ours.parts("text", experts(fixture, "text", tuned=False))
    assert expert is not None

    q, e, b = (part.numpy() for part in (queries, expert, base))
    found = mixed_cosine(factor, q @ e.T, q @ b.T, np.einsum("nd,nd->n", e, b))

    assert worst(found, q @ combine(factor, expert, base).numpy().T) <= 1e-6


def experts(fixture: Fixture, modality: Modality, *, tuned: bool) -> dict[str, torch.Tensor]:
    """What towers give for that modality: unit rows, while those of the fixture have any length."""
    published = {
        bonds.IMAGEBIND: f"in/ib_{modality}",
        bonds.INTERNVL: f"in/vlc_{modality}",
        bonds.GENERAL: f"in/clap_g_{modality}",
        bonds.MUSIC: f"in/clap_m_{modality}",
    }
    if tuned and modality == "audio":
        published = published | {bonds.TUNED: "in/ibft_audio"}
    return {
        name: normalize(torch.from_numpy(fixture.arrays[key]), dim=-1)
        for name, key in published.items()
        if key in fixture.arrays
    }


def bonds_of(fixture: Fixture, space: type[FreeBindSpace]) -> Bonds:
    """Of that space, with sounds of the tuned tower through the displacement, as in the fixture."""
    clap = ensemble(fixture, space.clap) if space.clap else None
    if not space.share:
        return Bonds(clap=clap)
    return Bonds(Displacement(ensemble(fixture, DISPLACEMENT)), space.share, clap)


_made: dict[tuple[Path, str], Ensemble] = {}


def ensemble(fixture: Fixture, model: str) -> Ensemble:
    """The heads of that model by rule, once, by the way that an import takes."""
    if (fixture.file, model) not in _made:
        inputs, outputs = WIDTHS[model]
        files = {
            f"{name}/best.pt": head(fixture, f"{name}/best.pt:", inputs, outputs)
            for name in head_names(model)
        }
        state = recipe.convert(files).state
        _made[fixture.file, model] = ensemble_of(state, head_names(model), FILE)
    return _made[fixture.file, model]


def own_heads(fixture: Fixture) -> Ensemble:
    """Those in the file of the fine-tuned tower."""
    state = {
        f"{place}.{key}": tensor
        for place in NUMBERS
        for key, tensor in head(fixture, f"ib_head.projectors.{place}.", 1024, 768).items()
    }
    return ensemble_of(state, NUMBERS, FILE)


def head(fixture: Fixture, prefix: str, inputs: int, outputs: int) -> State:
    """One head by rule."""
    lengths = {"Head2.mlps.0.weight": (2048, inputs), "Head2.mlps.3.weight": (outputs, 2048)}
    seed = int(fixture.arrays["weights_seed"])
    drawn = {}
    for key, shape in recipe.HEAD.items():
        short = (2048 if key[11] in "01" else outputs,) * len(shape)
        drawn[key] = rule.tensor(key, lengths.get(key, short), seed, prefix)
    return tensors(drawn)


def outputs(
    fixture: Fixture, name: str, modality: Modality
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(setting, rows) of everything that the fixture holds for that space and modality."""
    for key, rows in fixture.arrays.items():
        place, _, last = key.removeprefix(f"out/{name}/").rpartition("/")
        if key.startswith(f"out/{name}/") and last == modality:
            yield place, rows
        elif key == f"out/{name}/base_{modality}":
            yield "base", rows


def factor_of(space: type[FreeBindSpace], setting: str, modality: Modality) -> float:
    """What the fixture's vectors of that setting were mixed with."""
    if setting == "base":
        return 0.0
    if setting.startswith("drvt_f"):
        return float(setting.removeprefix("drvt_f"))
    if setting == "default" and not space.clap:
        return space.share
    factors = DEFAULTS[space] if setting == "default" else SETTINGS[setting]
    return factors.get(modality, 0.0)
