"""3D files in, a surface of coloured triangles or a cloud of points out; and points on surfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import Unreadable
from unisearch.media import colors, formats
from unisearch.media.damage import broken
from unisearch.media.faults import check_head
from unisearch.media.files import checked_size, guarded, opened
from unisearch.media.parts import MeshPart, Scene, check_coordinates, check_faces
from unisearch.media.points import checked_cloud, load_cloud
from unisearch.media.scene import load_scene
from unisearch.media.signature import MODEL
from unisearch.records import PointSample, ReadOptions, TriangleMesh

DEFAULTS = ReadOptions()
HEAD_BYTES = 4096


@dataclass(frozen=True)
class Model:
    """A 3D file as read; names and labels: see Scene."""

    shape: TriangleMesh | PointSample
    names: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load_mesh(path: Path, options: ReadOptions = DEFAULTS) -> TriangleMesh | PointSample:
    """The surface of a 3D file, or the points of one that holds points only.

    All nodes of the scene in their places. Colours: one per face, from materials, textures
    (under the middle of each face) and vertex colours; None when the file declares none.
    Raises Unreadable, also for a mesh without faces, coordinates that are not finite and a
    model of no size.
    """
    return load_model(path, options).shape


def load_model(path: Path, options: ReadOptions = DEFAULTS) -> Model:
    """As load_mesh, with the names found inside."""
    suffix = path.suffix.lower()
    checked_size(path, options.max_file_bytes)
    if suffix not in formats.MODELS:
        raise Unreadable(path, "unsupported", f"'{suffix}' is no known 3D format")
    # What is not finite or too large is refused below; numpy would print a warning first.
    with guarded(path, MODEL), np.errstate(all="ignore"):
        with opened(path, options.max_file_bytes) as file:
            check_head(file.read(HEAD_BYTES), suffix)
        if suffix in formats.CLOUDS:
            return Model(load_cloud(path, options))
        if suffix in formats.FBX:
            from unisearch.media.fbx import load_fbx

            scene = load_fbx(path, options)
        elif suffix in formats.USD:
            from unisearch.media.usd import load_usd

            scene = load_usd(path, options)
        else:
            scene = load_scene(path, suffix[1:], options)
        return Model(_shape(path, scene, suffix), scene.names, scene.labels)


def sample_points(mesh: TriangleMesh, count: int, seed: int = 0) -> PointSample:
    """`count` points spread evenly over the surface, with the normals and colours of their faces.

    The same mesh, count and seed give the same points.
    Source: R. Osada et al., Shape Distributions, ACM TOG 21(4), 2002, section 3.1.
    """
    first, second, third = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    normals = np.cross(second - first, third - first)  # twice the area long
    doubled_areas = np.linalg.norm(normals, axis=1)
    cumulated = np.cumsum(doubled_areas, dtype=np.float64)
    rng = np.random.default_rng(seed)
    chosen = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    chosen = np.minimum(chosen, len(mesh.faces) - 1)
    along, across = rng.random((2, count, 1), dtype=np.float32)
    root = np.sqrt(along)
    points = (
        (1 - root) * first[chosen]
        + root * (1 - across) * second[chosen]
        + root * across * third[chosen]
    )
    unit = normals[chosen] / np.maximum(doubled_areas[chosen, None], np.finfo(np.float32).tiny)
    rgb = None if mesh.face_colors is None else mesh.face_colors[chosen]
    return PointSample(points.astype(np.float32), unit.astype(np.float32), rgb, mesh.up)


def _shape(path: Path, scene: Scene, suffix: str) -> TriangleMesh | PointSample:
    parts = [part for part in scene.parts if len(part.faces)]
    if parts:
        return _joined(path, parts, scene.up)
    if suffix == ".ply" and scene.clouds:
        cloud = scene.clouds[0]
        return checked_cloud(path, cloud.points, cloud.normals, cloud.colors)
    raise broken(path, MODEL, "the model has no faces")


def _joined(path: Path, parts: Sequence[MeshPart], up: Literal["y", "z"] | None) -> TriangleMesh:
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts)])
    for part in parts:
        check_faces(part.faces, len(part.vertices))
    vertices = np.concatenate([part.vertices for part in parts])
    faces = np.concatenate(
        [part.faces + start for part, start in zip(parts, offsets, strict=False)]
    )
    _check_surface(path, vertices, faces)
    return TriangleMesh(vertices, faces.astype(np.int32), _joined_colors(parts), up)


def _check_surface(path: Path, vertices: NDArray[np.float32], faces: NDArray[np.int64]) -> None:
    """Only vertices that faces use count: files may carry unused ones that hold anything."""
    used = vertices[faces.reshape(-1)]
    check_coordinates(used)
    if not float(np.ptp(used.astype(np.float64), axis=0).max()) > 0.0:
        raise Unreadable(path, "corrupt", "the model has no size: all vertices are one point")
    corners = used.reshape(-1, 3, 3).astype(np.float64)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    ).sum()
    if not (np.isfinite(area) and area > 0.0):
        raise Unreadable(path, "corrupt", "the model has no surface: all its faces are lines")


def _joined_colors(parts: Sequence[MeshPart]) -> NDArray[np.float32] | None:
    if all(part.colors is None for part in parts):
        return None
    grey = np.full(3, colors.UNDECLARED, dtype=np.float32)
    return np.concatenate(
        [
            np.repeat(grey[None], len(part.faces), axis=0) if part.colors is None else part.colors
            for part in parts
        ]
    ).astype(np.float32)
