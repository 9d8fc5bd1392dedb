"""A 3D file as one that every browser draws, whatever its format: no textures, no references."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.clouds import thinned
from unisearch.media.mesh import load_mesh
from unisearch.previews.mesh import solid
from unisearch.records import PointSample, ReadOptions
from unisearch.stage import centred

#: Triangles or points at most: what a phone still turns smoothly.
MOST = 200_000


def as_glb(path: Path, options: ReadOptions) -> Iterator[bytes]:
    """One binary glTF: in a sphere of radius 1 around (0, 0, 0), y upward, a colour per face.

    Raises Unreadable for a file that is no model. A task for workers: files may be hostile.
    """
    import trimesh

    shape = load_mesh(path, options)
    made: Any  # trimesh declares no types here
    if isinstance(shape, PointSample):
        cloud = thinned(shape, MOST)
        points = centred(cloud.points, cloud.up)
        made = trimesh.PointCloud(points, _bytes(cloud.colors))  # type: ignore[no-untyped-call]
    else:
        whole = solid(shape, MOST)
        made = trimesh.Trimesh(
            whole.vertices[whole.faces].reshape(-1, 3),
            np.arange(whole.faces.size).reshape(-1, 3),
            vertex_normals=whole.normals.reshape(-1, 3),
            vertex_colors=_bytes(np.repeat(whole.colors, 3, axis=0)),
            process=False,
        )
    scene: Any = trimesh.Scene(made)
    yield scene.export(file_type="glb", include_normals=True, tree_postprocessor=_dull)


def _dull(tree: dict[str, Any]) -> None:
    """Both sides are seen; without a material glTF means bare metal, which is nearly black."""
    surface = {"metallicFactor": 0.0, "roughnessFactor": 0.9}
    tree["materials"] = [{"pbrMetallicRoughness": surface, "doubleSided": True}]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0


def _bytes(colors: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    """RGBA of sRGB in [0, 1]. glTF wants vertex colours linear (2.0 specification, 3.7.2.1)."""
    if colors is None:
        return None
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return np.hstack([linear * 255 + 0.5, np.full((len(colors), 1), 255)]).astype(np.uint8)
