"""sqlite-vec: a table in SQLite that is scanned, by vectors or first by their signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw  # the sqlite3 of many Pythons cannot load extensions
import numpy as np
import sqlite_vec

from tests.bench.engines.base import Contender, Floats, Setting, blocks

EXACT = "SELECT id FROM rows WHERE vector MATCH ? AND k = ? ORDER BY distance"
BY_SIGNS = """
    WITH near AS (SELECT id, vector FROM rows WHERE signs MATCH vec_bit(?) AND k = ?)
    SELECT id FROM near ORDER BY vec_distance_cosine(vector, ?) LIMIT ?
"""
TIMES = (16, 64, 400)  # it answers at most 4,096 rows at once


class SqliteVec(Contender):
    """signs: how many times k rows the signs choose for the exact comparison; 0 without signs."""

    batches = False

    def build(self, rows: Floats) -> Iterator[int]:
        connection, dim = self._connect(), self.place.dim
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute(
            "CREATE VIRTUAL TABLE rows USING vec0(id INTEGER PRIMARY KEY,"
            f" vector float[{dim}] distance_metric=cosine, signs bit[{dim}])"
        )
        mean = rows[:20_000].mean(axis=0)
        np.save(self.place.folder / "mean.npy", mean)
        for at, block in blocks(rows, 20_000):
            pairs = zip(block, signs(block, mean), strict=True)
            values = (
                (at + i, row.tobytes(), bits.tobytes()) for i, (row, bits) in enumerate(pairs)
            )
            with connection:
                connection.executemany("INSERT INTO rows VALUES (?, ?, vec_bit(?))", values)
            yield at + len(block)
        connection.execute("PRAGMA wal_checkpoint(truncate)")

    def open(self) -> None:
        self.connection = self._connect()
        self.mean = np.load(self.place.folder / "mean.npy")

    def ladders(self) -> list[list[Setting]]:
        return [[{"signs": 0}], [{"signs": times} for times in TIMES]]

    def use(self, setting: Setting) -> None:
        self.times = setting["signs"]

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        return [self._one(query, k) for query in queries]

    def _one(self, query: Floats, k: int) -> list[int]:
        whole = query.tobytes()
        if not self.times:
            return [row for (row,) in self.connection.execute(EXACT, (whole, k))]
        values = (signs(query, self.mean).tobytes(), self.times * k, whole, k)
        return [row for (row,) in self.connection.execute(BY_SIGNS, values)]

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.place.folder / "rows.db"))
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        return connection


def signs(rows: Floats, mean: Floats) -> np.ndarray:
    """A bit for each number that is above its mean: uint8 (…, dim / 8)."""
    return np.packbits(rows > mean, axis=-1, bitorder="little")
