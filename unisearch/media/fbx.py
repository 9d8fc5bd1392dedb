"""FBX models through ufbx: triangles in the coordinates of the scene, with material colours."""

from __future__ import annotations

import ctypes
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import ufbx
from numpy.typing import NDArray

from unisearch.errors import Unreadable
from unisearch.media import colors
from unisearch.media.damage import Damage
from unisearch.media.files import read_bytes
from unisearch.media.model_names import told
from unisearch.media.parts import MeshPart, Scene
from unisearch.media.polygons import fan
from unisearch.records import ReadOptions

#: What the errors of ufbx mean; all others are damage somewhere inside.
_DAMAGE = {
    "UnrecognizedFileFormatError": "it does not begin as an FBX model does",
    "TruncatedFileError": "it ends early",
}


def load_fbx(path: Path, options: ReadOptions) -> Scene:
    """All meshes of the file as triangles, each in its place, with material or vertex colours.

    Read from memory with external files off: an FBX cannot make us open anything else.
    Raises Unreadable when it holds too many triangles or its version is not read, and Damage.
    """
    data = read_bytes(path, options.max_file_bytes)
    try:
        scene = ufbx.load_memory(
            data, target_axes=ufbx.axes_right_handed_y_up, ignore_animation=True
        )
    except ufbx.UnsupportedVersionError as error:
        reason = "its version of FBX is not read"
        raise Unreadable(path, "unsupported", reason) from error
    except ufbx.UfbxError as error:
        raise Damage(_DAMAGE.get(type(error).__name__, "its data is damaged")) from error
    try:
        copied = _copied(path, scene, options)
    except Exception as error:
        # A traceback keeps the elements in its frames, and the garbage collector would follow
        # them into freed memory.
        traceback.clear_frames(error.__traceback__)
        scene.free()
        del scene
        raise
    scene.free()  # the elements refer to each other in circles: nothing else ever frees them
    return copied


def _copied(path: Path, scene: Any, options: ReadOptions) -> Scene:
    nodes = [node for node in _items(scene.nodes) if node.mesh is not None]
    total = sum(node.mesh.num_triangles for node in nodes)
    if total > options.max_triangles:
        reason = f"{total:,} triangles, the limit is {options.max_triangles:,}"
        raise Unreadable(path, "too_large", reason)
    # Blender writes its linear colours into FBX unchanged; other programs write sRGB.
    linear = "Blender" in str(scene.metadata.creator)
    parts = [_part(node, linear) for node in nodes]
    called = [node.name for node in nodes]
    materials = [one.name for node in nodes for one in _items(node.materials)]
    names = tuple(dict.fromkeys([str(name) for name in called if name] + told(map(str, materials))))
    return Scene([part for part in parts if len(part.faces)], [], "y", names)


def _items(elements: Any) -> Iterator[Any]:
    """The elements of one of ufbx's lists.

    ufbx 0.0.5 hands out list elements without counting the reference, so that dropping one frees
    what the scene still holds, and the process dies. Counting it here makes up for that; the
    version is pinned, because with a mended one every element would stay in memory.
    """
    for index in range(len(elements)):
        element = elements[index]
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(element))
        yield element


def _part(node: Any, linear: bool) -> MeshPart:
    mesh = node.mesh
    corners, polygon = fan(np.array(mesh.faces, dtype=np.int64).reshape(-1, 2))
    index = np.array(mesh.vertex_position.indices, dtype=np.int64)
    vertices = np.array(mesh.vertex_position.values, dtype=np.float64).reshape(-1, 3)
    matrix = _matrix(node.geometry_to_world)
    moved = vertices @ matrix[:, :3].T + matrix[:, 3]
    rgb = _colors(node, mesh, corners, polygon)
    if rgb is not None and linear:
        rgb = colors.to_srgb(rgb)
    return MeshPart(moved.astype(np.float32), index[corners], rgb)


def _matrix(matrix: Any) -> NDArray[np.float64]:
    """ufbx's affine matrix as (3, 4): three columns of rotation and scale, one of translation."""
    columns = (matrix.c0, matrix.c1, matrix.c2, matrix.c3)
    return np.array([[c.x, c.y, c.z] for c in columns], dtype=np.float64).T


def _colors(
    node: Any, mesh: Any, corners: NDArray[np.int64], polygon: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """(t, 3) as the file declares: diffuse colours of materials, else vertex colours, else None."""
    materials = list(_items(node.materials)) or list(_items(mesh.materials))
    if materials:
        palette = np.stack([_diffuse(material) for material in materials])
        chosen = np.array(mesh.face_material, dtype=np.int64)
        if not len(chosen):
            chosen = np.zeros(mesh.num_faces, dtype=np.int64)
        return palette[np.minimum(chosen[polygon], len(palette) - 1)]
    if not mesh.vertex_color.exists:
        return None
    values = np.array(mesh.vertex_color.values, dtype=np.float32).reshape(-1, 4)
    index = np.array(mesh.vertex_color.indices, dtype=np.int64)
    rgb: NDArray[np.float32] = colors.unit_rgb(values)[index[corners]].mean(axis=1)
    return rgb


def _diffuse(material: Any) -> NDArray[np.float32]:
    """The colour of a material, (3,); neutral grey where it declares none."""
    declared = material.fbx.diffuse_color
    if not declared.has_value:
        return np.full(3, colors.UNDECLARED, dtype=np.float32)
    value = declared.value_vec4
    return np.clip(np.array([value.x, value.y, value.z], dtype=np.float32), 0.0, 1.0)
