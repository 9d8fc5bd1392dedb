"""Format 4: when pictures were taken, labels found in files, and words from files beside them."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    "ALTER TABLE contents ADD COLUMN taken_s FLOAT",
    """CREATE TABLE labels (
        content_id INTEGER NOT NULL REFERENCES contents (id),
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (content_id, name, value)
    ) WITHOUT ROWID""",
    """CREATE TABLE sidecars (
        item_id INTEGER NOT NULL PRIMARY KEY REFERENCES items (id),
        "key" BLOB NOT NULL,
        words TEXT NOT NULL
    )""",
    """CREATE TABLE sidecar_tags (
        item_id INTEGER NOT NULL REFERENCES items (id),
        word TEXT NOT NULL,
        PRIMARY KEY (item_id, word)
    ) WITHOUT ROWID""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
