"""What the library holds of each space: its partitions, how far it is built, what it lacks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog import backgrounds
from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.rows import Goal, Lack, Owed, PartitionRow, SpaceRow, State
from unisearch.catalog.transaction import Transaction
from unisearch.factors import MARK, split
from unisearch.records import MODALITIES, Block, Modality, PartitionState


class Spaces(Transaction):
    """Questions about spaces and their vectors."""

    def spaces(self) -> list[SpaceRow]:
        """The spaces whose vectors are held, oldest first."""
        return [row for row in self.spaces_and_parts() if row.state != "parts"]

    def spaces_and_parts(self) -> list[SpaceRow]:
        """The spaces, and the parts that vectors of some are mixed of, as partitions name them."""
        return self._once("spaces", self._spaces_and_parts)

    def space(self, space_id: str) -> SpaceRow | None:
        """The space of that id; none for parts."""
        return next((space for space in self.spaces() if space.id == space_id), None)

    def _spaces_and_parts(self) -> list[SpaceRow]:
        rows = self._run(
            "SELECT id, name, dim, added, state, modalities, reached, goal FROM spaces"
            " ORDER BY added, rowid"
        )
        found = [_row(*row) for row in rows]
        # Parts are come by with the vectors that are mixed of them.
        reached = {row.parts_id: row.reached for row in found if row.parts_id}
        return [
            replace(row, reached=reached.get(row.id, 0)) if row.state == "parts" else row
            for row in found
        ]

    def all_partitions(self) -> list[PartitionRow]:
        """Every partition of every space."""
        return self._once(
            "all_partitions",
            lambda: [
                PartitionRow(*row)
                for row in self._run(
                    "SELECT p.id, p.space_id, s.dim, p.modality, p.epoch, p.count, p.dead"
                    " FROM partitions p JOIN spaces s ON s.id = p.space_id ORDER BY p.id"
                )
            ],
        )

    def partitions(self, space_id: str) -> dict[Modality, PartitionState]:
        """What is committed of each partition of a space."""
        return self._once(("partitions", space_id), lambda: self._partitions(space_id))

    def _partitions(self, space_id: str) -> dict[Modality, PartitionState]:
        rows = self._run(
            "SELECT id, modality, epoch, count, dead FROM partitions WHERE space_id = ?", space_id
        )
        return {
            modality: PartitionState(
                epoch, count, self._dead.of(self._connection, partition, epoch, dead)
            )
            for partition, modality, epoch, count, dead in rows
        }

    def blocks(self, space_id: str, modality: Modality) -> list[Block]:
        """The checksums of a partition's current epoch, in order."""
        rows = self._run(
            "SELECT b.block, b.rows, b.checksum FROM partitions p"
            " JOIN blocks b ON b.partition_id = p.id AND b.epoch = p.epoch"
            " WHERE p.space_id = ? AND p.modality = ? ORDER BY b.block",
            space_id,
            modality,
        )
        return [Block(*row) for row in rows]

    def expected(self, space: SpaceRow, modality: Modality) -> NDArray[np.int64]:
        """The segments of that modality that have a vector in the space, if all is right;
        ascending."""
        if not space.covers(modality):
            return np.empty(0, np.int64)
        return self._ids(
            "SELECT group_concat(id) FROM segments WHERE modality = ? AND id <= ?"
            " AND content_id NOT IN (SELECT content_id FROM gaps WHERE reason <> 'part'"
            " AND (space_id = ? OR instr(space_id, ?) = 1))",  # parts lack what their vectors lack
            (modality, space.reached, space.id, space.id + MARK),
        )

    def last_segment(self) -> int:
        """The last segment id that was given."""
        asked = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'segments'"
        return int(self._run(asked).fetchone()[0])

    def extent(self, space: SpaceRow) -> tuple[int, int]:
        """(segments that were come by, all segments) of the modalities that a space covers."""
        done, total = self._run(
            "SELECT count(*) FILTER (WHERE id <= ?), count(*) FROM segments"
            " WHERE modality IN (SELECT value FROM json_each(?))",
            space.reached,
            json.dumps([one for one in MODALITIES if space.covers(one)]),
        ).fetchone()
        return done, total

    def owed(self, after: int, most: int) -> list[Owed]:
        """The contents whose first segment is behind `after`, in the order of their segments."""
        rows = self._run(
            "SELECT s.content_id, c.digest, c.modality, s.id FROM segments s"
            " JOIN contents c ON c.id = s.content_id WHERE s.id > ? AND s.ordinal ="
            " (SELECT min(ordinal) FROM segments WHERE content_id = s.content_id)"
            " ORDER BY s.id LIMIT ?",
            after,
            most,
        )
        return [Owed(*row) for row in rows]

    def gaps(self, space_id: str | None = None) -> list[tuple[Owed, str, Lack]]:
        """(content, space, why) of what has no vector in a space though it came by, by content."""
        rows = self._run(
            "SELECT g.content_id, c.digest, c.modality, g.space_id, g.reason FROM gaps g"
            " JOIN contents c ON c.id = g.content_id WHERE ? IS NULL OR g.space_id = ?"
            " ORDER BY g.content_id, g.space_id",
            space_id,
            space_id,
        )
        return [(Owed(*owed), space, why) for *owed, space, why in rows]

    def count_gaps(self, space_id: str) -> dict[Lack, int]:
        """How many contents have no vector in a space, or not all, by the reason; also of its
        parts."""
        rows = self._run(
            "SELECT reason, count(DISTINCT content_id) FROM gaps WHERE space_id IN (?, ?)"
            " GROUP BY reason",
            space_id,
            split(space_id)[0],
        )
        return dict(rows.fetchall())

    def backgrounds(self, space_id: str | None = None) -> list[BackgroundRow]:
        """The samples of the partitions of a space, or of all spaces, without their vectors."""
        return self._once(
            ("backgrounds", space_id), lambda: backgrounds.of_all(self._connection, space_id)
        )

    def background_sample(self, row: BackgroundRow) -> NDArray[np.float16]:
        """The vectors (n, dim) of a sample. Raises LibraryDamaged when they are not as stored."""
        return backgrounds.sample_of(self._connection, row)


def _row(
    space_id: str,
    name: str,
    dim: int,
    added: str,
    state: State,
    modalities: str,
    reached: int,
    goal: Goal,
) -> SpaceRow:
    named = modalities.split()
    covered = tuple(modality for modality in MODALITIES if modality in named)
    return SpaceRow(space_id, name, dim, added, state, covered, reached, goal)
