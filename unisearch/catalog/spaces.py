"""What the library holds of each space: how far it is built, and what has no vector in it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.rows import Goal, Lack, Owed, SpaceRow, Span, State, StoredPart
from unisearch.factors import MARK, split
from unisearch.records import MODALITIES, Modality

_COLUMNS = "id, name, dim, added, state, modalities, reached, goal"


def of_all(connection: sqlite3.Connection) -> list[SpaceRow]:
    """The spaces, and the parts of their vectors, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM spaces ORDER BY added, rowid")
    found = [_row(*row) for row in rows]
    # Parts are come by with the vectors that are mixed of them.
    reached = {row.parts_id: row.reached for row in found if row.parts_id}
    return [
        replace(row, reached=reached.get(row.id, 0)) if row.state == "parts" else row
        for row in found
    ]


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


def last_segment(connection: sqlite3.Connection) -> int:
    """The last segment id that was given."""
    asked = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'segments'"
    return int(connection.execute(asked).fetchone()[0])


def expected(
    connection: sqlite3.Connection, space: SpaceRow, modality: Modality
) -> NDArray[np.int64]:
    """The segments of that modality that have a vector in the space, if all is right; ascending."""
    if not space.covers(modality):
        return np.empty(0, np.int64)
    # One long text: a million rows, each a Python object, would take four times as long.
    found = connection.execute(
        "SELECT group_concat(id) FROM segments WHERE modality = ? AND id <= ?"
        " AND content_id NOT IN (SELECT content_id FROM gaps WHERE reason <> 'part'"
        " AND (space_id = ? OR instr(space_id, ?) = 1))",  # parts lack what their vectors lack
        (modality, space.reached, space.id, space.id + MARK),
    ).fetchone()[0]
    ids = np.fromstring(found, np.int64, sep=",") if found else np.empty(0, np.int64)
    return np.unique(ids)


def owed(connection: sqlite3.Connection, after: int, most: int) -> list[Owed]:
    """The contents whose first segment is behind `after`, in the order of their segments."""
    rows = connection.execute(
        "SELECT s.content_id, c.digest, c.modality, s.id FROM segments s"
        " JOIN contents c ON c.id = s.content_id WHERE s.id > ? AND s.ordinal ="
        " (SELECT min(ordinal) FROM segments WHERE content_id = s.content_id)"
        " ORDER BY s.id LIMIT ?",
        (after, most),
    )
    return [Owed(*row) for row in rows]


def parts_of(connection: sqlite3.Connection, content: int) -> list[StoredPart]:
    """The segments of a content, in order."""
    rows = connection.execute(
        "SELECT id, start_s, end_s, text, modality FROM segments WHERE content_id = ?"
        " ORDER BY ordinal",
        (content,),
    )
    return [StoredPart(row[0], Span(*row[1:])) for row in rows]


def extent(connection: sqlite3.Connection, space: SpaceRow) -> tuple[int, int]:
    """(segments that were come by, all segments) of the modalities that the space covers."""
    covered = json.dumps([one for one in MODALITIES if space.covers(one)])
    done, total = connection.execute(
        "SELECT count(*) FILTER (WHERE id <= ?), count(*) FROM segments"
        " WHERE modality IN (SELECT value FROM json_each(?))",
        (space.reached, covered),
    ).fetchone()
    return done, total


def gaps(
    connection: sqlite3.Connection, space_id: str | None = None
) -> list[tuple[Owed, str, Lack]]:
    """(content, space, why) of what has no vector there, by content."""
    rows = connection.execute(
        "SELECT g.content_id, c.digest, c.modality, g.space_id, g.reason FROM gaps g"
        " JOIN contents c ON c.id = g.content_id WHERE ? IS NULL OR g.space_id = ?"
        " ORDER BY g.content_id, g.space_id",
        (space_id, space_id),
    )
    return [(Owed(*owed), space, why) for *owed, space, why in rows]


def count_gaps(connection: sqlite3.Connection, space_id: str) -> dict[Lack, int]:
    """How many contents have no vector in a space, or not all, by the reason; also of its parts."""
    rows = connection.execute(
        "SELECT reason, count(DISTINCT content_id) FROM gaps WHERE space_id IN (?, ?)"
        " GROUP BY reason",
        (space_id, split(space_id)[0]),
    )
    return dict(rows.fetchall())


def drop(connection: sqlite3.Connection, space: SpaceRow) -> list[str]:
    """Forget a space with its partitions and parts, and all that hangs on them; the ids that are
    gone."""
    gone = [space.id, *([space.parts_id] if space.parts_id else [])]
    for one in gone:
        _drop(connection, one)
    return gone


def rename(connection: sqlite3.Connection, old: str, new: str) -> None:
    """The space goes by another id, with all that it has."""
    kept = "name, dim, added, state, modalities, reached, goal"
    connection.execute(
        f"INSERT INTO spaces (id, {kept}) SELECT ?, {kept} FROM spaces WHERE id = ?", (new, old)
    )
    for table in ("partitions", "gaps"):
        connection.execute(f"UPDATE {table} SET space_id = ? WHERE space_id = ?", (new, old))
    connection.execute("DELETE FROM spaces WHERE id = ?", (old,))


def _drop(connection: sqlite3.Connection, space_id: str) -> None:
    partitions = "SELECT id FROM partitions WHERE space_id = ?"
    for table in ("blocks", "dead_rows", "backgrounds"):
        connection.execute(f"DELETE FROM {table} WHERE partition_id IN ({partitions})", (space_id,))
    for table in ("partitions", "gaps"):
        connection.execute(f"DELETE FROM {table} WHERE space_id = ?", (space_id,))
    connection.execute("DELETE FROM spaces WHERE id = ?", (space_id,))
