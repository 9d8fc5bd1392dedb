"""Rows, keys and snapshots of a partition beside the segments of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.view import View
from unisearch.index.check import (
    RowsCheck,
    SnapshotCheck,
    check_rows,
    check_snapshots,
    readable_keys,
)
from unisearch.records import MODALITIES, Modality, PartitionState
from unisearch.wiring import Rooms, row_files, snapshots


@dataclass(frozen=True, eq=False)
class PartitionHealth:
    """One partition.

    missing: segments, ascending, that no sound row has
    foreign: live and sound rows whose key is no segment of the modality
    revived: dead and sound rows whose segment lives
    """

    partition: PartitionRow
    state: PartitionState
    rows: RowsCheck
    missing: NDArray[np.int64]
    foreign: NDArray[np.int64]
    revived: NDArray[np.int64]

    @property
    def is_right(self) -> bool:
        """Whether each segment has its row and each row its segment."""
        wrong = (self.rows.torn, self.rows.damaged, self.missing, self.foreign, self.revived)
        return not any(len(one) for one in wrong) and not self.rows.disorder


def examine(rooms: Rooms, view: View, partition: PartitionRow) -> PartitionHealth:
    """The rows of a partition, every one of them read, beside the view's segments."""
    state = view.partitions(partition.space)[partition.modality]
    blocks = view.blocks(partition.space, partition.modality)
    rows = check_rows(row_files(rooms.library, partition), state, blocks)
    wanted = wanted_in(view, partition)
    is_dead = np.isin(rows.sound, state.dead)
    is_wanted = np.isin(rows.keys, wanted)
    return PartitionHealth(
        partition=partition,
        state=state,
        rows=rows,
        missing=np.setdiff1d(wanted, rows.keys, assume_unique=True),
        foreign=rows.sound[~is_dead & ~is_wanted],
        revived=rows.sound[is_dead & is_wanted],
    )


def examine_snapshots(
    rooms: Rooms, partition: PartitionRow, state: PartitionState
) -> SnapshotCheck:
    """The snapshots of a partition, every one of them read."""
    keys = readable_keys(row_files(rooms.library, partition), state)
    folder = snapshots(rooms.library, partition.space, partition.modality)
    return check_snapshots(folder, state, keys)


def wanted_in(view: View, partition: PartitionRow) -> NDArray[np.int64]:
    """The segments that should have a row in the partition, ascending."""
    [space] = [row for row in view.spaces_and_parts() if row.id == partition.space]
    return view.expected(space, partition.modality)


def without_partition(view: View) -> dict[tuple[str, Modality], NDArray[np.int64]]:
    """Segments that should have a vector where there is no partition, by space and modality; in a
    library without a space, of the space ''."""
    known = {(partition.space, partition.modality) for partition in view.all_partitions()}
    spaces = view.spaces_and_parts()
    if spaces:
        segments = {
            (space.id, name): view.expected(space, name)
            for space in spaces
            for name in MODALITIES
            if (space.id, name) not in known
        }
    else:
        segments = {("", name): view.segments(modalities=[name]) for name in MODALITIES}
    return {name: ids for name, ids in segments.items() if len(ids)}
