"""Whether the full-text tables hold the words of the items and segments, and making them anew.

FTS5 examines itself only when it may write; so both tables are made a second time as temporary
ones, and their words, places and numbers are compared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from unisearch.catalog.words import ITEM_WORDS, name_words, suffix_of
from unisearch.errors import display

_TOKENS = "tokenize = 'porter unicode61 remove_diacritics 2'"
_COLUMNS = {"item_words": "name, tags, words", "passages": "text"}
_OF_TABLE = {
    "item_words": f"{_COLUMNS['item_words']}, {_TOKENS}",
    "passages": f"text, content = 'segments', content_rowid = 'id', {_TOKENS}",
}
# Of each word how often it stands, and a sum that depends on where.
_DIGESTS = (
    "SELECT term, count(*), sum((doc * 31 + offset * 7 + unicode(col)) % 1000003)"
    " FROM temp.{name} GROUP BY term"
)
# As bytes: a damaged text may be no UTF-8.
_SHOWN = {
    "items": "SELECT id, rel_path, CAST(display AS BLOB), CAST(suffix AS BLOB) FROM items",
    "failures": "SELECT id, rel_path, CAST(display AS BLOB), NULL FROM failures",
}


def problems(connection: sqlite3.Connection) -> list[str]:
    """What is wrong, a line each."""
    found = []
    for table in _COLUMNS:
        try:
            if _differs(connection, table):
                found.append(f"{table}: the words for searching are not those of the records")
        except sqlite3.Error as error:
            found.append(f"{table}: {' '.join(str(error).split())}")
    wrong = sum(len(_misnamed(connection, table)) for table in _SHOWN)
    if wrong:
        found.append(f"{wrong:,} files are shown under another name than theirs")
    return found


def rebuild(connection: sqlite3.Connection) -> None:
    """Make both tables, and the shown names, anew from the records. For a writer."""
    for table, options in _OF_TABLE.items():
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"CREATE VIRTUAL TABLE {table} USING fts5 ({options})")
        _fill(connection, "main", table)
    for table in _SHOWN:
        for row, path in _misnamed(connection, table):
            suffix = {"items": ", suffix = :suffix"}.get(table, "")
            connection.execute(
                f"UPDATE {table} SET display = :display{suffix} WHERE id = :id",
                {"display": display(path), "suffix": suffix_of(path), "id": row},
            )


def _misnamed(connection: sqlite3.Connection, table: str) -> list[tuple[int, bytes]]:
    """(id, path) of the files whose shown name or suffix is not that of their path."""
    return [
        (row, path)
        for row, path, shown, suffix in connection.execute(_SHOWN[table])
        if shown != display(path).encode() or suffix not in (None, suffix_of(path).encode())
    ]


def _differs(connection: sqlite3.Connection, table: str) -> bool:
    """Whether the table holds other words, or words at other places, than the records."""
    names = {"expected": f"fts5({_COLUMNS[table]}, content = '', {_TOKENS})"}
    names["is_now"] = f"fts5vocab('main', '{table}', 'instance')"
    names["should_be"] = "fts5vocab('temp', 'expected', 'instance')"
    try:
        for name, made in names.items():
            connection.execute(f"CREATE VIRTUAL TABLE temp.{name} USING {made}")
        _fill(connection, "temp", table, "expected")
        now = connection.execute(_DIGESTS.format(name="is_now"))
        wanted = connection.execute(_DIGESTS.format(name="should_be"))
        with closing(now), closing(wanted):  # an open cursor would hold the tables
            return any(a != b for a, b in _pairs(iter(now), iter(wanted)))
    finally:
        for name in reversed(names):
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _pairs(left: Iterator[object], right: Iterator[object]) -> Iterator[tuple[object, object]]:
    """One of each, None where one has ended."""
    while True:
        pair = next(left, None), next(right, None)
        if pair == (None, None):
            return
        yield pair


def _fill(connection: sqlite3.Connection, schema: str, table: str, name: str | None = None) -> None:
    """Write the words of the records into an empty table."""
    into = f"INSERT INTO {schema}.{name or table} (rowid, {_COLUMNS[table]})"
    if table == "passages":
        connection.execute(f"{into} SELECT id, text FROM segments WHERE text <> ''")
        return
    items = ITEM_WORDS.replace("SELECT", "SELECT i.id,", 1)
    for item, path, tags, words in connection.execute(f"{items} ORDER BY i.id"):
        connection.execute(f"{into} VALUES (?, ?, ?, ?)", (item, name_words(path), tags, words))
