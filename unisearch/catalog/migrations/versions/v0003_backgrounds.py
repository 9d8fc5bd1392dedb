"""Format 3: backgrounds say of which rows they were drawn and how varied they are."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # Nothing was ever stored in the first one.
    "DROP TABLE backgrounds",
    """CREATE TABLE backgrounds (
        partition_id INTEGER NOT NULL PRIMARY KEY REFERENCES partitions (id),
        epoch INTEGER NOT NULL,
        count INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        kinds INTEGER NOT NULL,
        digest BLOB NOT NULL,
        sample BLOB NOT NULL
    )""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
