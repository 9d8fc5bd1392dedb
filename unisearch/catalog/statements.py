"""Statements that change the catalogue, made from the tables' classes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, insert, update

from unisearch.catalog import tables
from unisearch.catalog.transaction import DeadRows, Transaction


class Changing(Transaction):
    """A transaction that changes what it reads."""

    def __init__(self, connection: sqlite3.Connection, builder: Connection, dead: DeadRows) -> None:
        """builder: the same connection, for statements that are made from the tables' classes"""
        super().__init__(connection, dead)
        self._builder = builder

    def _do(self, statement: Any) -> None:
        self._builder.execute(statement)

    def _insert(self, table: type[tables.Base], values: Mapping[str, Any]) -> int:
        key = self._builder.execute(inserting(table), values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _update(self, table: type[tables.Base], row: int, values: Mapping[str, Any]) -> None:
        self._builder.execute(_updating(table), {"wanted": row, **values})


# Built once per table: building a statement takes longer than running it.
@cache
def inserting(table: type[tables.Base]) -> Insert:
    return insert(table.metadata.tables[table.__tablename__])


@cache
def _updating(table: type[tables.Base]) -> Update:
    columns = table.metadata.tables[table.__tablename__]
    return update(columns).where(columns.c.id == bindparam("wanted"))
