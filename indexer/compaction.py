"""Partitions without their dead rows, and without what interrupted writers left behind."""

from __future__ import annotations

import logging
from dataclasses import replace

from indexer.backgrounds import renew
from unisearch.catalog.rows import PartitionRow
from unisearch.errors import LibraryDamaged, display
from unisearch.health.strays import unfinished
from unisearch.index import durable
from unisearch.index.check import strays
from unisearch.index.compact import copy_live
from unisearch.index.rows import BLOCK_ROWS, Rows, is_sound
from unisearch.records import Block, PartitionState
from unisearch.wiring import Rooms, row_files, snapshots

logger = logging.getLogger(__name__)

#: A partition is written anew when this share of its rows is dead, and at least so many are.
DEAD_SHARE = 0.2
DEAD_ROWS = 1_000


def is_due(partition: PartitionRow) -> bool:
    """Whether so many rows are dead that a new epoch is worth writing."""
    return partition.dead >= max(DEAD_ROWS, DEAD_SHARE * partition.count)


def compact(rooms: Rooms, partition: PartitionRow, *, force: bool = False) -> bool:
    """Write the partition's live rows as a new epoch and switch to it; whether that was done.

    The old epoch is left and removed after the switch, which is one transaction: a kill leaves
    the old one or the new one, and `tidy` drops the rest. Not in a transaction of the caller.
    force: also when few rows are dead
    Raises LibraryDamaged for damaged rows: they are never copied as right. Without `force`
    that is a warning and the old epoch stays.
    """
    state, blocks = _committed(rooms, partition)
    if not len(state.dead) or not (force or is_due(partition)):
        return False
    files = row_files(rooms.library, partition)
    epoch = state.epoch + 1
    try:
        count, sealed = copy_live(files, state, blocks, epoch)
    except BaseException as error:
        durable.unlink(files.paths(epoch))
        if isinstance(error, LibraryDamaged) and not force:
            logger.warning("%s; not compacted: run 'unisearch repair'", error)
            return False
        raise
    with rooms.catalog.write() as tx:
        tx.switch_epoch(partition, state, epoch, count, sealed)
        renew(tx, rooms.library, partition, force=True)
    durable.unlink(files.paths(state.epoch))
    _drop_foreign(rooms, replace(partition, epoch=epoch))
    logger.info("%s: %d dead rows dropped, %d kept", display(files.folder), len(state.dead), count)
    return True


def tidy(rooms: Rooms) -> None:
    """Drop what an interrupted writer left: rows behind the committed count, epochs that were
    not switched to or not yet removed, snapshots of those, files under temporary names.

    Only the holder of the writer's lock may call it. Where the committed rows are not whole
    nothing is removed but a warning given: what is left may be of use for a repair.
    """
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
    for partition in partitions:
        files = row_files(rooms.library, partition)
        try:
            rows = files.open(partition.epoch, partition.count)
        except LibraryDamaged as error:
            logger.warning("%s; 'unisearch doctor' says more", error)
            continue
        if not _ends_sound(rooms, partition, rows):
            where = display(files.folder)
            logger.warning("%s: the last rows are damaged; 'unisearch doctor' says more", where)
            continue
        files.cut(partition.epoch, partition.count)
        durable.unlink(strays(files, partition.epoch))
        _drop_foreign(rooms, partition)
    durable.unlink(unfinished(rooms.library))


def _committed(rooms: Rooms, partition: PartitionRow) -> tuple[PartitionState, list[Block]]:
    with rooms.catalog.view() as view:
        state = view.partitions(partition.space)[partition.modality]
        return state, view.blocks(partition.space, partition.modality)


def _drop_foreign(rooms: Rooms, partition: PartitionRow) -> None:
    """Remove snapshots that nobody can use: of other epochs, or unfinished."""
    folder = snapshots(rooms.library, partition.space, partition.modality)
    folder.keep_only([one for one in folder.manifests() if one.epoch == partition.epoch])


def _ends_sound(rooms: Rooms, partition: PartitionRow, rows: Rows) -> bool:
    """Whether the committed rows end where the last checksum says: a damaged count cuts nothing."""
    with rooms.catalog.view() as view:
        blocks = view.blocks(partition.space, partition.modality)
    if not blocks:
        return partition.count == 0
    last = blocks[-1]
    ends = last.block * BLOCK_ROWS + last.rows
    return ends == partition.count and is_sound(rows, last)
