"""A new epoch that holds only the live rows of an old one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, display
from unisearch.index import durable
from unisearch.index.rows import BLOCK_ROWS, RowFiles, Rows, is_sound
from unisearch.records import Block, PartitionState

_STEP = 4  # blocks copied at once: 16 MB of rows of 512 numbers


def copy_live(
    files: RowFiles, state: PartitionState, blocks: Sequence[Block], epoch: int
) -> tuple[int, list[Block]]:
    """Write the live rows as that epoch; how many there are, and their checksums.

    They are on the disk on return and were read back and compared with what they were copied
    from. A few blocks at a time are in memory.
    state, blocks: the old epoch; each block is compared with its checksum before it is copied
    Raises LibraryDamaged for a damaged block; a half-written epoch stays for the caller to drop.
    """
    count = 0
    sealed: dict[int, Block] = {}
    for keys, vectors in live_rows(files, state, blocks):
        tail = sealed.get(count // BLOCK_ROWS)
        new = files.append_halves(epoch, count, keys, vectors, tail)
        sealed.update((block.block, block) for block in new)
        count += len(keys)
    _compare(files, state, blocks, epoch, count)
    return count, [sealed[number] for number in sorted(sealed)]


def live_rows(
    files: RowFiles,
    state: PartitionState,
    blocks: Sequence[Block],
    first: int = 0,
    rows: Rows | None = None,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    """Keys (n,) and vectors (n, dim) of the live rows, a few blocks at a time, in order.

    first: row to begin with, that of a block; rows: those of that state where they are open

    Raises LibraryDamaged for a block with a live row that differs from its checksum.
    """
    rows = rows or files.open(state.epoch, state.count)
    known = {block.block: block for block in blocks}
    step = _STEP * BLOCK_ROWS
    for start in range(first, state.count, step):
        stop = min(start + step, state.count)
        dead = state.dead[(state.dead >= start) & (state.dead < stop)] - start
        live = np.delete(np.arange(stop - start), dead)
        for number in np.unique((start + live) // BLOCK_ROWS).tolist():
            block = known.get(number)
            extent = min(BLOCK_ROWS, state.count - number * BLOCK_ROWS)
            if block is None or block.rows != extent or not is_sound(rows, block):
                where = display(files.vectors_path(state.epoch))
                raise LibraryDamaged(f"{where}: block {number} differs from its checksum")
        if len(live):
            yield rows.keys[start:stop][live], rows.vectors[start:stop][live]


def _compare(
    files: RowFiles, state: PartitionState, blocks: Sequence[Block], epoch: int, count: int
) -> None:
    """Raise LibraryDamaged when the new epoch does not hold what the old one does."""
    _forget_cached(files, epoch)
    new = files.open(epoch, count)
    at = 0
    for keys, vectors in live_rows(files, state, blocks):
        stop = at + len(keys)
        # Bytes, not numbers: these are to be the same rows, not equal ones.
        same = new.vectors[at:stop].tobytes() == vectors.tobytes()
        if not same or not np.array_equal(new.keys[at:stop], keys):
            raise _not_kept(files, epoch)
        at = stop


def check_kept(files: RowFiles, epoch: int, count: int, sealed: Sequence[Block]) -> None:
    """Read an epoch back. Raises LibraryDamaged unless the disk has it as it was sealed."""
    _forget_cached(files, epoch)
    if files.verify(epoch, count, sealed):
        raise _not_kept(files, epoch)


def _forget_cached(files: RowFiles, epoch: int) -> None:
    for path in files.paths(epoch):
        durable.drop_cache(path)


def _not_kept(files: RowFiles, epoch: int) -> LibraryDamaged:
    where = display(files.vectors_path(epoch))
    return LibraryDamaged(f"{where}: the disk did not keep what was written")
