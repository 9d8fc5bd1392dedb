"""What all questions of one transaction on the catalogue share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class DeadRows:
    """Dead rows as read last: within an epoch they only grow, so their number tells them apart."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, NDArray[np.int64]]] = {}

    def of(self, connection: sqlite3.Connection, partition: int, epoch: int, dead: int) -> Any:
        """The dead rows of a partition, ascending; read again only when there are more."""
        known = self._known.get(partition)
        if known and known[0] == epoch and len(known[1]) == dead:
            return known[1]
        rows = connection.execute(
            "SELECT row FROM dead_rows WHERE partition_id = ? AND epoch = ? ORDER BY row",
            (partition, epoch),
        )
        found = np.fromiter((row for (row,) in rows), np.int64)
        self._known[partition] = (epoch, found)
        return found


class Transaction:
    """A connection at one committed state, and what was read before and still holds."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        dead: DeadRows,
        memory: dict[Any, Any] | None = None,
        file: Hashable = None,
    ) -> None:
        """memory: what was read before and still holds; None for a state that changes

        file: tells this catalogue from another one that was put in its place
        """
        self.file = file
        self._connection = connection
        self._dead = dead
        self._memory = memory

    def _once(self, name: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; read once for each committed state, since most queries see the
        same one."""
        if self._memory is None:
            return read()
        if name not in self._memory:
            self._memory[name] = read()
        found: T = self._memory[name]
        return found

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _ids(self, statement: str, values: Any) -> NDArray[np.int64]:
        """The ids that a statement gives as one text, ascending, each once.

        A million rows, each a Python object, would take four times as long.
        """
        [found] = self._connection.execute(statement, values).fetchone()
        ids = np.fromstring(found, np.int64, sep=",") if found else np.empty(0, np.int64)
        return ids if bool(np.all(ids[1:] > ids[:-1])) else np.unique(ids)
