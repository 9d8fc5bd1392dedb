"""Samples of the library's own rows, drawn anew when the library has become another one."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.write import Writing
from unisearch.errors import LibraryDamaged
from unisearch.index.bits import draw_live
from unisearch.wiring import row_files

logger = logging.getLogger(__name__)

SAMPLE_ROWS = 1_024
#: Rows nearer to each other than this show the same thing.
SAME_KIND = 0.9
#: A stored row of another length is damaged.
LENGTH_ERROR = 1e-2


def renew(tx: Writing, library: Path, partition: PartitionRow, *, force: bool = False) -> None:
    """Draw the partition's background anew when it is due; reads no more than the sampled rows.

    partition: its rows must be on the disk; what the transaction says of its extent holds
    force: also when it is not due, so that nothing of a forgotten row stays in the sample
    """
    if tx.space(partition.space) is None:  # parts: nobody searches them
        return
    [now] = [row for row in tx.all_partitions() if row.id == partition.id]
    stored = [row for row in tx.backgrounds(now.space) if row.partition == now.id]
    if not force and not is_due(now, stored[0] if stored else None):
        return
    try:
        sample = draw(library, now, tx.partitions(now.space)[now.modality].dead)
    except LibraryDamaged as error:  # searching and doctor say so; the run goes on
        logger.warning("no new background: %s", error)
        sample = np.empty((0, now.dim), np.float16)
    if len(sample):
        tx.put_background(now, sample, count_kinds(sample))
    else:
        tx.drop_background(now)


def is_due(now: PartitionRow, stored: BackgroundRow | None) -> bool:
    """Whether as many rows came and went since the draw as there were then."""
    if stored is None:
        return now.count > now.dead
    if stored.epoch != now.epoch:
        return True
    changed = (now.count - stored.count) + (now.dead - stored.dead)
    return changed >= stored.count - stored.dead


def draw(library: Path, partition: PartitionRow, dead: NDArray[np.int64]) -> NDArray[np.float16]:
    """Up to SAMPLE_ROWS live rows (n, dim), each equally likely; the same state, the same rows.

    dead: the partition's dead rows, ascending
    """
    places = live_places(partition, dead)
    stored = row_files(library, partition).open(partition.epoch, partition.count)
    sample: NDArray[np.float16] = np.array(stored.vectors[places])
    lengths = np.linalg.norm(sample.astype(np.float32), axis=1)
    whole: NDArray[np.float16] = sample[np.abs(lengths - 1.0) < LENGTH_ERROR]
    return whole


def live_places(partition: PartitionRow, dead: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to SAMPLE_ROWS rows that are not dead, ascending."""
    numbers = np.random.default_rng((partition.epoch, partition.count, len(dead)))
    return draw_live(partition.count, dead, SAMPLE_ROWS, numbers)


def count_kinds(sample: NDArray[np.float16]) -> int:
    """How many distinct things there are: each row is one unless it is near an earlier one."""
    rows = sample.astype(np.float32)
    near = rows @ rows.T > SAME_KIND
    covered = np.zeros(len(rows), bool)
    kinds = 0
    for row in range(len(rows)):
        if not covered[row]:
            kinds += 1
            covered |= near[row]
    return kinds
