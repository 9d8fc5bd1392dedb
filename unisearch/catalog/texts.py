"""Texts that are no UTF-8: only damage writes them, and whoever reads one is stopped by it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

#: The texts of each table with the column that names a row.
_TEXTS = {
    "contents": ("id", ("modality", "words")),
    "items": ("id", ("display", "suffix")),
    "segments": ("id", ("text", "modality")),
    "failures": ("id", ("display", "kind", "message")),
    "spaces": ("rowid", ("id", "name", "added")),
    "partitions": ("id", ("space_id", "modality")),
    "tags": ("item_id", ("word",)),
    "labels": ("content_id", ("name", "value")),
    "sidecars": ("item_id", ("words",)),
    "sidecar_tags": ("item_id", ("word",)),
}


def broken(connection: sqlite3.Connection) -> dict[tuple[str, str], list[Any]]:
    """Rows, by (table, column), whose text is no UTF-8."""
    found: dict[tuple[str, str], list[Any]] = {}
    for table, (key, columns) in _TEXTS.items():
        for column in columns:
            # Those of plain letters need no look.
            rows = connection.execute(
                f"SELECT {key}, CAST({column} AS BLOB) FROM {table} WHERE {column} GLOB '*[^ -~]*'"
            )
            bad = [row for row, text in rows if not _is_text(text)]
            if bad:
                found[table, column] = bad
    return found


def problems(connection: sqlite3.Connection) -> list[str]:
    """A line for each column."""
    return [
        f"{len(rows):,} texts of {table}.{column} are no UTF-8"
        for (table, column), rows in broken(connection).items()
    ]


def mend(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """(what was done, what is lost). Files whose texts are damaged are to be read again."""
    done, lost = [], []
    for (table, column), rows in broken(connection).items():
        wanted = (json.dumps(rows),)
        ids = "(SELECT value FROM json_each(?))"
        match table:
            case "labels":
                sql = f"DELETE FROM labels WHERE content_id IN {ids}"
                connection.execute(sql, wanted)
                sql = f"UPDATE items SET content_id = NULL WHERE content_id IN {ids}"
            case "sidecars" | "sidecar_tags":  # read again by the next run, with its own key
                connection.execute(f"DELETE FROM sidecar_tags WHERE item_id IN {ids}", wanted)
                sql = f"DELETE FROM sidecars WHERE item_id IN {ids}"
            case "contents":
                sql = f"UPDATE items SET content_id = NULL WHERE content_id IN {ids}"
            case "segments":
                sql = (
                    "UPDATE items SET content_id = NULL WHERE content_id IN"
                    f" (SELECT content_id FROM segments WHERE id IN {ids})"
                )
            case "items":  # made from the path again, with the words
                sql = f"UPDATE items SET {column} = '' WHERE id IN {ids}"
            case "failures":  # tried again by the next run
                sql = f"DELETE FROM failures WHERE id IN {ids}"
            case "tags":
                sql = f"DELETE FROM tags WHERE item_id IN {ids} AND word GLOB '*[^ -~]*'"
                lost += [
                    f"a tag of item {item}, and others of it that are not plain" for item in rows
                ]
            case _:
                continue  # a space or a modality: nobody can say which
        connection.execute(sql, wanted)
        done.append(f"{len(rows):,} damaged texts of {table}.{column} dropped")
    return done, lost


def storable(text: str) -> str:
    """The text without lone surrogates, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_text(stored: bytes) -> bool:
    try:
        stored.decode()
    except UnicodeDecodeError:
        return False
    return True
