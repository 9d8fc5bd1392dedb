"""USD models through pxr (usd-core): triangles in the coordinates of the stage, with colours.

Runs in a process of its own, see usd.py: pxr ends its process on some damaged files.
"""

from __future__ import annotations

import os
import pickle
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Tf, Usd, UsdGeom, UsdUtils

from unisearch.errors import Unreadable
from unisearch.media.damage import Damage
from unisearch.media.files import read_bytes
from unisearch.media.parts import MeshPart, Scene
from unisearch.media.polygons import fan
from unisearch.media.usd_colors import face_colors
from unisearch.media.usd_layers import checked_layers, plainly_named
from unisearch.records import ReadOptions

#: What moves is taken at its first moment, what does not at its only value.
TIME = Usd.TimeCode.EarliestTime()

#: Where USD tells the place of an error in a text, and what it says of other versions.
_PARSED = re.compile(r":(\d+):\d+: parse error")
_OTHER_VERSION = re.compile(r"version mismatch|obsolete version")

#: What reading may take on a machine of little memory.
MIN_MEMORY_BYTES = 4 * 1024**3

#: Stand-ins for other programs and helpers for authors; nobody is meant to see them.
_NOT_SHOWN = ("proxy", "guide")


def read_stage(path: Path, options: ReadOptions) -> Scene:
    """All visible meshes of the stage as triangles, each in its place; instances as often as shown.

    Subdivision is ignored: the surface is that of the control polygons.
    Raises Unreadable for a layer outside the file's folder and for too many triangles,
    Damage and MemoryError.
    """
    data = read_bytes(path, options.max_file_bytes)
    quiet = UsdUtils.CoalescingDiagnosticDelegate()  # USD prints its warnings without one
    try:
        with plainly_named(path, data) as place:
            del data
            layers = checked_layers(path, place)
            return _read(path, Usd.Stage.Open(layers[0]), options)
    except Tf.ErrorException as error:
        raise _told(error) from None
    finally:
        quiet.TakeUncoalescedDiagnostics()


def _told(error: Any) -> Exception:
    """USD's errors without the lines and names of its own source that its text is full of."""
    text = "; ".join(part.commentary for part in error.args)
    if "bad_alloc" in text:
        return MemoryError(text)
    if place := _PARSED.search(text):
        return Damage(f"its text is broken in line {place[1]}")
    if _OTHER_VERSION.search(text):
        return Damage("it is of a version of USD that is not read")
    return Damage("its data is damaged")


def _read(path: Path, stage: Any, options: ReadOptions) -> Scene:
    cache = UsdGeom.XformCache(TIME)
    shown = _counted(path, _placed(stage.GetPseudoRoot(), cache, Gf.Matrix4d(1.0)), options)
    parts = [_part(mesh, matrix) for mesh, matrix in shown]
    names = dict.fromkeys(name for mesh, _ in shown for name in _names(mesh.GetPrim()))
    up = UsdGeom.GetStageUpAxis(stage)
    return Scene(parts, [], "z" if up == UsdGeom.Tokens.z else "y", tuple(names))


def _placed(root: Any, cache: Any, beyond: Any) -> Iterator[tuple[Any, Any]]:
    """Each visible mesh under `root` with its matrix for row vectors.

    beyond: what follows the place in the stage; the identity outside of point instancers
    """
    prims = iter(Usd.PrimRange(root, Usd.TraverseInstanceProxies()))
    for prim in prims:
        if prim.IsA(UsdGeom.PointInstancer):
            prims.PruneChildren()  # they are patterns: shown only where it puts them
            yield from _instances(UsdGeom.PointInstancer(prim), cache, beyond)
        elif prim.IsA(UsdGeom.Mesh) and _is_shown(prim):
            yield UsdGeom.Mesh(prim), cache.GetLocalToWorldTransform(prim) * beyond


def _is_shown(prim: Any) -> bool:
    imageable = UsdGeom.Imageable(prim)
    hidden = imageable.ComputeVisibility(TIME) == UsdGeom.Tokens.invisible
    return not hidden and imageable.ComputePurpose() not in _NOT_SHOWN


