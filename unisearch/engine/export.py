"""The live rows of a library in files that other programs read: npz or Parquet."""

from __future__ import annotations

import math
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.rows import PartitionRow, SegmentRow, State
from unisearch.catalog.view import View
from unisearch.engine.live import Held, holding
from unisearch.errors import MissingExtra, UnisearchError, display
from unisearch.index import durable
from unisearch.records import Modality
from unisearch.wiring import Rooms

FORMATS = ("npz", "parquet")
#: Of two versions of a space the first of these is meant.
STATES: tuple[State, ...] = ("active", "left", "building")
_CHUNK = 1 << 20  # bytes copied at once


@dataclass(frozen=True, eq=False)
class Part:
    """Some live rows of one partition: keys (n,), vectors (n, dim), and the segment of each."""

    modality: Modality
    keys: NDArray[np.int64]
    vectors: NDArray[np.float16]
    segments: Sequence[SegmentRow]


def export(rooms: Rooms, out: Path, kind: str, modalities: Sequence[Modality]) -> int:
    """Write the live rows of the configured space; how many there are.

    kind: of FORMATS. One committed state is written, a few thousand rows at a time in memory; a
    file that several items share stands under the path of the first one.
    Raises LibraryDamaged for damaged rows, MissingExtra for Parquet without its package, and
    UnisearchError for a library without vectors of that space.
    """
    if kind == "parquet":
        _parquet()  # before any work
    with holding(rooms, lambda view: _partitions(rooms, view, modalities)) as (view, held):
        partitions = [one.partition for one in held]
        parts = (part for one in held for part in _parts(view, one))
        write = _write_parquet if kind == "parquet" else _write_npz
        counts: list[int] = []
        durable.write_atomically(
            out, lambda file: counts.append(write(file, parts, partitions[0], out.parent))
        )
    return counts[0]


def _partitions(rooms: Rooms, view: View, modalities: Sequence[Modality]) -> list[PartitionRow]:
    """The wanted partitions of the configured space, which has at least one: of several versions,
    of the one that answers."""
    wanted_space, rows = rooms.settings.space, view.spaces()
    named = [row for row in rows if row.name == wanted_space and row.state in STATES]
    named.sort(key=lambda row: STATES.index(row.state))
    partitions = view.all_partitions()
    ours = [one for one in partitions if named and one.space == named[0].id]
    if not ours:
        held = ", ".join(dict.fromkeys(row.name for row in rows)) or "none"
        where = display(rooms.library)
        reason = f"holds no vectors of the space '{wanted_space}', but of: {held}"
        raise UnisearchError(f"{where}: {reason}")
    wanted = [one for one in ours if one.modality in modalities]
    if not wanted:
        listed = ", ".join(one.modality for one in ours)
        raise UnisearchError(f"nothing to export: the library holds {listed}")
    return wanted


def _parts(view: View, held: Held) -> Iterator[Part]:
    for keys, vectors in held.live():
        known = view.hits(keys.tolist())
        here = np.array([key in known for key in keys.tolist()], np.bool_)
        segments = [known[key] for key in keys[here].tolist()]
        yield Part(held.partition.modality, keys[here], vectors[here], segments)


# npz: every column grows in a file of its own, then they are put together.


