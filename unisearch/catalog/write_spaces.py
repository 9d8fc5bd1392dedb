"""Changes of what is held of each space: its partitions, how far it is built, what it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.dialects.sqlite import insert as upsert

from unisearch.catalog import backgrounds, tables
from unisearch.catalog.rows import ALL, Goal, Lack, PartitionRow, SpaceRow, State
from unisearch.catalog.spaces import Spaces
from unisearch.catalog.statements import Changing
from unisearch.errors import LibraryError
from unisearch.records import MODALITIES, Block, Modality, PartitionState


class SpaceChanges(Changing, Spaces):
    """Changes of what is held of spaces and their vectors."""

    # spaces

    def add_space(
        self,
        space_id: str,
        name: str,
        dim: int,
        modalities: Iterable[Modality] = MODALITIES,
        state: State = "active",
    ) -> None:
        """Note a space whose vectors the library holds; a known one stays as it is.

        An active one is to have a vector of every segment that there is already.
        """
        row = upsert(tables.SpaceTable).values(
            id=space_id,
            name=name,
            dim=dim,
            added=datetime.now(UTC).isoformat(timespec="seconds"),
            state=state,
            modalities=" ".join(modalities),
            reached=ALL if state == "active" else 0,
            goal="add",
        )
        self._do(row.on_conflict_do_nothing())

    def set_state(self, space_id: str, state: State, goal: Goal = "add") -> None:
        """From now on the space is in that state. What was active goes on from here when it is
        built again."""
        last = self.last_segment()
        reached = ALL if state == "active" else None
        self._run(
            "UPDATE spaces SET state = ?, goal = ?, reached = coalesce(?, min(reached, ?))"
            " WHERE id = ?",
            *(state, goal, reached, last, space_id),
        )

    def reach(self, space_id: str, segment: int) -> None:
        """The space that is being built came by all segments up to this one."""
        self._run("UPDATE spaces SET reached = ? WHERE id = ?", segment, space_id)

    def put_gap(self, space_id: str, content: int, why: Lack) -> None:
        """Note that a content has no vector in a space."""
        self._run("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)", content, space_id, why)

    def drop_gap(self, space_id: str, content: int) -> None:
        """The content has its vectors in the space."""
        self._run("DELETE FROM gaps WHERE content_id = ? AND space_id = ?", content, space_id)

    def drop_space(self, space: SpaceRow) -> list[str]:
        """Forget a space with its partitions and parts; the ids that are gone, whose files stay
        for the caller to remove."""
        gone = [space.id, *([space.parts_id] if space.parts_id else [])]
        for one in gone:
            self._drop_space(one)
        return gone

    def _drop_space(self, space_id: str) -> None:
        partitions = "SELECT id FROM partitions WHERE space_id = ?"
        for table in ("blocks", "dead_rows", "backgrounds"):
            self._run(f"DELETE FROM {table} WHERE partition_id IN ({partitions})", space_id)
        for table in ("partitions", "gaps"):
            self._run(f"DELETE FROM {table} WHERE space_id = ?", space_id)
        self._run("DELETE FROM spaces WHERE id = ?", space_id)

    def rename_space(self, old: str, new: str) -> None:
        """A known space goes by another id from now on; its files are to lie there."""
        kept = "name, dim, added, state, modalities, reached, goal"
        self._run(
            f"INSERT INTO spaces (id, {kept}) SELECT ?, {kept} FROM spaces WHERE id = ?", new, old
        )
        for table in ("partitions", "gaps"):
            self._run(f"UPDATE {table} SET space_id = ? WHERE space_id = ?", new, old)
        self._run("DELETE FROM spaces WHERE id = ?", old)

    # partitions

    def partition(self, space_id: str, modality: Modality, epoch: int = 0) -> PartitionRow:
        """The partition of a known space, made empty when there is none. epoch: of a new one"""
        row = upsert(tables.Partition).values(
            space_id=space_id, modality=modality, epoch=epoch, count=0, dead=0
        )
        self._do(row.on_conflict_do_nothing())
        return next(
            partition
            for partition in self.all_partitions()
            if (partition.space, partition.modality) == (space_id, modality)
        )

    def tail_block(self, partition: PartitionRow) -> Block | None:
        """The checksum of the last block, which may be unfinished."""
        row = self._run(
            "SELECT block, rows, checksum FROM blocks WHERE partition_id = ? AND epoch = ?"
            " ORDER BY block DESC LIMIT 1",
            partition.id,
            partition.epoch,
        ).fetchone()
        return Block(*row) if row else None

    def commit_rows(
        self, partition: PartitionRow, count: int, blocks: Iterable[Block], epoch: int | None = None
    ) -> None:
        """Make the first `count` rows of the partition visible, with their checksums."""
        epoch = partition.epoch if epoch is None else epoch
        for block in blocks:
            row = upsert(tables.BlockTable).values(
                partition_id=partition.id, epoch=epoch, **vars(block)
            )
            self._do(row.on_conflict_do_update(set_=vars(block)))
        self._update(tables.Partition, partition.id, {"epoch": epoch, "count": count})

    def switch_epoch(
        self,
        partition: PartitionRow,
        old: PartitionState,
        epoch: int,
        count: int,
        blocks: Iterable[Block],
    ) -> None:
        """The partition's rows are those of another epoch from now on, none of them dead.

        old: what the new epoch was made of. Raises LibraryError when it changed meanwhile.
        """
        [now] = self._run(
            "SELECT epoch, count, dead FROM partitions WHERE id = ?", partition.id
        ).fetchall()
        if tuple(now) != (old.epoch, old.count, len(old.dead)):
            raise LibraryError(f"{partition.modality} of {partition.space} changed meanwhile")
        for table in ("blocks", "dead_rows"):
            self._run(f"DELETE FROM {table} WHERE partition_id = ?", partition.id)
        self._update(tables.Partition, partition.id, {"dead": 0})
        self.commit_rows(partition, count, blocks, epoch)

    def bury(self, partition: PartitionRow, rows: NDArray[np.int64]) -> None:
        """Mark rows of the partition's epoch as dead; those that are dead already stay so."""
        self._run(
            "INSERT OR IGNORE INTO dead_rows (partition_id, epoch, row)"
            " SELECT ?, ?, value FROM json_each(?)",
            partition.id,
            partition.epoch,
            json.dumps(rows.tolist()),
        )
        self._run(
            "UPDATE partitions SET dead = (SELECT count(*) FROM dead_rows d"
            " WHERE d.partition_id = partitions.id AND d.epoch = partitions.epoch) WHERE id = ?",
            partition.id,
        )

    def put_background(
        self, partition: PartitionRow, sample: NDArray[np.float16], kinds: int
    ) -> None:
        """Keep a sample (n, dim) of the partition's live rows, in place of the one before it."""
        backgrounds.put(self._builder, partition, sample, kinds)

    def drop_background(self, partition: PartitionRow) -> None:
        """Forget the sample of a partition."""
        backgrounds.drop(self._connection, partition)
