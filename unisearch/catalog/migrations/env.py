"""Alembic's entry: runs the wanted steps on the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context

from unisearch.catalog.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
