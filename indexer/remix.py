"""Lost vectors of a mixed space, mixed again from their parts: no file is read for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.view import View
from unisearch.factors import mix
from unisearch.health.partitions import PartitionHealth
from unisearch.index.compact import check_kept
from unisearch.index.halves import to_halves
from unisearch.index.rows import BLOCK_ROWS
from unisearch.records import Block, seen_as
from unisearch.wiring import row_files

_STEP = 4 * BLOCK_ROWS  # rows that are in memory at once


@dataclass(frozen=True, eq=False)
class Mixture:
    """What the lost vectors of a partition are mixed of.

    health: of the partition of their parts; keys: int64 (n,), ascending, of the vectors
    """

    health: PartitionHealth
    factor: float
    keys: NDArray[np.int64]

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the parts of these keys lie."""
        return self.health.rows.sound[np.searchsorted(self.health.rows.keys, keys)]


def mixtures(view: View, found: Sequence[PartitionHealth]) -> dict[int, Mixture]:
    """Of the missing vectors those whose parts are sound, by the id of their partition."""
    spaces = {row.id: row for row in view.spaces_and_parts()}
    at = {(one.partition.space, one.partition.modality): one for one in found}
    known: dict[int, Mixture] = {}
    for one in found:
        modality, space = one.partition.modality, spaces[one.partition.space]
        parts = at.get((space.parts_id, modality))
        if parts is None:
            continue
        keys = np.intersect1d(one.missing, parts.rows.keys, assume_unique=True)
        if len(keys):
            known[one.partition.id] = Mixture(parts, space.factors[seen_as(modality)], keys)
    return known


def write_mixed(
    library: Path,
    health: PartitionHealth,
    live: NDArray[np.int64],
    mixture: Mixture,
    keys: NDArray[np.int64],
    epoch: int,
) -> tuple[int, list[Block]]:
    """Write these sound rows, and among them the vectors of those keys, as that epoch.

    live: rows of the partition, ascending; keys: of the mixture
    Returns how many rows there are, and their checksums; they are on the disk, and were read back.
    Raises LibraryDamaged when they are not what was written.
    """
    files, parts = row_files(library, health.partition), mixture.health
    kept = files.open(health.state.epoch, _end(live))
    of_parts = mixture.rows(keys)
    halves = row_files(library, parts.partition).open(parts.state.epoch, _end(of_parts))
    every = np.concatenate([kept.keys[live], keys])
    order = np.argsort(every)
    sealed: list[Block] = []
    for start in range(0, len(order), _STEP):
        some = order[start : start + _STEP]
        stays = some < len(live)
        rows = np.empty((len(some), health.partition.dim), np.float16)
        rows[stays] = kept.vectors[live[some[stays]]]
        anew = halves.vectors[of_parts[some[~stays] - len(live)]]
        rows[~stays] = to_halves(mix(mixture.factor, anew))
        sealed += files.append_halves(epoch, start, every[some], rows)
    check_kept(files, epoch, len(every), sealed)
    return len(every), sealed


def _end(rows: NDArray[np.int64]) -> int:
    """How many rows of a file are needed: behind the last sound one nothing may be there."""
    return int(rows[-1]) + 1 if len(rows) else 0
