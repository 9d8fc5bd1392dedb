"""A shape to groups of points: what a PointBERT reads. Numpy only.

Exact farthest-point sampling and exact neighbours, as the published code has them, but from a
fixed start (theirs is random). Source: github.com/salesforce/ULIP, models/pointbert.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unisearch.records import PointSample, Sample

POINTS = 10_000
GROUPS = 512
GROUP = 32
#: Centres whose distances to all points are held at once: so many stay in a core's cache.
_BLOCK = 32

Floats = NDArray[np.float32]


def shape_groups(sample: Sample) -> Floats:
    """float32 (GROUPS, 1 + GROUP, 3): parts of a shape, each its centre and the points about it."""
    assert isinstance(sample, PointSample)
    return groups(cloud(sample))


def cloud(sample: PointSample) -> Floats:
    """float32 (n, 3) of GROUPS to POINTS points: y up, its box about 0, the farthest at 1.

    That is the frame of the published clouds. A format that declares no axis is taken as y up.
    """
    points = sample.points[_chosen(len(sample.points))].astype(np.float64)
    if sample.up == "z":
        x, y, z = points.T
        points = np.stack([x, z, -y], axis=1)
    points -= (points.min(axis=0) + points.max(axis=0)) / 2
    points /= max(float(np.linalg.norm(points, axis=1).max()), 1e-12)
    return (points if len(points) >= GROUPS else _filled(points)).astype(np.float32)


def _chosen(count: int) -> NDArray[np.intp]:
    """Up to POINTS places among `count`, always the same and in order."""
    if count <= POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(count).permutation(count)[:POINTS])


def _filled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """GROUPS points: those of a sparse cloud, and others between each and its near neighbours.

    The same point again would leave the farthest-point sampling nothing to choose from.
    """
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    near = np.argsort(apart, axis=1, kind="stable")[:, 1:5]  # (n, up to 4)
    if not near.shape[1]:
        return np.repeat(points, GROUPS, axis=0)
    rng = np.random.default_rng(len(points))
    one = np.resize(np.arange(len(points)), GROUPS - len(points))
    other = near[one, rng.integers(near.shape[1], size=len(one))]
    share = rng.uniform(size=(len(one), 1))
    return np.concatenate([points, points[one] * (1 - share) + points[other] * share])


def groups(points: Floats, start: int = 0) -> Floats:
    """float32 (GROUPS, 1 + GROUP, 3): the centres, and behind each its neighbours, seen from it.

    points: float32 (n, 3), finite, n >= GROUPS; start: the index of the first centre
    """
    centres = farthest(points, start)
    found = np.empty((GROUPS, 1 + GROUP, 3), np.float32)
    found[:, 0] = points[centres]
    found[:, 1:] = points[neighbours(points, centres)] - found[:, :1]
    return found


def farthest(points: Floats, start: int = 0) -> NDArray[np.intp]:
    """(GROUPS,) indices: each the point farthest from all before it, the lowest among equals.

    The squared distance is (dx² + dy²) + dz² in float32, as published: the choice is the same to
    the last index.
    """
    axes = np.ascontiguousarray(points.T)
    nearest = np.full(len(points), 1e10, np.float32)
    apart, square = np.empty_like(nearest), np.empty_like(nearest)
    chosen = np.empty(GROUPS, np.intp)
    at = start
    for place in range(GROUPS):
        chosen[place] = at
        _square(axes[0], at, apart)
        for axis in axes[1:]:
            apart += _square(axis, at, square)
        np.minimum(nearest, apart, out=nearest)
        at = int(nearest.argmax())
    return chosen


def _square(axis: Floats, at: int, out: Floats) -> Floats:
    np.subtract(axis, axis[at], out=out)
    return np.multiply(out, out, out=out)


def neighbours(points: Floats, centres: NDArray[np.intp]) -> NDArray[np.intp]:
    """(centres, GROUP) indices of the nearest points of each centre, itself among them, no order.

    By b² - 2ab: the a² of its centre moves no choice.
    """
    columns = np.ascontiguousarray(points.T)
    squared = np.einsum("ij,ij->i", points, points)
    found = np.empty((len(centres), GROUP), np.intp)
    for first in range(0, len(centres), _BLOCK):
        block = slice(first, first + _BLOCK)
        apart = (-2 * points[centres[block]]) @ columns
        apart += squared
        found[block] = np.argpartition(apart, GROUP - 1, axis=1)[:, :GROUP]
    return found
