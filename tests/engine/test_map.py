"""The map of a library, and models for its viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from tests.indexer.conftest import Library, model, picture, sound
from tests.mixed import Mixed, blend, built, make_mixed, mixed
from unisearch.engine.map import flat, places
from unisearch.engine.shape import as_glb
from unisearch.errors import Unreadable
from unisearch.records import ReadOptions
from unisearch.wiring import open_rooms

__all__ = ["blend", "built", "make_mixed", "mixed"]


def test_what_is_alike_lies_together_whatever_its_kind() -> None:
    random = np.random.default_rng(0)
    meanings = random.normal(size=(2, 16)).repeat(20, axis=0)
    kinds = np.array(["image", "audio"] * 20)
    gap = np.where(kinds == "image", 5.0, -5.0)[:, None]
    vectors = meanings + gap + random.normal(scale=0.05, size=(40, 16))

    at = flat(vectors.astype(np.float32), kinds)

    assert at.shape == (40, 2)
    assert np.abs(at).max() == pytest.approx(1.0)
    inside = np.linalg.norm(at[:20] - at[:20].mean(axis=0), axis=1).max()
    assert np.linalg.norm(at[:20].mean(axis=0) - at[20:].mean(axis=0)) > 5 * inside


def test_every_item_has_a_place_and_a_small_map_holds_some_of_each_kind(tmp_path: Path) -> None:
    library = Library(tmp_path)
    for number in range(6):
        picture(library.media / f"{number}.png", number)
        sound(library.media / f"{number}.wav", 1, number)
    library.run()

    with open_rooms(library.settings) as rooms:
        whole, small = places(rooms, 100), places(rooms, 4)

    assert len({place.item for place in whole}) == 12
    assert {place.modality for place in small} == {"image", "audio"}
    assert len(small) <= 4


def test_a_space_of_mixed_vectors_has_a_map_of_these_alone(mixed: Mixed) -> None:
    with open_rooms(mixed.settings) as rooms:
        found = places(rooms, 100)

    assert len({place.item for place in found}) == len(found) == 9


def test_a_model_for_the_viewer_is_in_a_ball_around_the_middle(tmp_path: Path) -> None:
    path = model(tmp_path / "far.obj", 4_000)

    [made] = as_glb(path, ReadOptions())

    scene = trimesh.load_scene(trimesh.util.wrap_as_stream(made), file_type="glb")
    [shape] = scene.geometry.values()
    assert len(shape.faces) == 4
    assert np.linalg.norm(shape.vertices, axis=1).max() == pytest.approx(1.0, abs=1e-3)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.glb").write_bytes(b"no model")

    with pytest.raises(Unreadable):
        list(as_glb(tmp_path / "no.glb", ReadOptions()))
