"""One write transaction on the catalogue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Insert, Update, bindparam, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from unisearch.catalog import backgrounds, spaces, tables
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import (
    ALL,
    DyingRow,
    Goal,
    Lack,
    PartitionRow,
    SpaceRow,
    Span,
    Stat,
    State,
)
from unisearch.catalog.view import DeadRows, View
from unisearch.catalog.words import ITEM_WORDS, name_words, suffix_of, tag_key
from unisearch.errors import FailureKind, LibraryError, display
from unisearch.records import (
    FACTS,
    GRID_VERSION,
    MODALITIES,
    Block,
    Modality,
    PartitionState,
)


class Writing(View):
    """Changes that become visible together. What it wrote it also reads.

    A content whose last item went is an orphan: `collect` removes it and says which segments
    died, and `bury` marks their rows. A transaction that leaves orphans behind is undone.
    """

    def __init__(self, connection: sqlite3.Connection, builder: Connection, dead: DeadRows) -> None:
        """builder: the same connection, for statements that are made from the tables' classes"""
        super().__init__(connection, dead)
        self._builder = builder
        self._maybe_orphans: set[int] = set()

    # roots

    def add_root(self, path: bytes, whole: bool = True) -> int:
        """The root of that folder, made when there is none.

        whole: roots below it become part of it; otherwise it stands for single files
        The folder must not lie below a whole root.
        """
        old = self._run("SELECT id, whole FROM roots WHERE path = ?", path).fetchone()
        if old is None:
            root = self._insert(tables.Root, {"path": path, "whole": int(whole)})
        else:
            root = int(old[0])
            whole = whole and not old[1]
        if whole:
            self._update(tables.Root, root, {"whole": 1})
            for inner in self.roots():
                prefix = relative(path, inner.path)
                if prefix:
                    self._absorb(inner.id, root, prefix + b"/")
        return root

    def drop_empty_roots(self, also: Iterable[int] = ()) -> None:
        """Forget roots for single files that have none any more, and empty ones of these ids."""
        self._run(
            "DELETE FROM roots WHERE (whole = 0 OR id IN (SELECT value FROM json_each(?)))"
            " AND NOT EXISTS (SELECT 1 FROM items WHERE root_id = roots.id)"
            " AND NOT EXISTS (SELECT 1 FROM failures WHERE root_id = roots.id)",
            json.dumps(list(also)),
        )

    def move_root(self, root: int, path: bytes) -> None:
        """The root's folder now lies elsewhere; its items keep their ids."""
        self._update(tables.Root, root, {"path": path})

    def remove_root(self, root: int) -> int:
        """Forget a root with its items and failures; how many items it had."""
        items = [item for (item,) in self._run("SELECT id FROM items WHERE root_id = ?", root)]
        self.remove_items(items)
        self._run("DELETE FROM failures WHERE root_id = ?", root)
        self._run("DELETE FROM roots WHERE id = ?", root)
        return len(items)

    # contents

    def put_content(
        self,
        digest: bytes,
        size_bytes: int,
        modality: Modality,
        facts: Mapping[str, float],
        words: str = "",
        truncated_at_s: float | None = None,
        labels: Mapping[str, Iterable[str]] | None = None,
    ) -> int:
        """A new content; its id. It needs an item before the transaction ends."""
        content = self._insert(
            tables.Content,
            {
                "digest": digest,
                "size_bytes": size_bytes,
                "modality": modality,
                "grid_version": GRID_VERSION,
                "words": _storable(words),
                "truncated_at_s": truncated_at_s,
                **{name: facts.get(name) for name in FACTS},
            },
        )
        for name, values in (labels or {}).items():
            for value in dict.fromkeys(map(_storable, values)):
                self._run("INSERT INTO labels VALUES (?, ?, ?)", content, name, value)
        self._maybe_orphans.add(content)
        return content

    def put_segments(self, content: int, spans: Sequence[Span]) -> NDArray[np.int64]:
        """The segments of a new content, in order; their ids, ascending."""
        last = spaces.last_segment(self._connection)
        ids = np.arange(last + 1, last + 1 + len(spans), dtype=np.int64)
        [own] = self._run("SELECT modality FROM contents WHERE id = ?", content).fetchone()
        rows = [
            {
                "id": segment,
                "content_id": content,
                "ordinal": ordinal,
                "start_s": span.start_s,
                "end_s": span.end_s,
                "text": _storable(span.text),
                "modality": span.modality or own,
            }
            for ordinal, (segment, span) in enumerate(zip(ids.tolist(), spans, strict=True))
        ]
        self._builder.execute(_inserting(tables.Segment), rows)
        return ids

    def renew_segments(
        self, content: int, spans: Sequence[Span]
    ) -> tuple[NDArray[np.int64], dict[Modality, NDArray[np.int64]]]:
        """(ids of the content's new segments, ids of those that died, by modality)."""
        died = self._drop_segments(content)
        return self.put_segments(content, spans), died

    def _drop_segments(self, content: int) -> dict[Modality, NDArray[np.int64]]:
        died: dict[Modality, list[int]] = {}
        rows = self._run("SELECT modality, id FROM segments WHERE content_id = ?", content)
        for modality, segment in rows:
            died.setdefault(modality, []).append(segment)
        self._run("DELETE FROM segments WHERE content_id = ?", content)
        return {modality: np.array(ids, np.int64) for modality, ids in died.items()}

    def collect(self) -> dict[Modality, NDArray[np.int64]]:
        """Remove contents without items; the ids of the segments that died, by modality."""
        died: dict[Modality, list[NDArray[np.int64]]] = {}
        gone = self._run(
            "SELECT c.id FROM json_each(?) w JOIN contents c ON c.id = w.value"
            " WHERE NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id)",
            json.dumps(sorted(self._maybe_orphans)),
        ).fetchall()
        for (content,) in gone:
            for modality, ids in self._drop_segments(content).items():
                died.setdefault(modality, []).append(ids)
            for table in ("labels", "gaps"):
                self._run(f"DELETE FROM {table} WHERE content_id = ?", content)
            self._run("DELETE FROM contents WHERE id = ?", content)
        self._maybe_orphans.clear()
        return {modality: np.concatenate(ids) for modality, ids in died.items()}

    def dying(self) -> list[bytes]:
        """The digests that no content has any more after `collect`."""
        rows = self._run(
            "SELECT c.digest FROM json_each(?) w JOIN contents c ON c.id = w.value"
            " WHERE NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id)"
            " AND NOT EXISTS (SELECT 1 FROM contents o WHERE o.digest = c.digest AND o.id <> c.id)",
            json.dumps(sorted(self._maybe_orphans)),
        )
        return [digest for (digest,) in rows]

    def dying_contents(self, most: int) -> list[DyingRow]:
        """The contents that `collect` would remove, as far as their grid is today's; none when
        they are more than `most`."""
        rows = self._run(
            "SELECT c.id, c.digest, c.size_bytes, c.modality, c.words, c.truncated_at_s,"
            f" {', '.join(f'c.{name}' for name in FACTS)}"
            " FROM json_each(?) w JOIN contents c ON c.id = w.value WHERE c.grid_version = ?"
            " AND NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id) LIMIT ?",
            json.dumps(sorted(self._maybe_orphans)),
            GRID_VERSION,
            most + 1,
        ).fetchall()
        if len(rows) > most:
            return []
        return [
            DyingRow(
                content,
                digest,
                size_bytes,
                modality,
                words,
                cut_s,
                {name: fact for name, fact in zip(FACTS, facts, strict=True) if fact is not None},
                {name: tuple(values) for name, values in self.labels(content).items()},
            )
            for content, digest, size_bytes, modality, words, cut_s, *facts in rows
        ]

    def check_settled(self) -> None:
        """Raise when contents may have lost their last item and nobody collected them."""
        if self._maybe_orphans:
            raise RuntimeError("a write transaction ended without collect()")

    # items

    def put_item(self, root: int, rel_path: bytes, stat: Stat, content: int | None) -> int:
        """The item at that place with that content: made, or given its new content; its id.

        A failure noted there is cleared when there is a content.
        """
        values = {**_place(root, rel_path), **stat._asdict(), "content_id": content}
        known = self._run(
            "SELECT id, content_id FROM items WHERE root_id = ? AND rel_path = ?", root, rel_path
        ).fetchone()
        if known is None:
            item = self._insert(tables.Item, values)
        else:
            item = int(known[0])
            self._let_go(known[1], content)
            self._update(tables.Item, item, values)
        if content is not None:
            self.clear_failure(root, rel_path)
        self._index_words(item)
        return item

    def move_item(self, item: int, root: int, rel_path: bytes, stat: Stat) -> None:
        """The item's file now lies elsewhere; content and tags stay.

        An item that was there is set aside, to a path where no file can be: below that file.
        """
        values = {**_place(root, rel_path), **stat._asdict()}
        for (other,) in self._run(
            "SELECT id FROM items WHERE root_id = ? AND rel_path = ? AND id <> ?",
            *(root, rel_path, item),
        ).fetchall():
            self._update(tables.Item, other, _place(root, b"%s/%d" % (rel_path, other)))
            self._index_words(other)
        self._update(tables.Item, item, values)
        self.clear_failure(root, rel_path)
        self._index_words(item)

    def touch_item(self, item: int, stat: Stat) -> None:
        """The item's file was touched, but holds the same."""
        self._update(tables.Item, item, stat._asdict())

    def remove_items(self, items: Iterable[int]) -> int:
        """Forget items with their tags and words; how many there were."""
        removed = 0
        for item in items:
            row = self._run("SELECT content_id FROM items WHERE id = ?", item).fetchone()
            if row is None:
                continue
            self._let_go(row[0], None)
            for table in ("tags", "sidecars", "sidecar_tags"):
                self._run(f"DELETE FROM {table} WHERE item_id = ?", item)
            self._run("DELETE FROM item_words WHERE rowid = ?", item)
            self._run("DELETE FROM items WHERE id = ?", item)
            removed += 1
        return removed

    def tag(self, item: int, add: Iterable[str] = (), remove: Iterable[str] = ()) -> bool:
        """Put words on an item and take others off; whether anything changed.

        Case makes no difference: of two spellings the first one stays.
        """
        before = self.tags(item)
        gone = {tag_key(word) for word in remove}
        kept = {tag_key(word): word for word in reversed([*before, *add])}
        after = sorted(word for key, word in kept.items() if key not in gone)
        if after == before:
            return False
        self._run("DELETE FROM tags WHERE item_id = ?", item)
        for word in after:
            self._run("INSERT INTO tags (item_id, word) VALUES (?, ?)", item, word)
        self._index_words(item)
        return True

    # sidecars

    def put_sidecar(self, item: int, key: bytes, words: str, tags: Iterable[str]) -> None:
        """What the files beside an item say of it now; an item that is gone stays gone."""
        if not self._run("SELECT 1 FROM items WHERE id = ?", item).fetchone():
            return
        self._drop_sidecar(item)
        self._run("INSERT INTO sidecars VALUES (?, ?, ?)", item, key, _storable(words))
        for word in dict.fromkeys(map(_storable, tags)):
            self._run("INSERT INTO sidecar_tags VALUES (?, ?)", item, word)
        self._index_words(item)

    def drop_sidecar(self, item: int) -> None:
        """No file stands beside an item any more."""
        self._drop_sidecar(item)
        if self._run("SELECT 1 FROM items WHERE id = ?", item).fetchone():
            self._index_words(item)

    def _drop_sidecar(self, item: int) -> None:
        for table in ("sidecars", "sidecar_tags"):
            self._run(f"DELETE FROM {table} WHERE item_id = ?", item)

    # failures

    def fail(self, root: int, rel_path: bytes, stat: Stat, kind: FailureKind, message: str) -> None:
        """Note that the file there cannot be read as it is; a known item loses its content."""
        known = self._run(
            "SELECT id, content_id FROM items WHERE root_id = ? AND rel_path = ?", root, rel_path
        ).fetchone()
        if known is not None:
            self._let_go(known[1], None)
            self._update(tables.Item, known[0], {**stat._asdict(), "content_id": None})
            self._index_words(int(known[0]))
        self.clear_failure(root, rel_path)
        place = _place(root, rel_path)
        del place["suffix"]
        noted = {"kind": kind, "message": _storable(message)}
        self._insert(tables.Failure, {**place, **stat._asdict(), **noted})

    def clear_failure(self, root: int, rel_path: bytes) -> None:
        """The file there is not a failure any more: it was read, or is gone."""
        self._run("DELETE FROM failures WHERE root_id = ? AND rel_path = ?", root, rel_path)

    # spaces and partitions

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
        last = spaces.last_segment(self._connection)
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
        return spaces.drop(self._connection, space)

    def rename_space(self, old: str, new: str) -> None:
        """A known space goes by another id from now on; its files are to lie there."""
        spaces.rename(self._connection, old, new)

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

    def _absorb(self, inner: int, root: int, prefix: bytes) -> None:
        """What belonged to the inner root belongs to `root` from now on."""
        for table in ("items", "failures"):
            rows = self._run(
                f"SELECT id, rel_path FROM {table} WHERE root_id = ?", inner
            ).fetchall()
            for row, rel_path in rows:
                self._run(
                    f"UPDATE {table} SET root_id = ?, rel_path = ?, display = ? WHERE id = ?",
                    root,
                    prefix + rel_path,
                    display(prefix + rel_path),
                    row,
                )
        self._run("DELETE FROM roots WHERE id = ?", inner)

    def _let_go(self, old: int | None, new: int | None) -> None:
        if old is not None and old != new:
            self._maybe_orphans.add(old)

    def _index_words(self, item: int) -> None:
        """Bring the item's line of the full-text table in step."""
        [(rel_path, tags, found)] = self._run(f"{ITEM_WORDS} WHERE i.id = ?", item)
        self._run("DELETE FROM item_words WHERE rowid = ?", item)
        self._run(
            "INSERT INTO item_words (rowid, name, tags, words) VALUES (?, ?, ?, ?)",
            item,
            name_words(rel_path),
            tags,
            found,
        )

    def _do(self, statement: Any) -> None:
        self._builder.execute(statement)

    def _insert(self, table: type[tables.Base], values: Mapping[str, Any]) -> int:
        key = self._builder.execute(_inserting(table), values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _update(self, table: type[tables.Base], row: int, values: Mapping[str, Any]) -> None:
        self._builder.execute(_updating(table), {"wanted": row, **values})


# Built once per table: building a statement takes longer than running it.
@cache
def _inserting(table: type[tables.Base]) -> Insert:
    return insert(table.metadata.tables[table.__tablename__])


@cache
def _updating(table: type[tables.Base]) -> Update:
    columns = table.metadata.tables[table.__tablename__]
    return update(columns).where(columns.c.id == bindparam("wanted"))


def _place(root: int, rel_path: bytes) -> dict[str, Any]:
    return {
        "root_id": root,
        "rel_path": rel_path,
        "display": display(rel_path),
        "suffix": suffix_of(rel_path),
    }


def _storable(text: str) -> str:
    """The text without lone surrogates, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
