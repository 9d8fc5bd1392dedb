"""Append-only rows of one partition: row r of EPOCH.keys and EPOCH.f16 belongs together.

Which rows exist is decided elsewhere (the catalogue's count): rows behind the count were
never committed and may be overwritten, rows before it are never touched again. Keys ascend
strictly within an epoch: a key is found by binary search, and none can be there twice.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, RowsGone, VectorError, display
from unisearch.index.durable import append, cut, listed, make_folder, sync_folder
from unisearch.index.halves import to_halves
from unisearch.records import Block

BLOCK_ROWS = 4_096
_KEY = np.dtype("<i8")
_HALF = np.dtype("<f2")
_FILE = re.compile(r"(\d+)\.(?:f16|keys)")


@dataclass(frozen=True, eq=False)
class Rows:
    """The committed rows of an epoch, mapped from the disk, in the order they were added."""

    keys: NDArray[np.int64]  # (count,)
    vectors: NDArray[np.float16]  # (count, dim), unit to 2e-4
    mapped: Sequence[mmap.mmap] = ()  # what vectors and keys lie in; nothing for no rows

    def expect_scattered(self) -> None:
        """From now on rows are fetched here and there: what lies around them is not read ahead."""
        for mapped in self.mapped[:1]:
            mapped.madvise(mmap.MADV_RANDOM)

    def is_cut(self) -> bool:
        """Whether a file is shorter by now: touching the lost pages would end the process.

        One that was compacted away lives on as long as it is mapped.
        """
        return any(mapped.size() < len(mapped) for mapped in self.mapped)

    def fetch(self, parts: Iterable[range]) -> None:
        """Begin to read these rows from the disk, all at the same time, without waiting for it."""
        if not self.mapped:
            return
        size = self.vectors[:1].nbytes
        for part in parts:
            start = part.start * size // mmap.PAGESIZE * mmap.PAGESIZE
            stop = min(part.stop, len(self.keys)) * size
            if start < stop:
                self.mapped[0].madvise(mmap.MADV_WILLNEED, start, stop - start)


class RowFiles:
    """The files of one partition below root/SPACE/MODALITY."""

    def __init__(self, root: Path, space: str, modality: str, dim: int) -> None:
        self.folder = root / space / modality
        self.dim = dim

    def keys_path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.keys"

    def vectors_path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.f16"

    def paths(self, epoch: int) -> list[Path]:
        """The files of an epoch."""
        return [self.vectors_path(epoch), self.keys_path(epoch)]

    def append(
        self,
        epoch: int,
        count: int,
        keys: NDArray[np.int64],
        vectors: NDArray[np.floating],
        tail: Block | None = None,
    ) -> list[Block]:
        """Add rows behind the first `count`, dropping any that lie there; durable on return.

        keys: int64 (n,), ascending and above every committed one
        vectors: floats (n, dim), unit rows
        tail: the committed last block; its stored rows are checked before a checksum over
            them replaces the old one, so that damage is never sealed as right
        Returns the new checksums of the blocks that changed, to be committed with the count.
        Raises VectorError before anything is written, LibraryDamaged for files shorter than
        `count`, which are left as they are, and LibraryError when the system refuses.
        """
        if vectors.shape != (len(keys), self.dim):
            raise VectorError(f"{vectors.shape} vectors for {len(keys)} keys of {self.dim} numbers")
        return self.append_halves(epoch, count, keys, to_halves(vectors), tail)

    def append_halves(
        self,
        epoch: int,
        count: int,
        keys: NDArray[np.int64],
        halves: NDArray[np.float16],
        tail: Block | None = None,
    ) -> list[Block]:
        """`append` for rows as they are stored, whose length was checked before."""
        start = count - count % BLOCK_ROWS
        old_keys, old_halves = self._committed_tail(epoch, start, count, tail)
        self._refuse_old_keys(epoch, count, keys)
        self._write(epoch, count, keys, halves)
        all_keys = np.concatenate([old_keys, keys])
        all_halves = np.concatenate([old_halves, halves])
        return [
            _seal((start + at) // BLOCK_ROWS, all_keys[at:], all_halves[at:])
            for at in range(0, len(all_keys), BLOCK_ROWS)
        ]

    def open(self, epoch: int, count: int) -> Rows:
        """The first `count` rows, mapped read-only; what lies behind them is not seen.

        Raises LibraryDamaged when a file is missing or shorter than that.
        """
        keys, *key_map = self._map(self.keys_path(epoch), _KEY, (count,))
        vectors, *vector_map = self._map(self.vectors_path(epoch), _HALF, (count, self.dim))
        return Rows(keys, vectors, [*vector_map, *key_map])

    def find(self, epoch: int, count: int, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that hold any of these keys, ascending; reads a few pages per key."""
        rows = rows_of(self.open(epoch, count).keys, np.unique(keys))
        return rows[rows >= 0]

    def verify(self, epoch: int, count: int, blocks: Sequence[Block]) -> list[int]:
        """The blocks whose rows are missing, changed, or without a checksum; reads every row."""
        known = {block.block: block for block in blocks}
        damaged = []
        for number in range(-(-count // BLOCK_ROWS)):
            start = number * BLOCK_ROWS
            stop = min(count, start + BLOCK_ROWS)
            expected = known.get(number)
            if expected is None or self._seal_stored(epoch, start, stop) != expected:
                damaged.append(number)
        return damaged

    def cut(self, epoch: int, count: int) -> bool:
        """Drop what an interrupted writer left behind the first `count` rows; whether any was.

        A shorter file stays as it is.
        """
        dropped = [cut(path, count * size) for path, size in self.sizes(epoch)]
        return any(dropped)

    def sizes(self, epoch: int) -> list[tuple[Path, int]]:
        """(file, bytes of a row in it): vectors, then keys."""
        return [
            (self.vectors_path(epoch), self.dim * _HALF.itemsize),
            (self.keys_path(epoch), _KEY.itemsize),
        ]

    def stored(self) -> dict[int, list[Path]]:
        """The files that lie in the folder, by epoch."""
        found: dict[int, list[Path]] = {}
        for path in listed(self.folder):
            if match := _FILE.fullmatch(path.name):
                found.setdefault(int(match[1]), []).append(path)
        return found

    def _refuse_old_keys(self, epoch: int, count: int, keys: NDArray[np.int64]) -> None:
        """Raise VectorError for a key that is not above the one before it."""
        last = self.open(epoch, count).keys[-1:]
        chain = np.concatenate([last, keys])
        stuck = np.flatnonzero(np.diff(chain) <= 0)
        if len(stuck):
            before, key = chain[stuck[0]], chain[stuck[0] + 1]
            raise VectorError(f"key {key} is not above {before}, the one before it: keys ascend")

    def _write(
        self, epoch: int, count: int, keys: NDArray[np.int64], halves: NDArray[np.float16]
    ) -> None:
        make_folder(self.folder)
        stored: list[NDArray[Any]] = [
            halves.astype(_HALF, copy=False),
            keys.astype(_KEY, copy=False),
        ]
        new = [
            append(path, count * size, rows.tobytes())
            for (path, size), rows in zip(self.sizes(epoch), stored, strict=True)
        ]
        if any(new):
            sync_folder(self.folder)

    def _committed_tail(
        self, epoch: int, start: int, count: int, tail: Block | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Keys and vectors of the unfinished last block: rows [start, count)."""
        if count:  # also when that block is empty: a short file is damage from the first row on
            rows = self.open(epoch, count)
        else:
            rows = Rows(np.empty(0, np.int64), np.empty((0, self.dim), np.float16))
        keys, halves = np.array(rows.keys[start:]), np.array(rows.vectors[start:])
        if tail is not None and len(keys) and _seal(tail.block, keys, halves) != tail:
            where = display(self.vectors_path(epoch))
            raise LibraryDamaged(f"{where}: rows {start} to {count} differ from their checksum")
        return keys, halves

    def _seal_stored(self, epoch: int, start: int, stop: int) -> Block | None:
        try:
            rows = self.open(epoch, stop)
        except LibraryDamaged:
            return None
        return _seal(start // BLOCK_ROWS, rows.keys[start:], rows.vectors[start:])

    def _map(
        self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> tuple[NDArray[Any], *tuple[mmap.mmap, ...]]:
        need = dtype.itemsize * int(np.prod(shape))
        if need == 0:  # an empty range cannot be mapped, and there may be no file yet
            return (np.empty(shape, dtype),)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < need:
                    where = display(path)
                    raise LibraryDamaged(f"{where} has {size} bytes of {need}: rows are lost")
                mapped = mmap.mmap(file.fileno(), need, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise RowsGone(f"{display(path)} is missing: {shape[0]} rows are lost") from None
        return np.frombuffer(mapped, dtype).reshape(shape), mapped


def rows_of(stored: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each of these keys, -1 for one that is not there.

    stored: int64 (count,), as they lie in the file: ascending
    """
    if not len(stored):
        return np.full(len(keys), -1, np.int64)
    at = np.minimum(np.searchsorted(stored, keys), len(stored) - 1)
    return np.where(stored[at] == keys, at, -1)


def ascend(keys: NDArray[np.int64]) -> bool:
    """Whether each of these stored keys is above the one before it, as all are when written."""
    return bool((keys[1:] > keys[:-1]).all())


def is_sound(rows: Rows, block: Block) -> bool:
    """Whether the rows of that block are as they were when it was sealed."""
    start = block.block * BLOCK_ROWS
    stop = start + block.rows
    return _seal(block.block, rows.keys[start:stop], rows.vectors[start:stop]) == block


def _seal(number: int, keys: NDArray[np.int64], halves: NDArray[np.float16]) -> Block:
    """The block that starts with these rows: at most BLOCK_ROWS of them count."""
    keys, halves = keys[:BLOCK_ROWS], halves[:BLOCK_ROWS]
    # The mapped pages themselves: a copy of each block that is looked at would add up.
    digest = xxhash.xxh3_128(np.ascontiguousarray(keys, _KEY).data)
    digest.update(np.ascontiguousarray(halves, _HALF).data)
    return Block(number, len(keys), digest.digest())
