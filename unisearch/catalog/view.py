"""One read transaction on the catalogue."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog import backgrounds, check, spaces, words
from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.check import Problem
from unisearch.catalog.folders import below, join, relative
from unisearch.catalog.rows import (
    Counts,
    DescribedRow,
    FailureRow,
    ItemRow,
    KnownFile,
    Lack,
    Owed,
    PartitionRow,
    RootRow,
    SegmentRow,
    SpaceRow,
    Stat,
    StoredPart,
    WordMatch,
)
from unisearch.catalog.where_sql import Condition
from unisearch.records import FACTS, Block, Modality, PartitionState

__all__ = ["DeadRows", "SegmentRow", "View"]

T = TypeVar("T")

_STAT = "{0}.inode, {0}.device, {0}.size_bytes, {0}.mtime_ns, {0}.ctime_ns"
_ITEM = f"""
    SELECT i.id, i.root_id, r.path, i.rel_path, i.display, i.suffix, i.content_id, c.modality,
           {_STAT.format("i")}, c.words, c.truncated_at_s, {", ".join(f"c.{f}" for f in FACTS)}
    FROM items i JOIN roots r ON r.id = i.root_id LEFT JOIN contents c ON c.id = i.content_id
"""
# w: [segment, …]
_HITS = """
    SELECT s.id, s.content_id, i.id, i.root_id, i.rel_path, s.start_s, s.end_s, s.text,
           (SELECT count(*) - 1 FROM items WHERE content_id = s.content_id)
    FROM json_each(:wanted) w
    JOIN segments s ON s.id = w.value
    JOIN items i ON i.id = (SELECT min(id) FROM items WHERE content_id = s.content_id)
"""
# w: {segment: the item that is preferred, or null}.
# CASE: only a hit's own items are asked, never first all those that pass the filters.
_CHOSEN_HITS = """
    SELECT s.id, s.content_id, i.id, i.root_id, i.rel_path, s.start_s, s.end_s, s.text,
           (SELECT count(*) - 1 FROM items WHERE content_id = s.content_id)
    FROM json_each(:wanted) w
    JOIN segments s ON s.id = CAST(w.key AS INTEGER){contents}
    JOIN items i ON i.id = coalesce(
        (SELECT i.id FROM items i
         WHERE i.id = w.value AND i.content_id = s.content_id AND CASE WHEN 1{filters} THEN 1 END),
        (SELECT min(i.id) FROM items i
         WHERE i.content_id = s.content_id AND CASE WHEN 1{filters} THEN 1 END)
    )
"""
_DESCRIBED = (
    "SELECT r.path, i.rel_path, i.id, c.modality, s.key FROM items i"
    " JOIN roots r ON r.id = i.root_id JOIN contents c ON c.id = i.content_id"
    " LEFT JOIN sidecars s ON s.item_id = i.id"
)
_FROM_CONTENTS = "FROM contents c JOIN segments s ON s.content_id = c.id"
_FROM_ITEMS = (
    "FROM items i JOIN contents c ON c.id = i.content_id JOIN segments s ON s.content_id = c.id"
)


class DeadRows:
    """Dead rows as read last: within an epoch they only grow, so their number tells them apart."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, NDArray[np.int64]]] = {}

    def of(self, connection: sqlite3.Connection, partition: int, epoch: int, dead: int) -> Any:
        """The dead rows of a partition, ascending; read again only when there are more."""
        known = self._known.get(partition)
        if known and known[0] == epoch and len(known[1]) == dead:
            return known[1]
        rows = connection.execute(
            "SELECT row FROM dead_rows WHERE partition_id = ? AND epoch = ? ORDER BY row",
            (partition, epoch),
        )
        found = _ids(rows)
        self._known[partition] = (epoch, found)
        return found


