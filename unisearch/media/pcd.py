"""The PCD format of the Point Cloud Library, version 0.7: ascii, binary and binary_compressed.

Source: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import display
from unisearch.media.damage import Damage
from unisearch.media.rows import numbers

_HEADER_BYTES = 4096


def read_pcd(
    data: bytes,
) -> tuple[NDArray[np.float32], NDArray[Any] | None, NDArray[Any] | None]:
    """Points (n, 3), normals (n, 3) or None, colours uint8 (n, 3) or None.

    Points that are not finite are left out: the format marks missing measurements that way.
    Raises Damage for anything that is not PCD.
    """
    fields, start = _header(data)
    try:
        count, dtype = int(fields["POINTS"][0]), _dtype(fields)
        kind = fields["DATA"][0]
    except (LookupError, TypeError, ValueError) as error:
        raise Damage("its PCD header contradicts itself") from error
    if not {"x", "y", "z"} <= set(dtype.names or ()):
        raise Damage("its PCD header names no columns x, y and z")
    if count < 1:
        raise Damage("its PCD header declares no points")
    if count * dtype.itemsize > 64 * max(len(data) - start, 1):
        raise Damage(_too_short(count))
    rows = _rows(kind, data, start, dtype, count)
    names = dtype.names or ()
    points = np.column_stack([rows[axis] for axis in "xyz"]).astype(np.float32)
    seen = np.isfinite(points).all(axis=1)
    normals = rgb = None
    if {"normal_x", "normal_y", "normal_z"} <= set(names):
        normals = np.column_stack([rows[f"normal_{axis}"] for axis in "xyz"])[seen]
    packed = next((name for name in ("rgb", "rgba") if name in names), None)
    if packed:
        rgb = _unpacked(rows[packed])[seen]
    return points[seen], normals, rgb


def _header(data: bytes) -> tuple[dict[str, list[str]], int]:
    """The words behind each name, and where the header ends."""
    fields: dict[str, list[str]] = {}
    position = 0
    while "DATA" not in fields:
        end = data.find(b"\n", position, position + _HEADER_BYTES)
        if end < 0 or position > _HEADER_BYTES:
            raise Damage("it has no PCD header")
        words = data[position:end].decode("utf-8", "replace").split()
        position = end + 1
        if words and not words[0].startswith("#"):
            fields[words[0].upper()] = words[1:]
    missing = {"FIELDS", "SIZE", "TYPE", "POINTS"} - fields.keys()
    if missing:
        raise Damage(f"its PCD header has no {', '.join(sorted(missing))}")
    return fields, position


def _too_short(count: int) -> str:
    return f"it declares {count:,} points, but is too short for them"


def _dtype(fields: dict[str, list[str]]) -> np.dtype[Any]:
    counts = fields.get("COUNT", ["1"] * len(fields["FIELDS"]))
    kinds = {"F": "f", "I": "i", "U": "u"}
    columns = []
    described = zip(fields["FIELDS"], fields["TYPE"], fields["SIZE"], counts, strict=True)
    for place, (name, kind, size, count) in enumerate(described):
        unique = f"_{place}" if name == "_" else name  # padding fields share one name
        columns.append((unique, f"<{kinds[kind]}{int(size)}", (int(count),)))
    return np.dtype([(n, t) if c == (1,) else (n, t, c) for n, t, c in columns])


def _rows(kind: str, data: bytes, start: int, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    body = memoryview(data)[start:]
    if kind == "binary":
        if count * dtype.itemsize > len(body):
            raise Damage(_too_short(count))
        return np.frombuffer(body, dtype=dtype, count=count)
    if kind == "binary_compressed":
        packed, unpacked = (int.from_bytes(body[i : i + 4], "little") for i in (0, 4))
        if unpacked != count * dtype.itemsize:
            raise Damage("its declared sizes contradict each other")
        return _columns(_lzf(bytes(body[8 : 8 + packed]), unpacked), dtype, count)
    if kind == "ascii":
        above = data.count(b"\n", 0, start)
        lines = bytes(body).decode("ascii").splitlines()[:count]
        return numbers(lines, above, dtype)  # structured rows keep packed colours exact
    raise Damage(f"its data is of the unknown kind '{display(kind)[:20]}'")


def _columns(data: bytes, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """Compressed files keep each field of all points together."""
    rows = np.empty(count, dtype=dtype)
    position = 0
    for name in dtype.names or ():
        block = dtype[name]
        rows[name] = np.frombuffer(data, dtype=block, count=count, offset=position)
        position += count * block.itemsize
    return rows


def _lzf(data: bytes, size: int) -> bytes:
    """LZF as in liblzf: runs of literals and references back into what is already unpacked.

    Raises Damage when that is not `size` bytes.
    """
    out = bytearray()
    position = 0
    while position < len(data) and len(out) <= size:
        control = data[position]
        position += 1
        if control < 32:
            out += data[position : position + control + 1]
            position += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[position]
            position += 1
        distance = ((control & 31) << 8) + data[position] + 1
        position += 1
        start = len(out) - distance
        if start < 0:
            raise Damage("its compressed data is damaged")
        for offset in range(start, start + length + 2):
            out.append(out[offset])
    if len(out) != size:
        raise Damage("its compressed data is damaged")
    return bytes(out)


def _unpacked(packed: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours that PCL packs into the bits of one number, as bytes (n, 3)."""
    bits = np.ascontiguousarray(packed).view(np.uint32)
    return np.stack([(bits >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)
