"""The live rows of a partition as of one committed state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import gt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import VectorError
from unisearch.index.bits import Bits, bits_of, bits_without, contains, cosines, floats, reranked
from unisearch.index.guard import Guard
from unisearch.index.rows import BLOCK_ROWS, Rows, rows_of
from unisearch.index.table import Backend, Effort, Found
from unisearch.index.tune import deeper, effort_for, with_filter
from unisearch.records import Block

#: So many survivors of a filter are compared one by one; a larger part is searched.
FEW = 10_000
_NONE = np.empty(0, np.int64)


class Nearest(NamedTuple):
    """The best keys of each query, best first, ties by key; -1 where there are no more."""

    keys: NDArray[np.int64]  # (q, k)
    scores: NDArray[np.float32]  # (q, k), cosines in [-1, 1]


@dataclass(frozen=True, eq=False)
class Cover:
    """An index over rows [0, stop): a snapshot, or rows on a GPU.

    lists: that the rows are spread over, 1 for an exact index
    efforts: by query modality, empty for an exact index
    """

    index: Backend
    stop: int
    lists: int = 1
    efforts: Mapping[str, Effort] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PartitionReader:
    """Search over what was committed at one moment. Threads may share it.

    ascending: whether the stored keys are in order; where damage has put one out of it, all
        damaged rows are among the dead ones
    dead: row numbers, ascending, with those of damaged blocks where these are known
    cover: of the first rows, or None
    tail: exact index over the rows behind the cover, or None when there are none
    """

    modality: str
    rows: Rows
    dead: NDArray[np.int64]
    blocks: Sequence[Block]
    cover: Cover | None
    tail: Backend | None
    guard: Guard
    ascending: bool = True

    def __len__(self) -> int:
        return len(self.rows.keys) - len(self.dead)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        among: NDArray[np.int64] | None = None,
        asking: str = "",
    ) -> Nearest:
        """The k best live keys of each query.

        queries: float32 (q, dim), unit rows, of modality `asking`
        among: only these rows are looked at, see `rows_among`
        Raises VectorError for a query that is not finite or of another dimension.
        """
        self._check(queries)
        k = min(k, len(self.rows.keys))
        out = self.dead
        while True:
            found = self._rows(queries, k, among, asking, out)
            damaged = self._damaged(found.rows)
            if not len(damaged):
                break
            out = np.union1d(out, damaged)
        keys = np.where(found.rows < 0, -1, self.rows.keys[found.rows])
        return Nearest(keys, np.minimum(np.maximum(found.scores, -1), 1))

    def scores(self, queries: NDArray[np.float32], keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The exact cosines (q, n) of these keys; NaN for those that are not here."""
        self._check(queries)
        rows = self._sound_row_of(keys)
        known = rows >= 0
        found = np.full((len(queries), len(keys)), np.nan, np.float32)
        found[:, known] = cosines(self.rows.vectors, rows[known], queries)
        return found

    def vectors(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows (n, dim) of these keys, in order. Raises KeyError for one that is not here."""
        rows = self._sound_row_of(keys)
        if (rows < 0).any():
            raise KeyError(int(np.asarray(keys)[np.argmax(rows < 0)]))
        return floats(np.take(self.rows.vectors, rows, axis=0))

    def sound(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these keys that are here and not damaged, in order."""
        return keys[self._sound_row_of(keys) >= 0]

    def rows_among(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The live rows of these ascending keys, ascending; unknown ones are no error."""
        rows = self._row_of(keys)
        return rows[rows >= 0]

    def keys(self) -> NDArray[np.int64]:
        """The live keys, ascending."""
        return np.delete(self.rows.keys, self.dead)

    @cached_property
    def _alive(self) -> Bits | None:
        """The live rows as bits, or None when all are."""
        return bits_without(self.dead, len(self.rows.keys)) if len(self.dead) else None

    def _rows(
        self,
        queries: NDArray[np.float32],
        k: int,
        among: NDArray[np.int64] | None,
        asking: str,
        out: NDArray[np.int64],
    ) -> Found:
        """The k best rows but for those in `out`, ascending row numbers."""
        count = len(self.rows.keys)
        if among is None:
            live = count - len(out)
            mostly_dead = live <= count // 2  # as with a filter, few rows lie in lists far apart
            if mostly_dead and live <= FEW:
                rows = np.delete(np.arange(count), out)
                return reranked(self.rows.vectors, [rows] * len(queries), queries, k)
            bits = self._alive if out is self.dead else bits_without(out, count)
            return self._searched(queries, k, bits, live / count if mostly_dead else 1.0, asking)
        survivors = among if out is self.dead else np.setdiff1d(among, out, assume_unique=True)
        if len(survivors) <= FEW:
            return reranked(self.rows.vectors, [survivors] * len(queries), queries, k)
        share = len(survivors) / count
        return self._searched(queries, k, bits_of(survivors, count), share, asking)

    def _searched(
        self, queries: NDArray[np.float32], k: int, bits: Bits | None, share: float, asking: str
    ) -> Found:
        """The k best of cover and tail.

        share: of the rows that pass a filter; few survivors lie in lists far apart
        """
        parts = []
        if self.cover is not None:
            effort = deeper(effort_for(self.cover.efforts, asking, self.modality), k)
            if share < 1:
                effort = with_filter(effort, share, self.cover.lists)
            parts.append(_filled(self.cover, queries, k, bits, effort))
        if self.tail is not None:
            start = self.cover.stop if self.cover else 0
            found = self.tail.search(queries, k, _from(bits, start, len(self.tail)))
            parts.append(Found(np.where(found.rows < 0, -1, found.rows + start), found.scores))
        return _best(parts, k, len(queries))

    def _row_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The live row of each key, -1 for one that is not here."""
        keys = np.asarray(keys, np.int64)
        if not self.ascending:
            live = np.delete(np.arange(len(self.rows.keys)), self.dead)
            at = rows_of(self.rows.keys[live], keys)
            return np.where(at < 0, -1, live[at]) if len(live) else at
        rows = rows_of(self.rows.keys, keys)
        if self._alive is not None:
            rows[~contains(self._alive, np.maximum(rows, 0))] = -1
        return rows

    def _sound_row_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The live row of each key, -1 for one that is not here or whose block is damaged."""
        rows = self._row_of(keys)
        damaged = self._damaged(rows)
        if len(damaged):
            rows[np.isin(rows, damaged)] = -1
        return rows

    def _damaged(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of damaged blocks among the blocks of these rows, of which -1 is none."""
        numbers = rows // BLOCK_ROWS
        if self._sound[numbers].all():  # nearly always: a block is read once
            return _NONE
        damaged = self.guard.damaged(self.rows, self.blocks, rows[rows >= 0])
        self._sound[np.setdiff1d(numbers, damaged // BLOCK_ROWS)] = True
        return damaged

    @cached_property
    def _sound(self) -> NDArray[np.bool_]:
        """Whether each block was found sound; the last one stands for row -1."""
        flags = np.zeros(len(self.rows.keys) // BLOCK_ROWS + 2, np.bool_)
        flags[-1] = True
        return flags

    def _check(self, queries: NDArray[np.float32]) -> None:
        dim = self.rows.vectors.shape[1]
        if queries.ndim != 2 or queries.shape[1] != dim:
            raise VectorError(f"a query of shape {queries.shape} for vectors of {dim} numbers")
        if not math.isfinite(np.vdot(queries, queries)):
            raise VectorError("the query's vector is not finite")


def _from(bits: Bits | None, start: int, count: int) -> Bits | None:
    """The bits of rows [start, start + count), renumbered from 0."""
    if bits is None or start == 0:
        return bits
    first = start >> 3
    flags = np.unpackbits(bits[first:], bitorder="little")[start - 8 * first :][:count]
    return np.packbits(flags, bitorder="little")


def _filled(
    cover: Cover, queries: NDArray[np.float32], k: int, bits: Bits | None, effort: Effort
) -> Found:
    """The k best; where the lists that were read hold fewer, more lists are read."""
    found = cover.index.search(queries, k, bits, effort)
    while found.rows.size and found.rows[:, -1].min() < 0 and effort.nprobe < cover.lists:
        effort = Effort(effort.nprobe * 4, max(effort.candidates, k))
        found = cover.index.search(queries, k, bits, effort)
    return found


def _best(parts: Sequence[Found], k: int, queries: int) -> Found:
    """The k best of several results, ties by row."""
    if len(parts) == 1 and _is_in_order(parts[0].scores):
        return parts[0]
    if not parts:
        return Found(np.full((queries, 0), -1, np.int64), np.empty((queries, 0), np.float32))
    rows = np.concatenate([part.rows for part in parts], axis=1)
    scores = np.concatenate([part.scores for part in parts], axis=1)
    scores = np.where((rows < 0) | np.isnan(scores), -np.inf, np.minimum(scores, 1))
    order = np.lexsort((rows, -scores), axis=1)[:, :k]
    rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
    return Found(np.where(np.isneginf(scores), -1, rows), scores)


def _is_in_order(scores: NDArray[np.float32]) -> bool:
    """Whether each query's scores (q, k) fall strictly: nothing is missing, and nothing ties."""
    # Lists: for ten numbers, numpy takes as long to begin as this takes in all.
    return all(
        row[:1] <= [1.0] and row[-1:] >= [-1.1] and all(map(gt, row, row[1:]))
        for row in scores.tolist()
    )