class View:
    """Questions that all see the same committed state."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        dead: DeadRows,
        memory: dict[Any, Any] | None = None,
        file: Hashable = None,
    ) -> None:
        """memory: what was read before and still holds; None for a state that changes

        file: tells this catalogue from another one that was put in its place
        """
        self.file = file
        self._connection = connection
        self._dead = dead
        self._memory = memory

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

    def hits(
        self,
        segment_ids: Iterable[int],
        under: bytes | None = None,
        prefer: Mapping[int, int] | None = None,
        where: Condition | None = None,
    ) -> dict[int, SegmentRow]:
        """Segments by id, each with its first item that passes the filters, in one statement.

        prefer: items by segment, each taken instead of the first one when it has that segment
        Ids that are unknown, or without an item that passes, are left out.
        """
        wanted = list(map(int, segment_ids))
        if under is None and where is None and not prefer:
            rows = self._connection.execute(_HITS, {"wanted": json.dumps(wanted)})
        else:
            rows = self._chosen(wanted, under, prefer or {}, where)
        roots = self._root_paths()
        return {
            segment: SegmentRow(segment, content, item, join(roots[root], rel_path), *rest)
            for segment, content, item, root, rel_path, *rest in rows
            if root in roots
        }

    def _chosen(
        self,
        segment_ids: Iterable[int],
        under: bytes | None,
        prefer: Mapping[int, int],
        where: Condition | None,
    ) -> sqlite3.Cursor:
        """The rows of `hits` where not just any item will do."""
        filters, values = self._filters(under, where)
        values["wanted"] = json.dumps({key: prefer.get(key) for key in segment_ids})
        # A row that nobody asks for is a page of the file less to read.
        contents = " JOIN contents c ON c.id = s.content_id" if "c." in filters else ""
        statement = _CHOSEN_HITS.format(filters=filters, contents=contents)
        return self._connection.execute(statement, values)

    def _root_paths(self) -> dict[int, bytes]:
        """The indexed folders by id."""
        return self._once("root_paths", lambda: dict(self._run("SELECT id, path FROM roots")))

    def segments(
        self,
        under: bytes | None = None,
        modalities: Sequence[Modality] | None = None,
        items: Sequence[int] | None = None,
        where: Condition | None = None,
    ) -> NDArray[np.int64]:
        """The ids of all segments that pass every given filter, ascending.

        modalities: of the segments, not of their files: a video has some of sound
        One file has to pass `under`, `items` and `where`; copies share their segments.
        """
        filters, values = self._filters(under, where)
        if items is not None:
            filters += " AND i.id IN (SELECT value FROM json_each(:items))"
            values["items"] = json.dumps([int(item) for item in items])
        source = _FROM_ITEMS if re.search(r"\bi\.", filters) else _FROM_CONTENTS
        filters += _of_modalities(modalities, values)
        # One long text: a million rows, each a Python object, would take four times as long.
        found = self._connection.execute(
            f"SELECT group_concat(s.id) {source} WHERE 1{filters}", values
        ).fetchone()[0]
        ids = np.fromstring(found, np.int64, sep=",") if found else np.empty(0, np.int64)
        return ids if bool(np.all(ids[1:] > ids[:-1])) else np.unique(ids)

    def segments_of(self, item: int) -> dict[Modality, NDArray[np.int64]]:
        """The ids of an item's segments by their modality, ascending; its copies share them."""
        rows = self._run(
            "SELECT s.modality, s.id FROM items i JOIN segments s ON s.content_id = i.content_id"
            " WHERE i.id = ? ORDER BY s.id",
            item,
        )
        found: dict[Modality, list[int]] = {}
        for modality, segment in rows:
            found.setdefault(modality, []).append(segment)
        return {modality: np.array(ids, np.int64) for modality, ids in found.items()}

    def match_words(
        self,
        query: str,
        limit: int,
        modalities: Sequence[Modality] | None = None,
        under: bytes | None = None,
        where: Condition | None = None,
    ) -> list[WordMatch]:
        """The segments whose name, tags, words or passage fit, best first; no input is an error.

        modalities, under, where: only segments that pass these filters are counted to the limit
        """
        filters, values = self._filters(under, where)
        filters += _of_modalities(modalities, values)
        return words.match_words(self._connection, query, limit, filters, values)

    def item(self, item_id: int) -> ItemRow | None:
        """The item of that id."""
        row = self._run(f"{_ITEM} WHERE i.id = ?", item_id).fetchone()
        return _item(row) if row else None

    def item_at(self, path: bytes) -> ItemRow | None:
        """The item at that place."""
        clause, values = self._below(path)
        rows = self._connection.execute(f"{_ITEM} WHERE 1{clause}", values)
        place = os.path.realpath(path)
        return next((item for item in map(_item, rows) if item.path == place), None)

    def items(self, under: bytes | None = None) -> list[ItemRow]:
        """All items, or those at and below a place, by id."""
        clause, values = self._below(under)
        rows = self._connection.execute(f"{_ITEM} WHERE 1{clause} ORDER BY i.id", values)
        return [_item(row) for row in rows]

    def suffixes(self) -> list[str]:
        """The endings of all items' names, with their dots, in small letters."""
        rows = self._run("SELECT DISTINCT suffix FROM items WHERE suffix <> '' ORDER BY suffix")
        return [suffix for (suffix,) in rows]

    def items_after(self, item_id: int, most: int) -> list[ItemRow]:
        """So many items of larger ids, by id."""
        rows = self._run(f"{_ITEM} WHERE i.id > ? ORDER BY i.id LIMIT ?", item_id, most)
        return [_item(row) for row in rows]

    def digest_of(self, content: int) -> bytes | None:
        """The digest of a content."""
        row = self._run("SELECT digest FROM contents WHERE id = ?", content).fetchone()
        return row[0] if row else None

    def known_files(self, under: bytes | None = None) -> dict[bytes, KnownFile]:
        """The items at and below a place, by path: no more than tells whether they changed."""
        clause, values = self._below(under)
        rows = self._connection.execute(
            f"SELECT r.path, i.rel_path, i.id, i.content_id, {_STAT.format('i')}"
            f" FROM items i JOIN roots r ON r.id = i.root_id WHERE 1{clause}",
            values,
        )
        return {join(row[0], row[1]): KnownFile(row[2], Stat(*row[4:]), row[3]) for row in rows}

    def items_of(self, content: int) -> list[ItemRow]:
        """The items that share a content, by id."""
        return [
            _item(row)
            for row in self._run(f"{_ITEM} WHERE i.content_id = ? ORDER BY i.id", content)
        ]

    def items_with_digest(self, start: bytes) -> list[ItemRow]:
        """The items whose content's digest begins with that, by id."""
        clause = "WHERE c.digest >= ? AND c.digest < ? ORDER BY i.id"
        return [_item(row) for row in self._run(f"{_ITEM} {clause}", start, start + b"\xff")]

    def items_with_inode(self, inode: int) -> list[ItemRow]:
        """The items whose file had that inode number when it was last seen."""
        return [_item(row) for row in self._run(f"{_ITEM} WHERE i.inode = ? ORDER BY i.id", inode)]

    def content_of(self, digest: bytes, size_bytes: int, grid_version: int) -> int | None:
        """The content of that digest and size, if it is known."""
        found = self._run(
            "SELECT id FROM contents WHERE digest = ? AND size_bytes = ? AND grid_version = ?",
            digest,
            size_bytes,
            grid_version,
        ).fetchone()
        return found[0] if found else None

    def files_by_digest(self, modalities: Sequence[Modality]) -> list[tuple[bytes, bytes, Stat]]:
        """(digest of its content, path, as last seen) of every item of those, by digest."""
        marks = ",".join("?" * len(modalities))
        rows = self._run(
            f"SELECT c.digest, r.path, i.rel_path, {_STAT.format('i')} FROM items i"
            " JOIN roots r ON r.id = i.root_id JOIN contents c ON c.id = i.content_id"
            f" WHERE c.modality IN ({marks}) ORDER BY c.digest",
            *modalities,
        )
        return [(row[0], join(row[1], row[2]), Stat(*row[3:])) for row in rows]

    def digests(self) -> set[bytes]:
        """The digests of all contents."""
        return {digest for (digest,) in self._run("SELECT digest FROM contents")}

    def tags(self, item_id: int) -> list[str]:
        """The words on an item, in order."""
        rows = self._run("SELECT word FROM tags WHERE item_id = ? ORDER BY word", item_id)
        return [word for (word,) in rows]

    def labels(self, content: int) -> dict[str, list[str]]:
        """What a content's file says of itself, by the names of LABELS."""
        found: dict[str, list[str]] = {}
        rows = self._run("SELECT name, value FROM labels WHERE content_id = ?", content)
        for name, value in rows:
            found.setdefault(name, []).append(value)
        return found

    def described(self, under: bytes | None = None) -> list[DescribedRow]:
        """Items at and below a place that files beside them may describe, and those they do."""
        clause, values = self._below(under)
        rows = self._connection.execute(
            f"{_DESCRIBED} WHERE (c.modality <> 'text' OR s.key IS NOT NULL){clause}",
            values,
        )
        return [DescribedRow(join(row[0], row[1]), *row[2:]) for row in rows]

    def described_as(self, path: bytes) -> list[DescribedRow]:
        """As described, the items at that path and at that path with any suffix behind it."""
        found = []
        for root, at in self._run("SELECT id, path FROM roots").fetchall():
            rel_path = relative(at, path)
            if rel_path:
                bounds = (rel_path, rel_path + b".", rel_path + b"/")
                rows = self._run(
                    f"{_DESCRIBED} WHERE i.root_id = ? AND (i.rel_path = ?"
                    " OR i.rel_path > ? AND i.rel_path < ?)",
                    *(root, *bounds),
                )
                found += [DescribedRow(join(row[0], row[1]), *row[2:]) for row in rows]
        return found

    def roots(self) -> list[RootRow]:
        """The indexed folders, by path."""
        rows = self._run(
            "SELECT r.id, r.path, r.whole, (SELECT count(*) FROM items WHERE root_id = r.id)"
            " FROM roots r ORDER BY r.path"
        )
        return [RootRow(root, path, bool(whole), items) for root, path, whole, items in rows]

    def whole_roots(self) -> list[bytes]:
        """The folders that are indexed with all that lies below."""
        return [path for (path,) in self._run("SELECT path FROM roots WHERE whole")]

    def failures(self, under: bytes | None = None) -> list[FailureRow]:
        """The files that could not be read, at and below a place or everywhere, by path."""
        clause, values = self._below(under)
        rows = self._connection.execute(
            f"SELECT r.path, i.rel_path, i.kind, i.message, {_STAT.format('i')}"
            f" FROM failures i JOIN roots r ON r.id = i.root_id WHERE 1{clause}",
            values,
        )
        found = [FailureRow(join(row[0], row[1]), row[2], row[3], Stat(*row[4:])) for row in rows]
        return sorted(found, key=lambda failure: failure.path)

    def truncated(self, under: bytes | None = None) -> list[tuple[bytes, float]]:
        """(path, seconds) of the items that were longer than the limit and cut there, by path."""
        clause, values = self._below(under)
        rows = self._connection.execute(
            "SELECT r.path, i.rel_path, c.truncated_at_s FROM items i"
            " JOIN roots r ON r.id = i.root_id JOIN contents c ON c.id = i.content_id"
            f" WHERE c.truncated_at_s IS NOT NULL{clause}",
            values,
        )
        return sorted((join(row[0], row[1]), row[2]) for row in rows)

    def counts(self) -> dict[Modality, Counts]:
        """How many items and contents of each modality, and segments of these, there are."""
        rows = self._run(
            "SELECT c.modality,"
            " sum((SELECT count(*) FROM items WHERE content_id = c.id)), count(*),"
            " sum((SELECT count(*) FROM segments WHERE content_id = c.id))"
            " FROM contents c GROUP BY c.modality"
        )
        return {modality: Counts(*numbers) for modality, *numbers in rows}

    def spaces(self) -> list[SpaceRow]:
        """The spaces whose vectors are held, oldest first."""
        return [row for row in self.spaces_and_parts() if row.state != "parts"]

    def spaces_and_parts(self) -> list[SpaceRow]:
        """The spaces, and the parts that vectors of some are mixed of, as partitions name them."""
        return self._once("spaces", lambda: spaces.of_all(self._connection))

    def space(self, space_id: str) -> SpaceRow | None:
        """The space of that id; none for parts."""
        return next((space for space in self.spaces() if space.id == space_id), None)

    def expected(self, space: SpaceRow, modality: Modality) -> NDArray[np.int64]:
        """The segments of that modality that have a vector in the space, if all is right;
        ascending."""
        return spaces.expected(self._connection, space, modality)

    def owed(self, after: int, most: int) -> list[Owed]:
        """The contents whose first segment is behind `after`, in the order of their segments."""
        return spaces.owed(self._connection, after, most)

    def parts_of(self, content: int) -> list[StoredPart]:
        """The segments of a content, in order."""
        return spaces.parts_of(self._connection, content)

    def extent(self, space: SpaceRow) -> tuple[int, int]:
        """(segments that were come by, all segments) of the modalities that a space covers."""
        return spaces.extent(self._connection, space)

    def gaps(self, space_id: str | None = None) -> list[tuple[Owed, str, Lack]]:
        """(content, space, why) of what has no vector in a space though it came by."""
        return spaces.gaps(self._connection, space_id)

    def count_gaps(self, space_id: str) -> dict[Lack, int]:
        """How many contents have no vector in a space, by the reason."""
        return spaces.count_gaps(self._connection, space_id)

    def backgrounds(self, space_id: str | None = None) -> list[BackgroundRow]:
        """The samples of the partitions of a space, or of all spaces, without their vectors."""
        return self._once(
            ("backgrounds", space_id), lambda: backgrounds.of_all(self._connection, space_id)
        )

    def background_sample(self, row: BackgroundRow) -> NDArray[np.float16]:
        """The vectors (n, dim) of a sample. Raises LibraryDamaged when they are not as stored."""
        return backgrounds.sample_of(self._connection, row)

    def problems(self) -> list[Problem]:
        """What is wrong with the catalogue itself; reads every page."""
        return check.problems(self._connection)

    def readable(self) -> dict[str, tuple[int, bool]]:
        """(rows that can be read, whether these are all) of each table of a damaged catalogue."""
        return check.readable(self._connection)

    def waiting(self) -> list[bytes]:
        """Files without a content that are no failures: the next `index` reads them; by path."""
        rows = self._run(
            "SELECT r.path, i.rel_path FROM items i JOIN roots r ON r.id = i.root_id"
            " WHERE i.content_id IS NULL AND NOT EXISTS (SELECT 1 FROM failures f"
            " WHERE f.root_id = i.root_id AND f.rel_path = i.rel_path)"
        )
        return sorted(join(*row) for row in rows)

    def contents_of(self, segment_ids: Iterable[int]) -> dict[int, list[int]]:
        """The contents that these segments are of, each with those of its segments."""
        rows = self._run(
            "SELECT s.content_id, s.id FROM json_each(?) w JOIN segments s ON s.id = w.value",
            json.dumps([int(segment) for segment in segment_ids]),
        )
        found: dict[int, list[int]] = {}
        for content, segment in rows:
            found.setdefault(content, []).append(segment)
        return found

    def duplicates(self) -> list[list[ItemRow]]:
        """Groups of items that share a content, largest files first."""
        shared = self._run(
            "SELECT content_id FROM items WHERE content_id IS NOT NULL"
            " GROUP BY content_id HAVING count(*) > 1 ORDER BY max(size_bytes) DESC, content_id"
        )
        return [self.items_of(content) for (content,) in shared.fetchall()]

    def _filters(self, under: bytes | None, where: Condition | None) -> tuple[str, dict[str, Any]]:
        """' AND ...' on items i and contents c that holds for what passes both, and its values."""
        filters, values = self._below(under)
        if where is None:
            return filters, values
        return f"{filters} AND {where.sql}", {**values, **where.values}

    def _below(self, under: bytes | None) -> tuple[str, dict[str, Any]]:
        """' AND ...' on items i that holds at and below a place, and its values."""
        if under is None:
            return "", {}
        return below(os.path.realpath(under), self._root_paths().items())

    def _once(self, name: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; read once for each committed state, since most queries see the
        same one."""
        if self._memory is None:
            return read()
        if name not in self._memory:
            self._memory[name] = read()
        found: T = self._memory[name]
        return found

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)


def _of_modalities(modalities: Sequence[Modality] | None, values: dict[str, Any]) -> str:
    """' AND ...' on segments s; what it names is added to the values."""
    if modalities is None:
        return ""
    values["modalities"] = json.dumps(list(modalities))
    return " AND s.modality IN (SELECT value FROM json_each(:modalities))"


def _ids(rows: Iterable[Any]) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in rows), np.int64)


def _item(row: Sequence[Any]) -> ItemRow:
    item, root, path, rel_path, display, suffix, content, modality, *rest = row
    facts = {name: value for name, value in zip(FACTS, rest[7:], strict=True) if value is not None}
    place = join(path, rel_path)
    head = (item, root, path, place, display, suffix, content, modality)
    return ItemRow(*head, Stat(*rest[:5]), facts, rest[5] or "", rest[6])
