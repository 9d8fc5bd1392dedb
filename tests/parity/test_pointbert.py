"""PointBERT chooses the published parts exactly and computes what the published network does."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from tests.parity.sets import Fixture, fixtures, medium, worst
from unisearch.media.inert import unpickled
from unisearch.models.recipes import ulip
from unisearch.spaces.towers import points_prepare
from unisearch.spaces.towers.pointbert import PointBert, load_network


def cases() -> list[Any]:
    """Each cloud of each fixture with each of its starts."""
    found = []
    for parameter in fixtures("pointbert/*.npz"):
        fixture = parameter.values[0]
        if fixture is None:
            found.append(pytest.param(None, "", marks=parameter.marks, id=parameter.id))
            continue
        found += [
            pytest.param(fixture, name, id=f"{parameter.id}:{name}")
            for name in sorted({key.rpartition("/")[0] for key in fixture.arrays})
            if f"{name}/fps_start" in fixture.arrays
        ]
    return found


@cache
def network(fixture: Fixture) -> PointBert:
    """The network of the weights by rule, by the way that an import takes."""
    published = {f"module.{key}": tensor for key, tensor in fixture.weights.items()}
    converted = ulip.convert({"pointbert_ULIP-2.pt": published})
    return load_network(converted.state, Path("model.safetensors"))


def cloud(fixture: Fixture, name: str) -> NDArray[np.float32]:
    """The points: of the fixture, or of the medium that it names."""
    key = f"{name.partition('/')[0]}/input"
    if key in fixture.arrays:
        return fixture.arrays[key]
    return published_cloud(medium(f"{name.partition('/')[0]}.npy"))


def published_cloud(path: Path) -> NDArray[np.float32]:
    """(n, 3) as the file has them; it is a pickle, of which nothing is run."""
    file = io.BytesIO(path.read_bytes())
    npy.read_magic(file)
    npy.read_array_header_1_0(file)
    points: NDArray[np.float32] = unpickled(file).only()["xyz"].numbers().astype(np.float32)
    return points


@pytest.mark.parametrize(("fixture", "name"), cases())
def test_parts_are_chosen_as_published(fixture: Fixture, name: str) -> None:
    points, theirs = cloud(fixture, name), fixture.arrays

    centres = points_prepare.farthest(points, int(theirs[f"{name}/fps_start"]))
    near = points_prepare.neighbours(points, centres)

    assert np.array_equal(centres, theirs[f"{name}/center_index"])
    if f"{name}/knn_index_sorted" in theirs:
        assert np.array_equal(np.sort(near, axis=1), theirs[f"{name}/knn_index_sorted"])


@pytest.mark.parametrize(("fixture", "name"), cases())
def test_a_cloud_has_the_published_vector(fixture: Fixture, name: str) -> None:
    theirs, ours = fixture.arrays, network(fixture)
    start = int(theirs[f"{name}/fps_start"])
    parts = torch.from_numpy(points_prepare.groups(cloud(fixture, name), start))[None]

    with torch.inference_mode():
        feature = ours.point_encoder(parts)
        [row] = torch.nn.functional.normalize(ours(parts), dim=-1)

    assert worst(feature[0], theirs[f"{name}/feature"]) <= 1e-4
    assert worst(row, theirs[f"{name}/embed_unit"]) <= 1e-5
    if f"{name}/group_tokens_first8" in theirs:
        with torch.inference_mode():
            found = ours.point_encoder.encoder(parts[0, :8, 1:])
        assert worst(found, theirs[f"{name}/group_tokens_first8"]) <= 1e-4
