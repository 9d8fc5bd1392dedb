"""What the doctor says of rows, keys and snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from unisearch.catalog.rows import PartitionRow
from unisearch.engine.finding import REPAIR, Finding
from unisearch.health.partitions import (
    PartitionHealth,
    examine,
    examine_snapshots,
    without_partition,
)
from unisearch.index.check import SnapshotCheck
from unisearch.index.plan import next_step
from unisearch.index.rows import BLOCK_ROWS
from unisearch.wiring import Rooms, rules

_LOOKS = 3  # a compaction may remove what is just examined


def vectors(rooms: Rooms) -> Iterator[Finding]:
    """Checksums of every row, and whether rows and segments belong together."""
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
        homeless = without_partition(view)
    for partition in partitions:
        if (health := _settled(rooms, partition)) is not None:
            yield from _of_rows(health)
    for where, segments in homeless.items():
        message = f"{len(segments):,} segments have no vector"
        yield Finding("error", f"vectors {'/'.join(filter(None, where))}", message, REPAIR)
    if not partitions:
        yield Finding("ok", "vectors", "none yet")


def snapshots(rooms: Rooms) -> Iterator[Finding]:
    """Checksums of every snapshot, and whether they are of these rows."""
    with rooms.catalog.view() as view:
        searched = {row.id for row in view.spaces()}
        partitions = [row for row in view.all_partitions() if row.space in searched]
    for partition in partitions:
        for look in range(_LOOKS):
            with rooms.catalog.view() as view:
                state = view.partitions(partition.space).get(partition.modality)
            if state is None:  # its space was dropped meanwhile
                break
            check = examine_snapshots(rooms, partition, state)
            if not (check.damaged or check.foreign) or look == _LOOKS - 1:
                yield from _of_snapshots(rooms, partition, check)
                break


def _settled(rooms: Rooms, partition: PartitionRow) -> PartitionHealth | None:
    """The rows as of one committed state, looked at again when it was left meanwhile; None when
    the space was dropped."""
    health = None
    for _ in range(_LOOKS):
        with rooms.catalog.view() as view:
            state = view.partitions(partition.space).get(partition.modality)
            if state is None:
                return None
            if health is not None and health.state.epoch == state.epoch:
                break
            health = examine(rooms, view, partition)
        if health.is_right:
            break
    return health


def _of_rows(health: PartitionHealth) -> Iterator[Finding]:
    """One partition: its files, its blocks, then its keys beside the catalogue's segments."""
    rows, partition = health.rows, health.partition
    subject = f"vectors {partition.space}/{partition.modality}"
    for line in rows.torn:
        yield Finding("error", subject, f"{line}: rows are lost", REPAIR)
    for block in rows.damaged:
        first, last = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, health.state.count) - 1
        message = f"block {block} (rows {first:,} to {last:,}) fails its checksum: left out"
        yield Finding("error", subject, message, REPAIR)
    if rows.disorder:
        message = f"{rows.disorder:,} keys are not above the one before: not found by item"
        yield Finding("error", subject, message, REPAIR)
    if len(health.missing):
        message = f"{len(health.missing):,} segments have no vector: not found"
        yield Finding("error", subject, message, REPAIR)
    if len(health.foreign):
        message = (
            f"{len(health.foreign):,} live rows belong to no segment: places wasted in answers"
        )
        yield Finding("error", subject, message, REPAIR)
    if len(health.revived):
        message = f"{len(health.revived):,} segments count as dead: not found"
        yield Finding("error", subject, message, REPAIR)
    if rows.behind:
        message = f"{rows.behind:,} bytes behind the committed rows, left by a killed writer"
        yield Finding("warning", subject, message, "the next writer drops them")
    if health.is_right:
        dead = len(health.state.dead)
        message = f"{health.state.count - dead:,} live rows, {dead:,} dead; checksums hold"
        yield Finding("ok", subject, message)


def _of_snapshots(rooms: Rooms, partition: PartitionRow, check: SnapshotCheck) -> Iterator[Finding]:
    subject = f"snapshots {partition.space}/{partition.modality}"
    for line in check.damaged:
        yield Finding("error", subject, f"{line}: answers stay exact, but slow", REPAIR)
    for generation in check.foreign:
        message = f"generation {generation} is of other rows: not used"
        yield Finding("warning", subject, message, REPAIR)
    for generation in check.spare:
        message = f"generation {generation} was replaced: not used"
        yield Finding("warning", subject, message, REPAIR)
    if check.chain:
        yield Finding("ok", subject, told(check, partition.count))
    elif next_step(partition.count, [], {}, rules(rooms.settings)):
        message = f"none for {partition.count:,} rows: answers are exact, but slow"
        yield Finding("warning", subject, message, REPAIR)


def told(check: SnapshotCheck, count: int) -> str:
    """Extent and measured recall of the snapshots of a partition."""
    stop, efforts = check.chain[-1].stop, check.chain[0].efforts
    recalls = [
        f"{name} {one.recall:.3f}" for name, one in efforts.items() if one.recall is not None
    ]
    measured = f"recall {', '.join(recalls)}; others" if recalls else "recall"
    return f"{stop:,} of {count:,} rows, {len(check.chain)} files; {measured} untuned"
