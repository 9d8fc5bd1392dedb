"""Whether the catalogue agrees with itself."""

from __future__ import annotations

from sqlalchemy import Connection

_QUESTIONS = {
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
}


def problems(connection: Connection) -> list[str]:
    """What is wrong, a line each: pages of the file, references between tables, orphans."""
    found = [
        f"page check: {row[0]}"
        for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")
        if row[0] != "ok"
    ]
    found += [
        f"row {row[1]} of {row[0]} points to nothing in {row[2]}"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
    ]
    for what, question in _QUESTIONS.items():
        count = connection.exec_driver_sql(question).scalar_one()
        if count:
            found.append(f"{count} {what}")
    return found
