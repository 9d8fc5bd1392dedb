"""Format 5: a segment has a modality of its own, for a video is both seen and heard."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    "ALTER TABLE segments ADD COLUMN modality TEXT NOT NULL DEFAULT ''",
    """UPDATE segments SET modality =
        coalesce((SELECT modality FROM contents WHERE id = segments.content_id), '')""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
