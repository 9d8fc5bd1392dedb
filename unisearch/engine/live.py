"""The rows of several partitions as of one committed state, kept while a writer compacts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.view import View
from unisearch.errors import RowsGone
from unisearch.index.compact import live_rows
from unisearch.index.rows import RowFiles, Rows
from unisearch.records import Block, PartitionState
from unisearch.wiring import Rooms, row_files

_LOOKS = 3  # a compaction may switch between the view and the opening of a file


@dataclass(frozen=True, eq=False)
class Held:
    """A partition whose rows are mapped: they live on when their files are removed."""

    partition: PartitionRow
    files: RowFiles
    state: PartitionState
    blocks: Sequence[Block]
    rows: Rows

    def live(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Keys (n,) and vectors (n, dim) of the live rows, as of `live_rows`."""
        return live_rows(self.files, self.state, self.blocks, rows=self.rows)


@contextmanager
def holding(
    rooms: Rooms, choose: Callable[[View], Sequence[PartitionRow]]
) -> Iterator[tuple[View, list[Held]]]:
    """A view, and the partitions that `choose` takes of it. Raises LibraryDamaged for lost rows."""
    for look in range(_LOOKS):
        with rooms.catalog.view() as view:
            partitions = choose(view)
            try:
                held = [_held(rooms, view, one) for one in partitions]
            except RowsGone:
                if look == _LOOKS - 1:
                    raise
                continue
            yield view, held
            return


def _held(rooms: Rooms, view: View, partition: PartitionRow) -> Held:
    files = row_files(rooms.library, partition)
    state = view.partitions(partition.space)[partition.modality]
    blocks = view.blocks(partition.space, partition.modality)
    return Held(partition, files, state, blocks, files.open(state.epoch, state.count))
