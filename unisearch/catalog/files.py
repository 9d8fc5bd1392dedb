"""What is known of files: items and contents, the folders that they lie in, and failures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from unisearch.catalog.folders import below, join, relative
from unisearch.catalog.rows import (
    Counts,
    DescribedRow,
    FailureRow,
    ItemRow,
    KnownFile,
    RootRow,
    Stat,
)
from unisearch.catalog.transaction import Transaction
from unisearch.records import FACTS, Modality

_STAT = "{0}.inode, {0}.device, {0}.size_bytes, {0}.mtime_ns, {0}.ctime_ns"
_ITEM = f"""
    SELECT i.id, i.root_id, r.path, i.rel_path, i.display, i.suffix, i.content_id, c.modality,
           {_STAT.format("i")}, c.words, c.truncated_at_s, {", ".join(f"c.{f}" for f in FACTS)}
    FROM items i JOIN roots r ON r.id = i.root_id LEFT JOIN contents c ON c.id = i.content_id
"""
_DESCRIBED = (
    "SELECT r.path, i.rel_path, i.id, c.modality, s.key FROM items i"
    " JOIN roots r ON r.id = i.root_id JOIN contents c ON c.id = i.content_id"
    " LEFT JOIN sidecars s ON s.item_id = i.id"
)


class Files(Transaction):
    """Questions about files."""

    def item(self, item_id: int) -> ItemRow | None:
        """The item of that id, None when there is none."""
        try:
            row = self._run(f"{_ITEM} WHERE i.id = ?", item_id).fetchone()
        except OverflowError:  # larger than any that SQLite gives
            return None
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

    def known_files(self, under: bytes | None = None) -> dict[bytes, KnownFile]:
        """The items at and below a place, by path: no more than tells whether they changed."""
        clause, values = self._below(under)
        rows = self._connection.execute(
            f"SELECT r.path, i.rel_path, i.id, i.content_id, {_STAT.format('i')}"
            f" FROM items i JOIN roots r ON r.id = i.root_id WHERE 1{clause}",
            values,
        )
        return {join(row[0], row[1]): KnownFile(row[2], Stat(*row[4:]), row[3]) for row in rows}

    def duplicates(self) -> list[list[ItemRow]]:
        """Groups of items that share a content, largest files first."""
        shared = self._run(
            "SELECT content_id FROM items WHERE content_id IS NOT NULL"
            " GROUP BY content_id HAVING count(*) > 1 ORDER BY max(size_bytes) DESC, content_id"
        )
        return [self.items_of(content) for (content,) in shared.fetchall()]

    def waiting(self) -> list[bytes]:
        """Files without a content that are no failures: the next `index` reads them; by path."""
        rows = self._run(
            "SELECT r.path, i.rel_path FROM items i JOIN roots r ON r.id = i.root_id"
            " WHERE i.content_id IS NULL AND NOT EXISTS (SELECT 1 FROM failures f"
            " WHERE f.root_id = i.root_id AND f.rel_path = i.rel_path)"
        )
        return sorted(join(*row) for row in rows)

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

    def tags(self, item_id: int) -> list[str]:
        """The words on an item, in order."""
        rows = self._run("SELECT word FROM tags WHERE item_id = ? ORDER BY word", item_id)
        return [word for (word,) in rows]

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

    def digest_of(self, content: int) -> bytes | None:
        """The digest of a content."""
        row = self._run("SELECT digest FROM contents WHERE id = ?", content).fetchone()
        return row[0] if row else None

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

    def labels(self, content: int) -> dict[str, list[str]]:
        """What a content's file says of itself, by the names of LABELS."""
        found: dict[str, list[str]] = {}
        rows = self._run("SELECT name, value FROM labels WHERE content_id = ?", content)
        for name, value in rows:
            found.setdefault(name, []).append(value)
        return found

    def counts(self) -> dict[Modality, Counts]:
        """How many items and contents of each modality, and segments of these, there are."""
        rows = self._run(
            "SELECT c.modality,"
            " sum((SELECT count(*) FROM items WHERE content_id = c.id)), count(*),"
            " sum((SELECT count(*) FROM segments WHERE content_id = c.id))"
            " FROM contents c GROUP BY c.modality"
        )
        return {modality: Counts(*numbers) for modality, *numbers in rows}

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

    def _root_paths(self) -> dict[int, bytes]:
        """The indexed folders by id."""
        return self._once("root_paths", lambda: dict(self._run("SELECT id, path FROM roots")))

    def _below(self, under: bytes | None) -> tuple[str, dict[str, Any]]:
        """' AND ...' on items i that holds at and below a place, and its values."""
        if under is None:
            return "", {}
        return below(os.path.realpath(under), self._root_paths().items())


def _item(row: Sequence[Any]) -> ItemRow:
    item, root, path, rel_path, display, suffix, content, modality, *rest = row
    facts = {name: value for name, value in zip(FACTS, rest[7:], strict=True) if value is not None}
    place = join(path, rel_path)
    head = (item, root, path, place, display, suffix, content, modality)
    return ItemRow(*head, Stat(*rest[:5]), facts, rest[5] or "", rest[6])
