"""Clouds of points from .npy, .npz, .xyz and .pcd files. Nothing in them is ever run."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unisearch.errors import UnisearchError, Unreadable
from unisearch.media import colors
from unisearch.media.damage import Damage
from unisearch.media.files import read_bytes
from unisearch.media.parts import check_coordinates
from unisearch.media.pcd import read_pcd
from unisearch.media.rows import numbers
from unisearch.records import PointSample, ReadOptions

PICKLED = (
    "holds a pickled object, which could run code when opened; if it is a published point "
    "cloud, convert it: unisearch import-pointcloud FILE.npy OUT.ply"
)

_POINT_KEYS = ("xyz", "points", "pos", "vertices", "coords")
_COLOR_KEYS = ("rgb", "colors", "color")
_NORMAL_KEYS = ("normals", "normal")


def load_cloud(path: Path, options: ReadOptions) -> PointSample:
    """The points of a file with their colours and normals where it has them.

    Raises Unreadable; kind 'unsupported' for pickled arrays, whose reason names the converter.
    """
    data = read_bytes(path, options.max_file_bytes)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        with _in_our_words():
            return _from_npz(path, data, options)
    if suffix == ".pcd":
        points, normals, rgb = read_pcd(data)
        return checked_cloud(path, points, normals, rgb)
    table = _array(path, data) if suffix == ".npy" else _from_text(data)
    return _from_table(path, table)


def checked_cloud(path: Path, points: Any, normals: Any, rgb: Any) -> PointSample:
    """The cloud as float32, after checking that it has points, finite ones, and some size.

    Normals and colours that do not match the points in number or are not finite are left out.
    """
    points = np.asarray(points, dtype=np.float32)
    if points.ndim != 2 or points.shape[1] != 3:
        raise Unreadable(path, "corrupt", "its points are not rows of three numbers")
    if not len(points):
        raise Unreadable(path, "corrupt", "the cloud has no points")
    check_coordinates(points)
    if not float(np.ptp(points.astype(np.float64), axis=0).max()) > 0.0:
        raise Unreadable(path, "corrupt", "the cloud has no size: all points are one")
    return PointSample(points, _unit(normals, len(points)), _rgb(rgb, len(points)))


def _unit(normals: Any, count: int) -> NDArray[np.float32] | None:
    if normals is None or np.shape(normals) != (count, 3):
        return None
    rows = np.asarray(normals, dtype=np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(length).all() or not length.any():
        return None
    unit: NDArray[np.float32] = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return unit


def _rgb(rgb: Any, count: int) -> NDArray[np.float32] | None:
    """Integers are scaled by their type; floats above 1 are read as 0 to 255."""
    if rgb is None or np.shape(rgb)[:1] != (count,) or np.shape(rgb)[1] not in (3, 4):
        return None
    array = np.asarray(rgb)
    if not np.isfinite(array).all():
        return None
    if array.dtype.kind == "i" or (array.dtype.kind == "f" and array.max() > 1.0):
        array = array.astype(np.float32) / 255.0
    return colors.unit_rgb(array)


def _array(path: Path, data: bytes) -> NDArray[Any]:
    """The array in an .npy file; its header is looked at before anything is read."""
    if not data.startswith(npy.MAGIC_PREFIX):
        if data[:1] == b"\x80":  # the first byte of every binary pickle
            raise Unreadable(path, "unsupported", PICKLED)
        raise Damage("it has no numpy header")
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
    except Exception as error:  # numpy hands what stands there to Python's own parser
        raise Damage("its numpy header is damaged") from error
    if dtype.hasobject:
        raise Unreadable(path, "unsupported", PICKLED)
    if math.prod(shape) * dtype.itemsize > len(data) - file.tell():
        declared = " x ".join(map(str, shape))
        raise Damage(f"its header declares {declared} values, but it ends before them")
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))


@contextmanager
def _in_our_words() -> Iterator[None]:
    """zipfile raises a dozen kinds of errors for damage."""
    try:
        yield
    except (UnisearchError, Damage, MemoryError):
        raise
    except Exception as error:
        raise Damage("its zip archive is damaged") from error


def _from_npz(path: Path, data: bytes, options: ReadOptions) -> PointSample:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        declared = sum(member.file_size for member in archive.infolist())
        if declared > options.max_file_bytes:
            reason = f"unpacks to {declared:,} bytes, the limit is {options.max_file_bytes:,}"
            raise Unreadable(path, "too_large", reason)
        members = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}

        def pick(keys: tuple[str, ...]) -> NDArray[Any] | None:
            found = next((members[key] for key in keys if key in members), None)
            return None if found is None else _array(path, archive.read(found))

        points = pick(_POINT_KEYS)
        if points is None and len(members) == 1:
            return _from_table(path, _array(path, archive.read(next(iter(members.values())))))
        if points is None:
            raise Unreadable(
                path, "unsupported", f"has none of the arrays {', '.join(_POINT_KEYS)}"
            )
        return checked_cloud(path, points, pick(_NORMAL_KEYS), pick(_COLOR_KEYS))


def _from_text(data: bytes) -> NDArray[Any]:
    """Rows of numbers, separated by blanks, commas or semicolons; '#' and '//' begin comments."""
    text = data.decode("utf-8-sig").replace(",", " ").replace(";", " ").replace("//", "#")
    lines = text.splitlines()
    if lines and lines[0].strip().isdigit():  # some programs write the count first
        return numbers(lines[1:], above=1)
    return numbers(lines)


def _from_table(path: Path, table: NDArray[Any]) -> PointSample:
    """Columns x y z, then up to two groups of three: normals or colours, told by their values.

    A single column between (an intensity) is left out, as published clouds have it.
    """
    if table.dtype.names:
        table = np.column_stack([table[name] for name in table.dtype.names])
    if (
        table.ndim != 2
        or table.shape[1] not in (3, 4, 6, 7, 9, 10)
        or table.dtype.kind not in "fiu"
    ):
        reason = "its numbers are not rows of x y z, with normals and colours behind them or not"
        raise Unreadable(path, "unsupported", reason)
    extra = table[:, 3 + table.shape[1] % 3 :]
    normals = rgb = None
    for group in (extra[:, start : start + 3] for start in range(0, extra.shape[1], 3)):
        length = np.linalg.norm(group.astype(np.float64), axis=1)
        if np.abs(np.median(length) - 1.0) < 0.01:
            normals = group
        elif group.min() >= 0 and group.max() <= 255:
            rgb = group
    return checked_cloud(path, table[:, :3], normals, rgb)
