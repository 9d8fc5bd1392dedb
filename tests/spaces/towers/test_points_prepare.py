"""Shapes become groups of points: exactly, always the same, whatever their frame."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.records import PointSample
from unisearch.spaces.towers.points_prepare import (
    GROUP,
    GROUPS,
    POINTS,
    cloud,
    farthest,
    groups,
    neighbours,
    shape_groups,
)


def shell(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Points on a stretched sphere."""
    points = np.random.default_rng(seed).standard_normal((count, 3))
    points *= np.array([1.0, 0.5, 0.7]) / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32)


def test_centres_are_the_farthest_and_neighbours_the_nearest() -> None:
    points = shell(1_200)
    apart = ((points[:, None].astype(np.float64) - points) ** 2).sum(axis=2)

    centres = farthest(points, start=7)
    near = neighbours(points, centres)

    assert centres[0] == 7
    nearest = apart[7]
    for centre in centres[1:]:
        assert nearest[centre] == pytest.approx(nearest.max(), rel=1e-5)
        nearest = np.minimum(nearest, apart[centre])
    for centre, found in zip(centres, near, strict=True):
        assert centre in found
        assert len(set(found)) == GROUP
        assert apart[centre][found].max() == pytest.approx(np.sort(apart[centre])[GROUP - 1], 1e-4)


def test_points_of_a_part_are_seen_from_its_centre() -> None:
    points = shell(1_000)

    found = groups(points)

    assert found.shape == (GROUPS, 1 + GROUP, 3)
    assert np.array_equal(found[0, 0], points[0])
    assert (np.abs(found[:, 1:]).sum(axis=2).min(axis=1) == 0).all()  # the centre itself
    assert np.abs(found[:, 1:]).max() < 0.5


def test_place_and_size_of_a_shape_do_not_matter() -> None:
    points = shell(2_000)

    here, there = cloud(PointSample(points)), cloud(PointSample(points * 40 + 1_000))

    assert np.linalg.norm(here, axis=1).max() == pytest.approx(1.0)
    assert here.min(axis=0) + here.max(axis=0) == pytest.approx(0.0, abs=1e-6)
    assert np.abs(here - there).max() < 1e-3


def test_a_shape_whose_format_says_z_is_up_is_set_upright() -> None:
    x, y, z = shell(2_000).T

    upright = shape_groups(PointSample(np.stack([x, y, z], axis=1), up="y"))
    turned = shape_groups(PointSample(np.stack([x, -z, y], axis=1), up="z"))

    assert np.array_equal(upright, turned)


def test_of_many_points_so_many_are_taken_and_always_the_same() -> None:
    points = shell(25_000)

    once, again = cloud(PointSample(points)), cloud(PointSample(points.copy()))

    assert once.shape == (POINTS, 3)
    assert np.array_equal(once, again)
    assert len(np.unique(once, axis=0)) == POINTS


def test_a_published_cloud_is_left_as_it_is() -> None:
    points = cloud(PointSample(shell(POINTS)))

    assert np.array_equal(cloud(PointSample(points)), points)


@pytest.mark.parametrize("count", [1, 2, 5, 40, GROUPS - 1])
def test_a_sparse_cloud_is_filled_between_neighbours(count: int) -> None:
    sparse = PointSample(shell(count))

    filled = cloud(sparse)

    assert len(filled) == GROUPS
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() <= 1 + 1e-6
    assert np.array_equal(shape_groups(sparse), shape_groups(sparse))
    if count > 2:
        assert len(np.unique(filled, axis=0)) > GROUPS * 0.9


def test_points_that_are_one_do_not_stop_it() -> None:
    same = np.concatenate([shell(600), np.repeat(shell(1), 5_000, axis=0)])

    found = shape_groups(PointSample(same))

    assert np.isfinite(found).all()