class _Column:
    """One array of the npz, collected part by part."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (see close)
        self._parts: list[tuple[np.dtype[Any], int]] = []  # type and bytes of each part
        self._shape: tuple[int, ...] = ()
        self._rows = 0

    def add(self, values: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(values).tobytes())
        self._parts.append((values.dtype, values.nbytes))
        self._shape = values.shape[1:]
        self._rows += len(values)

    def write(self, into: IO[bytes]) -> None:
        """The whole as .npy. Texts get the width of the longest one."""
        dtype = max((kind for kind, _ in self._parts), key=lambda kind: kind.itemsize)
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_2_0(into, {**header, "shape": (self._rows, *self._shape)})
        self._file.seek(0)
        for kind, size in self._parts:
            step = max(1, _CHUNK // kind.itemsize) * kind.itemsize
            for at in range(0, size, step):
                part = np.frombuffer(self._file.read(min(step, size - at)), kind)
                into.write(part.astype(dtype, copy=False).tobytes())

    def close(self) -> None:
        self._file.close()


def _write_npz(file: BinaryIO, parts: Iterator[Part], first: PartitionRow, folder: Path) -> int:
    columns: dict[str, _Column] = {}
    count = 0
    try:
        for part in _with_empty(parts, first):
            for name, values in _arrays(part, first.space).items():
                if name not in columns:
                    columns[name] = _Column(folder)
                columns[name].add(values)
            count += len(part.keys)
        with zipfile.ZipFile(file, "w") as archive:
            for name, column in columns.items():
                info = zipfile.ZipInfo(f"{name}.npy")
                if name == "path":  # mostly padding
                    info.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info, "w", force_zip64=True) as member:
                    column.write(member)
    finally:
        for column in columns.values():
            column.close()
    return count


def _with_empty(parts: Iterator[Part], first: PartitionRow) -> Iterator[Part]:
    """The parts behind one without rows, from which an empty library gets its columns."""
    none = np.empty(0, np.int64)
    yield Part(first.modality, none, np.empty((0, first.dim), np.float16), [])
    yield from parts


def _arrays(part: Part, space: str) -> dict[str, NDArray[Any]]:
    """The columns of the npz; texts are bytes, UTF-8 but for paths."""
    rows = part.segments
    return {
        "key": part.keys,
        "vector": part.vectors,
        "item": np.array([row.item for row in rows], np.int64),
        "path": _bytes([row.path for row in rows]),
        "modality": _bytes([part.modality.encode()] * len(rows)),
        "start_s": _seconds([row.start_s for row in rows]),
        "end_s": _seconds([row.end_s for row in rows]),
        "copies": np.array([row.copies for row in rows], np.int64),
        "space": _bytes([space.encode()] * len(rows)),
    }


def _bytes(values: list[bytes]) -> NDArray[Any]:
    return np.array(values, np.bytes_) if values else np.empty(0, "S1")


def _seconds(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], np.float64)


# Parquet


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("parquet", ["parquet"]) from None
    return pyarrow


def _write_parquet(file: BinaryIO, parts: Iterator[Part], first: PartitionRow, folder: Path) -> int:
    del folder
    arrow = _parquet()
    schema = arrow.schema([
        ("key", arrow.int64()),
        ("item", arrow.int64()),
        ("path", arrow.string()),
        ("path_bytes", arrow.binary()),
        ("modality", arrow.string()),
        ("start_s", arrow.float64()),
        ("end_s", arrow.float64()),
        ("copies", arrow.int64()),
        ("space", arrow.string()),
        ("vector", arrow.list_(arrow.float32(), first.dim)),
    ])  # fmt: skip
    count = 0
    with arrow.parquet.ParquetWriter(arrow.PythonFile(file, "w"), schema) as writer:
        for part in parts:
            writer.write_table(arrow.table(_columns(arrow, part, first), schema=schema))
            count += len(part.keys)
    return count


def _columns(arrow: Any, part: Part, first: PartitionRow) -> dict[str, Any]:
    rows = part.segments
    flat = arrow.array(part.vectors.astype(np.float32).ravel())
    return {
        "key": part.keys,
        "item": [row.item for row in rows],
        "path": [display(row.path) for row in rows],
        "path_bytes": [row.path for row in rows],
        "modality": [part.modality] * len(rows),
        "start_s": [row.start_s for row in rows],
        "end_s": [row.end_s for row in rows],
        "copies": [row.copies for row in rows],
        "space": [first.space] * len(rows),
        "vector": arrow.FixedSizeListArray.from_arrays(flat, first.dim),
    }