def _instances(instancer: Any, cache: Any, beyond: Any) -> Iterator[tuple[Any, Any]]:
    prim = instancer.GetPrim()
    chosen = instancer.GetProtoIndicesAttr().Get(TIME)
    if chosen is None or not _is_shown(prim):
        return
    matrices = instancer.ComputeInstanceTransformsAtTime(
        TIME, TIME, UsdGeom.PointInstancer.IncludeProtoXform, UsdGeom.PointInstancer.IgnoreMask
    )
    mask = instancer.ComputeMaskAtTime(TIME) or [True] * len(chosen)
    patterns = [
        prim.GetStage().GetPrimAtPath(target)
        for target in instancer.GetPrototypesRel().GetForwardedTargets()
    ]
    outer = cache.GetLocalToWorldTransform(prim) * beyond
    for number, matrix, wanted in zip(chosen, matrices, mask, strict=True):
        pattern = patterns[number]
        if wanted and pattern:
            own = cache.GetLocalToWorldTransform(pattern).GetInverse()
            yield from _placed(pattern, cache, own * matrix * outer)


def _counted(
    path: Path, placed: Iterator[tuple[Any, Any]], options: ReadOptions
) -> list[tuple[Any, Any]]:
    """A small file may show one mesh a million times: counted before anything is copied."""
    shown, total = [], 0
    for mesh, matrix in placed:
        triangles = int(np.maximum(_integers(mesh.GetFaceVertexCountsAttr()) - 2, 0).sum())
        total += triangles
        if total > options.max_triangles:
            reason = f"more than {options.max_triangles:,} triangles, which is the limit"
            raise Unreadable(path, "too_large", reason)
        if triangles:
            shown.append((mesh, matrix))
    return shown


def _part(mesh: Any, matrix: Any) -> MeshPart:
    counts = _integers(mesh.GetFaceVertexCountsAttr())
    index = _integers(mesh.GetFaceVertexIndicesAttr())
    if (counts < 0).any() or counts.sum() != len(index):
        raise Damage("the corners of a mesh do not match its faces")
    corners, polygon = fan(np.stack([np.cumsum(counts) - counts, counts], axis=1))
    rgb = face_colors(mesh, TIME, index, corners, polygon)
    faces = index[corners]
    left_handed = mesh.GetOrientationAttr().Get(TIME) == UsdGeom.Tokens.leftHanded
    if left_handed != (matrix.GetDeterminant3() < 0):
        faces = faces[:, ::-1]  # keep the outside outside
    return MeshPart(_moved(mesh, matrix), faces, rgb)


def _moved(mesh: Any, matrix: Any) -> NDArray[np.float32]:
    held = mesh.GetPointsAttr().Get(TIME)
    points = np.asarray([] if held is None else held, dtype=np.float64).reshape(-1, 3)
    rows = np.array(matrix, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused later
        return (points @ rows[:3, :3] + rows[3, :3]).astype(np.float32)


def _integers(attribute: Any) -> NDArray[np.int64]:
    held = attribute.Get(TIME)
    return np.asarray([] if held is None else held, dtype=np.int64)


def _names(prim: Any) -> Iterator[str]:
    """What the author called the mesh and what it stands in."""
    for named in (prim.GetParent(), prim):
        if not named.IsPseudoRoot():
            yield str(named.GetDisplayName() or named.GetName())


def answer() -> None:
    """Reads (path, options) on stdin; writes the Scene, or what was raised, to stdout; pickled."""
    path, options = pickle.load(sys.stdin.buffer)
    _limit_memory()
    try:
        found: Scene | Exception = read_stage(Path(path), options)
    except Exception as error:
        found = error.with_traceback(None)
        found.__cause__ = found.__context__ = None
    try:
        told = pickle.dumps(found)
    except Exception:  # some errors of libraries cannot travel; what they say is not told anyway
        told = pickle.dumps(ValueError(type(found).__name__))
    sys.stdout.buffer.write(told)


def _limit_memory() -> None:
    """Damaged bytes may ask for any amount; then it is this file that fails, not the machine."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = max(physical // 2, MIN_MEMORY_BYTES)
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
