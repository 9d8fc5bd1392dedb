"""Format 2: a root may stand for single files of its folder."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE roots ADD COLUMN whole INTEGER NOT NULL DEFAULT 1")
