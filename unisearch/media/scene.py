"""Models that trimesh reads, as one list of coloured parts in the coordinates of the scene."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import trimesh
from numpy.typing import NDArray

from unisearch.errors import UnisearchError, Unreadable, display
from unisearch.media import colors, ply, stl
from unisearch.media.beside import OwnFolder
from unisearch.media.damage import Damage
from unisearch.media.faults import fault
from unisearch.media.files import read_bytes
from unisearch.media.model_names import gltf_labels, gltf_names, obj_names
from unisearch.media.parts import CloudPart, MeshPart, Scene, check_faces
from unisearch.media.textures import known_formats_only
from unisearch.records import ReadOptions

logger = logging.getLogger(__name__)

#: The axis that each format declares to point up; the others declare nothing.
UP: dict[str, Literal["y", "z"]] = {"glb": "y", "gltf": "y", "3mf": "z"}

#: Declared size of all members of a 3MF together; XML of 1 GiB costs more than 2 GB of memory.
MAX_UNZIPPED_BYTES = 512 * 1024**2

#: Required glTF extensions that change how geometry is stored and that nothing here decodes.
UNDECODED = ("meshopt", "KHR_mesh_quantization")


# trimesh's stand-ins for nameless parts, and what it adds to names that occur twice.
_MADE_UP = re.compile(r"(?:model|world|geometry|GLTF)(?:_\w+)?$|[0-9a-f]{32}$")
_NUMBERED = re.compile(r"_(?:[0-9a-f]{6}|\d+)$")


def load_scene(path: Path, suffix: str, options: ReadOptions) -> Scene:
    """All nodes of the file's scene, each in its place, with its colours.

    suffix: 'obj', 'ply', … without the dot
    Raises Unreadable for what is too large or uses something that nothing here decodes, and
    Damage.
    """
    data = read_bytes(path, options.max_file_bytes)
    try:
        return _scene(path, suffix, data, options)
    except (UnisearchError, Damage, MemoryError):
        raise
    except Exception as error:
        logger.debug("%s: %s: %s", display(path), type(error).__name__, error)
        raise fault(suffix, data, error) from error


def _scene(path: Path, suffix: str, data: bytes, options: ReadOptions) -> Scene:
    up, names = UP.get(suffix), []
    labels: dict[str, tuple[str, ...]] = {}
    if suffix == "3mf":
        check_zip(path, data, MAX_UNZIPPED_BYTES)
    if suffix in ("glb", "gltf"):
        header = _gltf_header(suffix, data)
        _check_gltf(path, header, options)
        names, labels = gltf_names(header), gltf_labels(header)
    if suffix == "obj":
        names = obj_names(data)
    if suffix == "dae":
        up = _collada_up(data)
    if suffix == "stl":
        data = stl.checked(path, data, options.max_triangles)
    if suffix == "ply":
        data = ply.evened(data)
    beside = OwnFolder(path, options.max_file_bytes)
    with known_formats_only():
        loaded = trimesh.load_scene(
            io.BytesIO(data), file_type=suffix, resolver=beside, process=False
        )
    if beside.failure:
        raise beside.failure
    _check_count(path, loaded, options)
    linear = suffix in ("glb", "gltf")  # glTF 2.0, 3.9.2 and 3.7.2.1: factors are linear light
    parts, clouds = [], []
    for geometry, transform in _placed(loaded):
        if isinstance(geometry, trimesh.PointCloud):
            clouds.append(_cloud(geometry, transform))
        elif isinstance(geometry, trimesh.Trimesh):
            parts.append(_part(geometry, transform, linear, options))
    return Scene(parts, clouds, up, tuple(dict.fromkeys((*_names(loaded), *names))), labels)


def _placed(scene: Any) -> Iterator[tuple[Any, NDArray[np.float64]]]:
    """Each geometry as often as the scene shows it, with its transform (4, 4)."""
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        yield scene.geometry[name], transform


def _names(scene: Any) -> tuple[str, ...]:
    """The names of what is shown, without those that trimesh made up for nameless parts.

    Bones and lights have nodes, too, whose names would find 'foot' in every figure.
    """
    found = [str(name) for pair in _shown(scene) for name in pair]
    known = dict.fromkeys(name for name in found if not _MADE_UP.match(name))
    numbered = {name for name in known if _NUMBERED.sub("", name) in known.keys() - {name}}
    return tuple(name for name in known if name not in numbered)


def _shown(scene: Any) -> Iterator[tuple[Any, Any]]:
    for node in scene.graph.nodes_geometry:
        yield node, scene.graph[node][1]


def _check_count(path: Path, scene: Any, options: ReadOptions) -> None:
    """A small file may show one mesh a million times: counted before anything is copied."""
    total = sum(len(getattr(mesh, "faces", ())) for mesh, _ in _placed(scene))
    if total > options.max_triangles:
        reason = f"{total:,} triangles, the limit is {options.max_triangles:,}"
        raise Unreadable(path, "too_large", reason)


def _moved(points: Any, transform: NDArray[np.float64]) -> NDArray[np.float32]:
    moved = np.asarray(points, dtype=np.float64) @ transform[:3, :3].T + transform[:3, 3]
    return moved.astype(np.float32)


def _cloud(cloud: Any, transform: NDArray[np.float64]) -> CloudPart:
    shown = cloud.colors if cloud.colors is not None and len(cloud.colors) else None
    rgb = None if shown is None else colors.unit_rgb(shown)
    raw = cloud.metadata.get("_ply_raw", {}).get("vertex", {}).get("data")
    normals = None
    if raw is not None and all(_has(raw, axis) for axis in ("nx", "ny", "nz")):
        stacked = np.column_stack([raw[axis] for axis in ("nx", "ny", "nz")])
        normals = (stacked @ np.linalg.inv(transform[:3, :3])).astype(np.float32)
    return CloudPart(_moved(cloud.vertices, transform), normals, rgb)


def _has(data: Any, name: str) -> bool:
    return name in (data if isinstance(data, dict) else (data.dtype.names or ()))


def _part(
    mesh: Any, transform: NDArray[np.float64], linear: bool, options: ReadOptions
) -> MeshPart:
    faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    check_faces(faces, len(mesh.vertices))
    if np.linalg.det(transform[:3, :3]) < 0:
        faces = faces[:, ::-1]  # a mirrored node: keep the outside outside
    rgb = _face_colors(mesh.visual, np.asarray(mesh.faces), linear, options)
    return MeshPart(_moved(mesh.vertices, transform), faces, rgb)


def _face_colors(
    visual: Any, faces: NDArray[Any], linear: bool, options: ReadOptions
) -> NDArray[np.float32] | None:
    """sRGB (f, 3) in [0, 1] of faces as declared, or None.

    linear: factors and vertex colours are linear light (glTF), not sRGB (everything else)
    """
    if visual.kind == "face":
        rgb = colors.unit_rgb(visual.face_colors)
        return rgb if len(rgb) == len(faces) else None  # trimesh cut polygons, not their colours
    if visual.kind == "vertex":
        rgb = colors.unit_rgb(visual.vertex_colors)[faces].mean(axis=1)
        return colors.to_srgb(rgb) if linear else rgb
    if visual.kind != "texture":
        return None
    factor, texture = _material(visual.material, options)
    painted = _texture_colors(texture, visual.uv, faces)
    on_vertices = visual.vertex_attributes.get("color") if linear else None
    if factor is None and painted is None:
        return None
    if not linear:
        # Kd beside map_Kd is often a leftover of the exporter, so the texture alone counts.
        return painted if painted is not None else np.repeat(factor[None], len(faces), axis=0)
    light = np.ones((len(faces), 3), dtype=np.float32)
    light *= 1.0 if factor is None else factor
    light *= 1.0 if painted is None else colors.to_linear(painted)
    if on_vertices is not None and len(on_vertices):
        light *= colors.unit_rgb(on_vertices)[faces].mean(axis=1)
    return colors.to_srgb(light)


def _material(material: Any, options: ReadOptions) -> tuple[Any, NDArray[np.float32] | None]:
    """The colour factor (3,) or None when none is declared, and the texture (h, w, 3) or None."""
    if isinstance(material, trimesh.visual.material.PBRMaterial):
        image, factor = material.baseColorTexture, material.baseColorFactor
        # glTF 2.0, 5.22.1: a material without a factor is white.
        factor = np.ones(3, dtype=np.float32) if factor is None else colors.unit_rgb(factor)[0]
    else:
        image = None if _made_up(material) else material.image
        declared = "kd" in material.kwargs
        factor = colors.unit_rgb(material.diffuse)[0] if declared else None
    texture = None if image is None else colors.texture_pixels(image, options.max_pixels)
    return factor, texture


def _made_up(material: Any) -> bool:
    """Whether trimesh gave texture coordinates without a material its own grey stand-in."""
    stand_in = trimesh.visual.material.empty_material().image
    image = material.image
    return image is not None and image.size == stand_in.size and image == stand_in


def _texture_colors(
    texture: NDArray[np.float32] | None, uv: Any, faces: NDArray[Any]
) -> NDArray[np.float32] | None:
    """The texture under the middle of each face; its mean where the file gives no coordinates."""
    if texture is None:
        return None
    if uv is None or len(uv) <= faces.max(initial=-1):
        mean = texture.reshape(-1, 3).mean(axis=0, dtype=np.float64).astype(np.float32)
        return np.repeat(mean[None], len(faces), axis=0)
    centers = np.asarray(uv, dtype=np.float32)[faces].mean(axis=1)
    return colors.sampled(texture, centers)


def check_zip(path: Path, data: bytes, max_bytes: int) -> None:
    """Refuses an archive that declares more than it may; zipfile never unpacks beyond that."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        declared = sum(member.file_size for member in archive.infolist())
    if declared > max_bytes:
        reason = f"unpacks to {declared:,} bytes, the limit is {max_bytes:,}"
        raise Unreadable(path, "too_large", reason)


def _gltf_header(suffix: str, data: bytes) -> Any:
    return json.loads(
        data[20 : 20 + int.from_bytes(data[12:16], "little")] if suffix == "glb" else data
    )


def _check_gltf(path: Path, header: Any, options: ReadOptions) -> None:
    """Refuses geometry that would be read as zeros, and counts that would fill the memory."""
    for name in header.get("extensionsRequired", ()):
        if any(word in name for word in UNDECODED):
            raise Unreadable(path, "unsupported", f"needs the glTF extension {name}")
    largest = max((int(item.get("count", 0)) for item in header.get("accessors", ())), default=0)
    if largest > 3 * options.max_triangles:
        reason = f"declares {largest:,} values, the limit is {3 * options.max_triangles:,}"
        raise Unreadable(path, "too_large", reason)


def _collada_up(data: bytes) -> Literal["y", "z"] | None:
    """COLLADA 1.4.1: <up_axis> is Y_UP unless the file says otherwise."""
    if b"Z_UP" in data[:65536]:
        return "z"
    return None if b"X_UP" in data[:65536] else "y"
