"""What a repair changes in the catalogue, inside its write transaction."""

from __future__ import annotations

from collections.abc import Iterable

from unisearch.catalog import mend, texts, words_check
from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.write import Writing
from unisearch.records import Block


class Mending:
    """Changes that only a repair makes. They become visible with the transaction's others."""

    def __init__(self, tx: Writing) -> None:
        self._connection = tx._connection

    def texts(self) -> tuple[list[str], list[str]]:
        """Drop texts that cannot be read: (what was done, what is lost)."""
        return texts.mend(self._connection)

    def records(self) -> tuple[list[str], list[str]]:
        """Put records right that contradict each other: (what was done, what is lost)."""
        return mend.mend_records(self._connection)

    def words(self) -> None:
        """Make the full-text tables and the shown names anew from the records."""
        words_check.rebuild(self._connection)

    def let_go(self, contents: Iterable[int]) -> None:
        """The files of these contents are to be read again; `records` drops the contents."""
        mend.let_go(self._connection, contents)

    def drop_segments(self, segments: Iterable[int]) -> None:
        """Forget segments whose vectors are lost; `records` drops contents without any."""
        mend.drop_segments(self._connection, segments)

    def blocks_by_epoch(self, partition: PartitionRow) -> dict[int, list[Block]]:
        """All checksums of a partition, in order, also of epochs that it is not in."""
        found: dict[int, list[Block]] = {}
        rows = self._connection.execute(
            "SELECT epoch, block, rows, checksum FROM blocks WHERE partition_id = ?"
            " ORDER BY epoch, block",
            (partition.id,),
        )
        for epoch, *block in rows:
            found.setdefault(epoch, []).append(Block(*block))
        return found

    def set_extent(self, partition: PartitionRow) -> None:
        """The partition's epoch and count, and the dimension of its space, are these."""
        for statement, values in (
            (
                "UPDATE partitions SET epoch = ?, count = ? WHERE id = ?",
                (partition.epoch, partition.count, partition.id),
            ),
            ("UPDATE spaces SET dim = ? WHERE id = ?", (partition.dim, partition.space)),
        ):
            self._connection.execute(statement, values)
