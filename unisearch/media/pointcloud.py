"""Published point clouds, pickled numpy dictionaries, into PLY files.

Source of the form: the demo clouds of MCR-PEFT/Ex-MCR (OpenShape's packaging of Objaverse): an
.npy file holding one pickled dict with `xyz` and `rgb`, both (n, 3) floats, and captions.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unisearch.errors import UnisearchError, Unreadable, display
from unisearch.media.damage import broken
from unisearch.media.files import guarded, read_bytes
from unisearch.media.inert import InertArray, Refused, unpickled

MAX_BYTES = 1024**3
_WANTED = "published point cloud"


def convert(source: Path, target: Path) -> int:
    """Writes the points and colours of `source` as a binary PLY file; returns how many.

    Nothing in the pickle can run: it can build plain values and arrays of numbers only.
    Raises Unreadable when the source is not exactly the published form, UnisearchError when
    the target exists (nothing is ever overwritten) or cannot be written.
    """
    if target.suffix.lower() != ".ply":
        raise UnisearchError(f"{display(target)}: the target's name must end in .ply")
    data = read_bytes(source, MAX_BYTES)
    with guarded(source, _WANTED):
        points, rgb = _published(source, data)
    _write_ply(target, points, rgb)
    return len(points)


def _published(source: Path, data: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    if not data.startswith(npy.MAGIC_PREFIX):
        raise broken(source, _WANTED, f"not a {_WANTED}: no numpy array")
    file = io.BytesIO(data)
    if npy.read_magic(file) != (1, 0):
        raise Unreadable(source, "unsupported", f"not a {_WANTED}: another numpy version")
    try:
        shape, _, dtype = npy.read_array_header_1_0(file)
    except Exception as error:  # numpy hands what stands there to Python's own parser
        raise Unreadable(source, "corrupt", "its numpy header is damaged") from error
    if not dtype.hasobject or shape != ():
        raise Unreadable(source, "unsupported", f"not a {_WANTED}: no pickled dictionary in it")
    try:
        content = unpickled(file)
    except Refused as error:
        raise Unreadable(source, "unsupported", f"not a {_WANTED}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:
        raise Unreadable(source, "corrupt", "its pickle is damaged or ends early") from error
    if isinstance(content, InertArray):
        content = content.only()
    if not isinstance(content, dict):
        raise Unreadable(source, "unsupported", f"not a {_WANTED}: it holds no dictionary")
    points = _column(source, content, "xyz")
    rgb = _column(source, content, "rgb")
    if points.shape != rgb.shape or not len(points):
        raise Unreadable(source, "corrupt", "xyz and rgb have different numbers of points, or none")
    if not float(rgb.min()) >= 0.0 or not float(rgb.max()) <= 1.0:
        raise Unreadable(source, "corrupt", "rgb is outside 0 to 1")
    return points, np.rint(rgb * 255).astype(np.uint8)


def _column(source: Path, content: dict[Any, Any], name: str) -> NDArray[np.float32]:
    array = content.get(name)
    values = array.numbers() if isinstance(array, InertArray) else None
    if values is None or values.ndim != 2 or values.shape[1] != 3 or values.dtype.kind not in "fiu":
        raise Unreadable(source, "unsupported", f"not a {_WANTED}: '{name}' is not (n, 3) numbers")
    floats = values.astype(np.float32)
    if not np.isfinite(floats).all():
        raise Unreadable(source, "corrupt", f"'{name}' holds values that are not finite")
    return floats


def _write_ply(target: Path, points: NDArray[np.float32], rgb: NDArray[np.uint8]) -> None:
    """PLY 1.0, binary: http://paulbourke.net/dataformats/ply/"""
    columns = [(axis, "<f4") for axis in "xyz"] + [
        (name, "u1") for name in ("red", "green", "blue")
    ]
    rows = np.empty(len(points), dtype=columns)
    for place, axis in enumerate("xyz"):
        rows[axis] = points[:, place]
    for place, name in enumerate(("red", "green", "blue")):
        rows[name] = rgb[:, place]
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {name}" for name in ("red", "green", "blue")]
    header = "\n".join([*lines, "end_header", ""]).encode("ascii")
    try:
        with target.open("xb") as file:
            file.write(header + rows.tobytes())
    except FileExistsError as error:
        raise UnisearchError(f"{display(target)}: exists already and is not overwritten") from error
    except OSError as error:
        raise UnisearchError(f"{display(target)}: cannot be written: {error.strerror}") from error
