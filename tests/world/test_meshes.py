from __future__ import annotations

import numpy as np
import pytest

from unisearch.errors import UnknownName
from unisearch.world.concepts import CONCEPTS, SOUNDING
from unisearch.world.meshes import BUILDERS, make_junk_mesh, make_mesh


def test_the_world_knows_enough_everyday_things() -> None:
    assert len(CONCEPTS) >= 75
    assert len(SOUNDING) >= 52
    assert all(c.synonyms and c.hypernyms and c.place for c in CONCEPTS.values())


def test_every_concept_has_a_builder_and_every_builder_a_concept() -> None:
    assert set(BUILDERS) == set(CONCEPTS)


@pytest.mark.parametrize("concept", sorted(CONCEPTS))
def test_every_concept_makes_a_sound_mesh(concept: str) -> None:
    for seed in range(3):
        mesh = make_mesh(concept, seed)

        assert np.isfinite(mesh.vertices).all()
        assert mesh.face_colors is not None
        assert mesh.face_colors.shape == (len(mesh.faces), 3)
        assert mesh.face_colors.min() >= 0
        assert mesh.face_colors.max() <= 1
        assert mesh.faces.min() >= 0
        assert mesh.faces.max() < len(mesh.vertices)
        extents = np.ptp(mesh.vertices[mesh.faces].reshape(-1, 3), axis=0)
        assert extents.min() > 0.02 * extents.max()
        assert 20 <= len(mesh.faces) <= 10_000


@pytest.mark.parametrize("concept", sorted(CONCEPTS))
def test_a_seed_gives_the_same_mesh_again_and_another_seed_another_one(concept: str) -> None:
    first, again, other = make_mesh(concept, 5), make_mesh(concept, 5), make_mesh(concept, 6)

    assert np.array_equal(first.vertices, again.vertices)
    assert first.face_colors is not None
    assert again.face_colors is not None
    assert np.array_equal(first.face_colors, again.face_colors)
    assert first.vertices.shape != other.vertices.shape or not np.allclose(
        first.vertices, other.vertices
    )


def test_junk_meshes_are_finite_coloured_and_differ_by_seed() -> None:
    meshes = [make_junk_mesh(seed) for seed in range(12)]

    assert all(np.isfinite(mesh.vertices).all() for mesh in meshes)
    assert all(mesh.face_colors is not None for mesh in meshes)
    assert len({mesh.vertices.tobytes() for mesh in meshes}) == len(meshes)
    assert np.array_equal(make_junk_mesh(3).vertices, meshes[3].vertices)


def test_an_unknown_concept_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'helicopter'"):
        make_mesh("helicoptr", 0)
