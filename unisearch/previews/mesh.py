"""Meshes made ready for drawing: bounded in size, centred, with normals at their corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.raster import distinct
from unisearch.records import TriangleMesh
from unisearch.stage import centred, evenly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_COLOR = (0.72, 0.74, 0.78)
CREASE = 0.8  # cosine of 37 degrees: what bends more there is an edge
CHUNK = 1_000_000  # triangles looked at together
FINEST = 128  # cells along the longest side: 2 million cells in all


@dataclass(frozen=True, eq=False)
class Solid:
    """A mesh in a sphere of radius 1 around (0, 0, 0), y upward.

    normals: of each corner of each face, unit rows, in the direction of its winding
    colors: sRGB in [0, 1] of each face; closed: seen from outside no face shows its back
    """

    vertices: Floats  # (v, 3)
    faces: Ints  # (f, 3)
    colors: Floats  # (f, 3)
    normals: Floats  # (f, 3, 3)
    closed: bool


def solid(mesh: TriangleMesh, most: int, closed: bool | None = None) -> Solid:
    """The mesh with about `most` faces at most, twice as many at the very most.

    closed: whether the whole mesh is, where that is known: with fewer faces it is still, but can
    no longer be seen to be
    """
    used, place = distinct(mesh.faces, len(mesh.vertices))
    vertices: NDArray[Any] = centred(mesh.vertices[used], mesh.up)
    if len(mesh.faces) > most:
        vertices, faces, kept = reduced(vertices, mesh.faces, place, most)
    else:
        faces, kept = place[mesh.faces], np.arange(len(mesh.faces))
    vertices = vertices.astype(np.float64)
    joined = joints(vertices)[faces]
    return Solid(
        vertices,
        faces,
        _colors(mesh, kept),
        corner_normals(vertices[faces], joined),
        is_closed(vertices[faces], joined) if closed is None else closed,
    )


def reduced(
    vertices: NDArray[np.float32], faces: NDArray[np.int32], place: Ints, most: int
) -> tuple[Floats, Ints, Ints]:
    """New vertices and faces, and for each new face the old one it was.

    place: which of the vertices the numbers in `faces` mean
    All vertices of a cell of a grid become one; triangles that shrink to a line or a point, or
    fall on another one, go. No hole opens.
    Source: J. Rossignac and P. Borrel, Multi-resolution 3D approximations for rendering complex
    scenes, 1993.
    """
    occupied = len(distinct(_cell(vertices, FINEST), FINEST**3)[0])
    # A surface has about 3.5 triangles per cell, and four times the cells at half their size.
    cells = int(np.clip(FINEST * np.sqrt(most / (3.5 * occupied)), 8, FINEST))
    cell = _cell(vertices, cells)
    used, number = distinct(cell, cells**3)
    member = number[cell]
    count = np.bincount(member, minlength=len(used))
    sums = [np.bincount(member, vertices[:, axis], len(used)) for axis in range(3)]
    corner = member[place]
    chunks = range(0, len(faces), CHUNK)
    kept = np.concatenate([_whole(corner[faces[at : at + CHUNK]]) + at for at in chunks])
    kept = evenly(kept, 8 * most)  # far more are left only where there is no surface
    a, b, c = _turned(corner[faces[kept]]).T
    _, first = np.unique((a * len(used) + b) * len(used) + c, return_index=True)
    kept = evenly(kept[np.sort(first)], 2 * most)
    return np.stack(sums, axis=1) / count[:, None], corner[faces[kept]], kept


def _cell(vertices: NDArray[Any], cells: int) -> Ints:
    """The cell of each vertex in a grid of cells³ over the sphere of radius 1."""
    at = np.clip(((vertices + 1.0) * (cells / 2.0)).astype(np.int64), 0, cells - 1)
    return np.asarray((at[:, 0] * cells + at[:, 1]) * cells + at[:, 2])


def _turned(faces: Ints) -> Ints:
    """The same triangles, each begun with its least corner; what looks the other way differs."""
    a, b, c = faces.T
    begin = np.where((a <= b) & (a <= c), 0, np.where(b <= c, 1, 2))[:, None]
    return np.asarray(np.take_along_axis(faces, (begin + np.arange(3)) % 3, axis=1))


def _whole(faces: Ints) -> Ints:
    """Which faces have three different corners."""
    a, b, c = faces.T
    return np.flatnonzero((a != b) & (b != c) & (a != c))


def joints(vertices: Floats) -> Ints:
    """A number for each vertex (v,), the same for those at one place.

    Files repeat vertices where colours or normals change; some, at every corner of every face.
    """
    x, y, z = np.rint((vertices.T + 1.0) * 5e5).astype(np.int64)
    _, same = np.unique((x << 42) | (y << 21) | z, return_inverse=True)
    return np.asarray(same, np.int64)


def is_closed(corners: Floats, joined: Ints) -> bool:
    """Whether every edge has a neighbour on its other side, and all faces look outward.

    corners: of the faces (f, 3, 3); joined: their joints (f, 3)
    """
    start, end = joined.reshape(-1), np.roll(joined, -1, axis=1).reshape(-1)
    count = int(joined.max()) + 1
    if not np.array_equal(np.sort(start * count + end), np.sort(end * count + start)):
        return False
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return bool(volume > 0)


def corner_normals(corners: Floats, joined: Ints) -> Floats:
    """(f, 3, 3): the mean normal of the faces around a corner, or the face's own at a crease.

    Each face counts by its angle there, so that it does not matter how a side is cut up.
    Source: G. Thürmer and C. Wüthrich, Computing vertex normals from polygonal facets, 1998.
    """
    ahead = np.roll(corners, -1, axis=1) - corners  # along the edge from each corner
    ahead /= np.linalg.norm(ahead, axis=2, keepdims=True) + 1e-30
    cosines = -np.einsum("fcx,fcx->fc", ahead, np.roll(ahead, 1, axis=1))
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    flat = np.cross(ahead[:, 0], ahead[:, 1])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-30
    around = np.stack(
        [
            np.bincount(joined.reshape(-1), (angles * flat[:, axis : axis + 1]).reshape(-1))
            for axis in range(3)
        ],
        axis=1,
    )
    around = around / (np.linalg.norm(around, axis=1, keepdims=True) + 1e-30)
    smooth = around[joined]
    is_smooth = np.einsum("fcx,fx->fc", smooth, flat) > CREASE
    return np.where(is_smooth[..., None], smooth, flat[:, None])


def _colors(mesh: TriangleMesh, kept: Ints) -> Floats:
    if mesh.face_colors is None:
        return np.broadcast_to(np.asarray(NO_COLOR), (len(kept), 3))
    return mesh.face_colors[kept].astype(np.float64)
