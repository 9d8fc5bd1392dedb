"""The numbers that say where a partition's rows are, checked by the checksums of the rows.

A wrong epoch, count or dimension makes every row look damaged. Other numbers are taken only when
every checksum holds with them: that is no guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from unisearch.catalog.mending import Mending
from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.write import Writing
from unisearch.records import Block
from unisearch.wiring import row_files


def mend_extents(tx: Writing, library: Path) -> list[str]:
    """Set right what can be proven; a line for each partition."""
    done = []
    for partition in tx.all_partitions():
        blocks = Mending(tx).blocks_by_epoch(partition)
        now = blocks.get(partition.epoch, [])
        if _holds(library, partition, now):
            continue
        for other in _candidates(library, partition, blocks):
            if other != partition and _holds(library, other, blocks[other.epoch]):
                Mending(tx).set_extent(other)
                where = f"vectors {other.space}/{other.modality}"
                done.append(
                    f"{where}: epoch {other.epoch}, {other.count:,} rows of {other.dim} numbers"
                    " set again, as every checksum says"
                )
                break
    return done


def _candidates(
    library: Path, partition: PartitionRow, blocks: dict[int, list[Block]]
) -> Iterator[PartitionRow]:
    """What the partition may have been: for each epoch that has checksums and files."""
    for epoch, some in blocks.items():
        count = sum(block.rows for block in some)
        other = replace(partition, epoch=epoch, count=count)
        yield other
        vectors, keys = row_files(library, other).paths(epoch)
        if vectors.exists() and keys.exists() and keys.stat().st_size >= 8:
            rows = keys.stat().st_size // 8
            yield replace(other, dim=vectors.stat().st_size // (2 * rows))


def _holds(library: Path, partition: PartitionRow, blocks: list[Block]) -> bool:
    """Whether every checksum holds, of at least one row."""
    count = sum(block.rows for block in blocks)
    if partition.count != count or partition.dim < 1 or not blocks:
        return False
    return not row_files(library, partition).verify(partition.epoch, count, blocks)
