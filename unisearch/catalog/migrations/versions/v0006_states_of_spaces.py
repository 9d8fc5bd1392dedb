"""Format 6: a library may hold several spaces, each active, being built or left."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "ALTER TABLE spaces ADD COLUMN state TEXT NOT NULL DEFAULT 'active'",
    # What every space covered until now.
    "ALTER TABLE spaces ADD COLUMN modalities TEXT NOT NULL DEFAULT 'text image audio 3d video'",
    "ALTER TABLE spaces ADD COLUMN reached INTEGER NOT NULL DEFAULT 9223372036854775807",
    "ALTER TABLE spaces ADD COLUMN goal TEXT NOT NULL DEFAULT 'add'",
    """CREATE TABLE gaps (
        content_id INTEGER NOT NULL REFERENCES contents (id),
        space_id TEXT NOT NULL REFERENCES spaces (id),
        reason TEXT NOT NULL,
        PRIMARY KEY (content_id, space_id)
    ) WITHOUT ROWID""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
