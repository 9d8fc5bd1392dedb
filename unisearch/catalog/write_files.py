"""Changes of files: the folders that they lie in, items with their words, and failures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from unisearch.catalog import tables
from unisearch.catalog.files import Files
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import Stat
from unisearch.catalog.statements import Changing
from unisearch.catalog.texts import storable
from unisearch.catalog.transaction import DeadRows
from unisearch.catalog.words import ITEM_WORDS, name_words, suffix_of, tag_key
from unisearch.errors import FailureKind, display


class FileChanges(Changing, Files):
    """Changes of what is known of files. Contents that items let go of may be orphans then."""

    def __init__(self, connection: sqlite3.Connection, builder: Connection, dead: DeadRows) -> None:
        super().__init__(connection, builder, dead)
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
        self._run("INSERT INTO sidecars VALUES (?, ?, ?)", item, key, storable(words))
        for word in dict.fromkeys(map(storable, tags)):
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
        noted = {"kind": kind, "message": storable(message)}
        self._insert(tables.Failure, {**place, **stat._asdict(), **noted})

    def clear_failure(self, root: int, rel_path: bytes) -> None:
        """The file there is not a failure any more: it was read, or is gone."""
        self._run("DELETE FROM failures WHERE root_id = ? AND rel_path = ?", root, rel_path)

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


def _place(root: int, rel_path: bytes) -> dict[str, Any]:
    return {
        "root_id": root,
        "rel_path": rel_path,
        "display": display(rel_path),
        "suffix": suffix_of(rel_path),
    }
