"""What is wrong with the files of a partition: rows and keys, snapshots, and strays beside them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, display
from unisearch.index import durable
from unisearch.index.rows import BLOCK_ROWS, RowFiles
from unisearch.index.snapshot import Manifest, SnapshotFolder
from unisearch.records import Block, PartitionState


@dataclass(frozen=True, eq=False)
class RowsCheck:
    """The stored rows of an epoch beside what is committed.

    torn: what is missing of the files, a line each
    count: rows that were looked at: the committed ones, up to the last block of which some is there
    damaged: blocks that differ from their checksum, have none, or are not there
    sound: rows of the other blocks whose key is above all before it, and these `keys`
    disorder: how many rows of the other blocks have a key that is not
    behind: bytes behind the committed rows
    """

    torn: Sequence[str]
    count: int
    damaged: Sequence[int]
    sound: NDArray[np.int64]
    keys: NDArray[np.int64]
    disorder: int
    behind: int


def check_rows(files: RowFiles, state: PartitionState, blocks: Sequence[Block]) -> RowsCheck:
    """Reads every committed row."""
    # A damaged catalogue may tell of more rows than any disk holds.
    count = min(state.count, -(-_stored(files, state.epoch) // BLOCK_ROWS) * BLOCK_ROWS)
    damaged = files.verify(state.epoch, count, blocks)
    flags = np.ones(count, np.bool_)
    for block in damaged:
        flags[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS] = False
    sound = np.flatnonzero(flags)
    # What is behind the last sound row may not be there.
    stop = int(sound[-1]) + 1 if len(sound) else 0
    keys = np.array(files.open(state.epoch, stop).keys[sound])
    above = np.maximum.accumulate(keys)
    rises = np.ones(len(keys), np.bool_)
    rises[1:] = keys[1:] > above[:-1]
    return RowsCheck(
        torn=_torn(files, state),
        count=count,
        damaged=damaged,
        sound=sound[rises],
        keys=keys[rises],
        disorder=int((~rises).sum()),
        behind=_behind(files, state),
    )


def _stored(files: RowFiles, epoch: int) -> int:
    """How many rows are there in both files."""
    return min(
        (durable.size_of(path) or 0) // size if size else 0 for path, size in files.sizes(epoch)
    )


def _torn(files: RowFiles, state: PartitionState) -> list[str]:
    """Which of the two files is missing or short."""
    found = []
    for path, row_bytes in files.sizes(state.epoch):
        need = row_bytes * state.count
        size = durable.size_of(path)
        if need and size is None:
            found.append(f"{display(path)} is missing")
        elif need and size is not None and size < need:
            found.append(f"{display(path)} has {size:,} bytes of {need:,}")
    return found


def _behind(files: RowFiles, state: PartitionState) -> int:
    sizes = [(path, size * state.count) for path, size in files.sizes(state.epoch)]
    return sum(max(0, (durable.size_of(path) or 0) - need) for path, need in sizes)


@dataclass(frozen=True, eq=False)
class SnapshotCheck:
    """The snapshots of a partition.

    chain: those that a search may use, main first, up to the first damaged one
    damaged: a line for each that differs from what was written, or lacks one of its files
    foreign: whole ones that are of other rows; spare: whole ones that others took the place of
    """

    chain: Sequence[Manifest]
    damaged: Sequence[str]
    foreign: Sequence[int]
    spare: Sequence[int]


def check_snapshots(
    folder: SnapshotFolder, state: PartitionState, keys: NDArray[np.int64] | None
) -> SnapshotCheck:
    """Reads every snapshot. keys: int64 (count,) as stored, None when they cannot be read."""
    damaged = folder.problems()
    bad = set(damaged)
    known = [] if keys is None else folder.chain(state.epoch, state.count, keys)
    chain = list(itertools.takewhile(lambda one: one.generation not in bad, known))
    others = folder.generations() - bad - {one.generation for one in known}
    ours = {
        one.generation
        for one in folder.manifests()
        if keys is not None and one.is_of(state.epoch, state.count, keys)
    }
    return SnapshotCheck(
        chain,
        [damaged[one] for one in sorted(damaged)],
        sorted(others - ours),
        sorted(others & ours),
    )


def readable_keys(files: RowFiles, state: PartitionState) -> NDArray[np.int64] | None:
    """The stored keys (count,), mapped; None when their file is short or missing."""
    try:
        return files.open(state.epoch, state.count).keys
    except LibraryDamaged:
        return None


def strays(files: RowFiles, epoch: int | None) -> list[Path]:
    """Files of other epochs than that, and temporary ones: what a killed writer leaves."""
    found = [path for number, paths in files.stored().items() if number != epoch for path in paths]
    return sorted([*found, *filter(durable.is_temporary, durable.listed(files.folder))])
