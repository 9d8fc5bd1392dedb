"""Making a catalogue, and bringing an older one to this format. Only here Alembic is imported."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from unisearch.catalog.tables import FORMAT


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the connection's transaction and note the format."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "unisearch.catalog:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")


def keep_copy(path: Path, version: int) -> Path:
    """Copy the catalogue, with what is still in its log, to `catalog.db.vN`; the copy's path."""
    copy = path.with_name(f"{path.name}.v{version}")
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy
