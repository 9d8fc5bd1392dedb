"""MS-CLIP-S gives the vectors and the tokens of its official implementation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.merges import EXCERPT, put_excerpt, put_whole
from tests.parity import rule
from tests.parity.sets import Fixture, fixtures, worst
from unisearch.models.recipes.msclip import convert
from unisearch.spaces.towers.bpe import BytePairs, clean
from unisearch.spaces.towers.msclip.folding import folded
from unisearch.spaces.towers.msclip.model import MsClip
from unisearch.spaces.towers.msclip.sizes import read_sizes
from unisearch.spaces.towers.strict import load_strict

CONTEXT = 77


@pytest.fixture(autouse=True, scope="module")
def _memory_is_given_back() -> Iterator[None]:
    yield
    common_of.cache_clear()


def drawn(key: str, shape: list[int], folder: Path) -> NDArray[Any]:
    """One official tensor by the rule that the README of its set writes out."""
    return rule.tensor_of_one_scale(first_name(key), shape, *ruled(folder))


def ruled(folder: Path) -> tuple[int, float]:
    """Seed and scale, as the README says them."""
    facts = (folder / "README.md").read_text("utf-8")
    seed, scale = re.search(r"SEED = (\d+)", facts), re.search(r"SCALE = (\d\.\d+)", facts)
    assert seed
    assert scale
    return int(seed[1]), float(scale[1])


def first_name(key: str) -> str:
    """The name that texts have for a tensor, by which one that pictures share is drawn, too."""
    return re.sub(r"^visual\.(transformer\.resblocks\.[1-9]\d*\.(attn|mlp)\.)", r"\1", key)


def common(folder: Path) -> dict[str, torch.Tensor]:
    """All official tensors of B/32 (0.5 GB)."""
    shapes = json.loads((folder / "keys.json").read_text("utf-8"))["b32"]
    return common_of(json.dumps(shapes, sort_keys=True), *ruled(folder))


@lru_cache(maxsize=1)
def common_of(listed: str, seed: int, scale: float) -> dict[str, torch.Tensor]:
    """The same, drawn once for both sizes and for all sets of one rule."""
    shapes = json.loads(listed)
    made: dict[str, torch.Tensor] = {}
    for name, shape in {first_name(key): shape for key, shape in shapes.items()}.items():
        values = rule.tensor_of_one_scale(name, shape, seed, scale)
        kind = np.float32 if values.dtype == np.float64 else values.dtype
        made[name] = torch.from_numpy(values.astype(kind))
    return {key: made[first_name(key)] for key in shapes}


def network(fixture: Fixture) -> MsClip:
    """As from a published file: all official keys, through the recipe, strictly into place."""
    folder, size = fixture.file.parent, fixture.file.stem.split("_")[1]
    other = json.loads((folder / "keys.json").read_text("utf-8")).get(f"{size}_differences", {})
    state = dict(common(folder))
    for key, shape in other.items():
        state[key] = torch.from_numpy(drawn(key, shape, folder)).float()
    state = convert({fixture.file.name: state}).state
    made = MsClip(read_sizes(state, fixture.file))
    load_strict(made, state, fixture.file)
    return folded(made)


def pictures(fixture: Fixture) -> torch.Tensor:
    """(2, 3, 224, 224) as stored, with the B/32 features if not with these; else drawn again."""
    for file in (fixture.file, fixture.file.with_name("msclip_b32.npz")):
        if file.is_file() and "image" in (arrays := Fixture(file).arrays):
            return torch.from_numpy(arrays["image"])
    noise = np.random.default_rng(20241).standard_normal((3, 224, 224))
    y, x = np.mgrid[:224, :224]
    pattern = [2 * np.sin(x / 11), 2 * np.cos(y / 23), 1.5 * np.sign(np.sin((x + y) / 40)) - 0.5]
    return torch.from_numpy(np.stack([noise, pattern]).astype(np.float32))


@pytest.mark.parametrize("fixture", fixtures("msclip/rule_check.json"))
def test_weights_are_drawn_as_the_set_was_made(fixture: Fixture) -> None:
    for key, (mean, first, shape) in json.loads(fixture.file.read_text("utf-8")).items():
        values = drawn(key, shape, fixture.file.parent)

        assert values.mean() == pytest.approx(mean, rel=1e-5, abs=1e-9)
        assert values.flat[0] == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize("fixture", fixtures("msclip/msclip_*.npz"))
def test_vectors_are_those_of_the_official_code(fixture: Fixture) -> None:
    official, made = fixture.arrays, network(fixture)

    with torch.inference_mode():
        images = made.encode_image(pictures(fixture))
        texts = made.encode_text(torch.from_numpy(official["text_tokens"].astype(np.int64)))

    for rows, name in ((images, "image_features"), (texts, "text_features")):
        assert worst(torch.nn.functional.normalize(rows, dim=-1), official[name]) <= 1e-5
        assert worst(rows, official[f"{name}_raw"]) <= 1e-4


@pytest.mark.parametrize("fixture", fixtures("msclip/tokens.json"))
def test_tokens_are_those_of_the_official_code(fixture: Fixture, tmp_path: Path) -> None:
    wanted = {row["text"]: row["ids"] for row in json.loads(fixture.file.read_text("utf-8"))}
    own = {row["text"] for row in json.loads(EXCERPT.with_name("tokens.json").read_text("utf-8"))}
    if wanted.keys() <= own:
        put_excerpt(tmp_path)
    elif not put_whole(tmp_path, fixture.file.parent):
        pytest.skip(f"not run: put CLIP's merges.txt into {fixture.file.parent}")

    words = BytePairs(tmp_path)

    for text, ids in wanted.items():
        found = words.ids(clean(text))
        assert (found + [0] * CONTEXT)[:CONTEXT] == ids
