"""Whether the catalogue agrees with itself. Changes nothing; reads every page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Literal, NamedTuple

from unisearch.catalog import backgrounds, tables, texts, words_check
from unisearch.errors import LibraryDamaged
from unisearch.records import MODALITIES

#: pages: SQLite finds its own file damaged, nothing else can be believed then
#: records: rows that point to nothing or contradict each other
#: words: the full-text tables, which are made from the other ones
#: background: a sample of vectors; where: its partition
Kind = Literal["pages", "records", "words", "background"]

#: The modalities as SQL texts.
KNOWN = ", ".join(f"'{name}'" for name in MODALITIES)


class Problem(NamedTuple):
    """What is wrong, in one line."""

    kind: Kind
    message: str
    partition: int = 0


#: How many there are of what should not be. {modalities} is the list of known ones.
QUESTIONS = {
    "segments of no content": (
        "SELECT count(*) FROM segments s LEFT JOIN contents c ON c.id = s.content_id"
        " WHERE c.id IS NULL"
    ),
    "contents of no item": (
        "SELECT count(*) FROM contents c LEFT JOIN items i ON i.content_id = c.id"
        " WHERE i.id IS NULL"
    ),
    "contents without a segment": (
        "SELECT count(*) FROM contents c LEFT JOIN segments s ON s.content_id = c.id"
        " WHERE s.id IS NULL"
    ),
    "contents of an unknown modality": (
        "SELECT count(*) FROM contents WHERE modality NOT IN ({modalities})"
    ),
    "segments of an unknown modality": (
        "SELECT count(*) FROM segments WHERE modality NOT IN ({modalities})"
    ),
    "partitions of an unknown modality": (
        "SELECT count(*) FROM partitions WHERE modality NOT IN ({modalities})"
    ),
    "partitions of an impossible extent": (
        "SELECT count(*) FROM partitions WHERE epoch < 0 OR count < 0 OR dead > count"
    ),
    "segment ids above the last one that was given": (
        "SELECT count(*) FROM segments"
        " WHERE id > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'segments'), 0)"
    ),
    "item ids above the last one that was given": (
        "SELECT count(*) FROM items"
        " WHERE id > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'items'), 0)"
    ),
    "partitions that count their dead rows wrong": (
        "SELECT count(*) FROM partitions p WHERE dead <> (SELECT count(*) FROM dead_rows d"
        " WHERE d.partition_id = p.id AND d.epoch = p.epoch)"
    ),
    "dead rows outside of their partition": (
        "SELECT count(*) FROM dead_rows d JOIN partitions p ON p.id = d.partition_id"
        " WHERE d.epoch <> p.epoch OR d.row < 0 OR d.row >= p.count"
    ),
    "checksums of no row": (
        "SELECT count(*) FROM blocks b JOIN partitions p ON p.id = b.partition_id"
        " WHERE b.epoch <> p.epoch OR b.block < 0 OR b.block * 4096 >= p.count"
    ),
}


def problems(connection: sqlite3.Connection) -> list[Problem]:
    """Pages of the file, references between tables, numbers, words and samples."""
    pages = list(_pages(connection))
    if pages:
        return pages
    found = []
    for examine in (_references, _records, _texts, _words, _backgrounds):
        try:
            found += examine(connection)
        except sqlite3.Error as error:
            found.append(Problem("pages", " ".join(str(error).split())))
    return found


def readable(connection: sqlite3.Connection) -> dict[str, tuple[int, bool]]:
    """(rows that can be read, whether these are all) of each table of a damaged catalogue."""
    found = {}
    for table in (*tables.Base.metadata.tables, *tables.FTS_TABLES):
        rows, whole = 0, True
        try:
            # '+': from the table itself, not from an index of it.
            for _ in connection.execute(f"SELECT * FROM {table} WHERE +1"):
                rows += 1
        except (sqlite3.Error, UnicodeDecodeError):
            whole = False
        found[table] = rows, whole
    return found


def _pages(connection: sqlite3.Connection) -> Iterator[Problem]:
    try:
        connection.execute("PRAGMA cell_size_check = ON")
        for (line,) in connection.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield Problem("pages", f"page check: {line}")
        missing = _missing(connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        yield Problem("pages", " ".join(str(error).split()))
        return
    if missing:
        yield Problem("pages", f"missing: {', '.join(sorted(missing))}")


def _missing(connection: sqlite3.Connection) -> set[str]:
    """Tables, indexes and triggers that every catalogue has and this one does not."""
    named = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    indexes = {
        index.name for table in tables.Base.metadata.tables.values() for index in table.indexes
    }
    wanted = {*tables.Base.metadata.tables, *tables.FTS_TABLES, *indexes, *tables.TRIGGERS}
    return {str(name) for name in wanted - named}


def _references(connection: sqlite3.Connection) -> list[Problem]:
    return [
        Problem("records", f"row {row[1]} of {row[0]} points to nothing in {row[2]}")
        for row in connection.execute("PRAGMA foreign_key_check")
    ]


def _records(connection: sqlite3.Connection) -> list[Problem]:
    found = []
    for what, question in QUESTIONS.items():
        asked = question.format(modalities=KNOWN)
        count = connection.execute(asked).fetchone()[0]
        if count:
            found.append(Problem("records", f"{count:,} {what}"))
    return found


def _texts(connection: sqlite3.Connection) -> list[Problem]:
    return [Problem("records", line) for line in texts.problems(connection)]


def _words(connection: sqlite3.Connection) -> list[Problem]:
    return [Problem("words", line) for line in words_check.problems(connection)]


def _backgrounds(connection: sqlite3.Connection) -> list[Problem]:
    found = []
    for row in backgrounds.of_all(connection):
        try:
            backgrounds.sample_of(connection, row)
        except (LibraryDamaged, ValueError) as error:
            found.append(Problem("background", str(error), row.partition))
    return found
