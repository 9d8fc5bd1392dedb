"""Records that contradict each other are put right; nothing is made up.

Files whose records are lost keep their item, with its id and tags, and lose their content: the
next `index` reads them again. For a writer, inside its transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from unisearch.catalog import texts
from unisearch.catalog.check import KNOWN
from unisearch.errors import display

#: What is done, and how, in this order: later ones tidy up after earlier ones.
_STEPS = {
    "tags of no item dropped": "DELETE FROM tags WHERE item_id NOT IN (SELECT id FROM items)",
    "words from beside no item dropped": (
        "DELETE FROM sidecars WHERE item_id NOT IN (SELECT id FROM items)"
    ),
    "tags from beside no item dropped": (
        "DELETE FROM sidecar_tags WHERE item_id NOT IN (SELECT id FROM items)"
    ),
    "files of no folder dropped from the list of failures": (
        "DELETE FROM failures WHERE root_id NOT IN (SELECT id FROM roots)"
    ),
    "files whose content is unknown: to be read again": (
        "UPDATE items SET content_id = NULL WHERE content_id NOT IN (SELECT id FROM contents)"
    ),
    "files whose content has no segment or kind: to be read again": (
        "UPDATE items SET content_id = NULL WHERE content_id IN (SELECT id FROM contents"
        f" WHERE modality NOT IN ({KNOWN})"
        " OR NOT EXISTS (SELECT 1 FROM segments WHERE content_id = contents.id)"
        " OR EXISTS (SELECT 1 FROM segments WHERE content_id = contents.id"
        f" AND modality NOT IN ({KNOWN})))"
    ),
    "segments of no content dropped": (
        "DELETE FROM segments WHERE content_id NOT IN (SELECT id FROM contents)"
    ),
    "segments of no file dropped": (
        "DELETE FROM segments WHERE content_id NOT IN"
        " (SELECT content_id FROM items WHERE content_id IS NOT NULL)"
    ),
    "labels of no file dropped": (
        "DELETE FROM labels WHERE content_id NOT IN"
        " (SELECT content_id FROM items WHERE content_id IS NOT NULL)"
    ),
    "notes of what no content lacks dropped": (
        "DELETE FROM gaps WHERE space_id NOT IN (SELECT id FROM spaces) OR content_id NOT IN"
        " (SELECT content_id FROM items WHERE content_id IS NOT NULL)"
    ),
    "contents of no file dropped": (
        "DELETE FROM contents WHERE id NOT IN"
        " (SELECT content_id FROM items WHERE content_id IS NOT NULL)"
    ),
    "partitions of an impossible extent emptied": (
        "UPDATE partitions SET count = 0, epoch = max(epoch, 0) WHERE count < 0 OR epoch < 0"
    ),
    "dead rows of no partition dropped": (
        "DELETE FROM dead_rows WHERE NOT EXISTS (SELECT 1 FROM partitions p WHERE"
        " p.id = partition_id AND p.epoch = dead_rows.epoch AND row >= 0 AND row < p.count)"
    ),
    "checksums of no row dropped": (
        "DELETE FROM blocks WHERE NOT EXISTS (SELECT 1 FROM partitions p WHERE"
        " p.id = partition_id AND p.epoch = blocks.epoch AND block >= 0 AND block * 4096 < p.count)"
    ),
    "samples of no partition dropped": (
        "DELETE FROM backgrounds WHERE partition_id NOT IN (SELECT id FROM partitions)"
    ),
    "numbers of dead rows counted anew": (
        "UPDATE partitions SET dead = (SELECT count(*) FROM dead_rows d"
        " WHERE d.partition_id = partitions.id AND d.epoch = partitions.epoch)"
        " WHERE dead <> (SELECT count(*) FROM dead_rows d"
        " WHERE d.partition_id = partitions.id AND d.epoch = partitions.epoch)"
    ),
}


def mend_records(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """(what was done, what is lost), a line each."""
    done, lost = texts.mend(connection)
    lost += _drop_homeless(connection)
    for what, statement in _STEPS.items():
        count = connection.execute(statement).rowcount
        if count:
            done.append(f"{count:,} {what}")
    raised = [table for table in ("items", "segments") if _raise_sequence(connection, table)]
    done += [f"{table}: the last id that was given, set to the largest" for table in raised]
    return done, lost


def let_go(connection: sqlite3.Connection, contents: Iterable[int]) -> None:
    """The items of these contents have none any more."""
    connection.execute(
        "UPDATE items SET content_id = NULL WHERE content_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(contents)),),
    )


def drop_segments(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Forget segments whose vectors are lost."""
    connection.execute(
        "DELETE FROM segments WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )


def _drop_homeless(connection: sqlite3.Connection) -> list[str]:
    """Items whose folder is unknown: nobody can say where their files are."""
    rows = connection.execute(
        "SELECT id, rel_path, (SELECT group_concat(word, ', ') FROM tags WHERE item_id = items.id)"
        " FROM items WHERE root_id NOT IN (SELECT id FROM roots)"
    ).fetchall()
    lost = []
    for item, path, tags in rows:
        tagged = f", tags: {tags}" if tags else ""
        lost.append(f"item {item} ('{display(path)}' below an unknown folder{tagged})")
        for table in ("tags", "sidecars", "sidecar_tags"):
            connection.execute(f"DELETE FROM {table} WHERE item_id = ?", (item,))
        connection.execute("DELETE FROM items WHERE id = ?", (item,))
    return lost


def _raise_sequence(connection: sqlite3.Connection, table: str) -> bool:
    """No id is given twice: the last one given is at least the largest there is.

    Returns whether it was not.
    """
    largest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
    named = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?"
    if connection.execute(named, (table,)).fetchone()[0] >= largest:
        return False
    connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, largest))
    return True
