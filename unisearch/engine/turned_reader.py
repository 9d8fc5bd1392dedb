"""A partition read as if its vectors were mixed by another factor."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from unisearch.factors import mix
from unisearch.index.bits import products
from unisearch.index.reader import FEW, Nearest, PartitionReader
from unisearch.spaces.mixed import mixed_cosine

Keys = NDArray[np.int64]
Floats = NDArray[np.float32]

#: So many times as many candidates as hits come from an index of the stored factors, and so many
#: at least: docs/spaces.md says what that finds.
WIDER, AT_LEAST = 20, 1_000
#: Parts that are float32 at a time: they should stay in the cache of a core.
CHUNK = 256


@dataclass(frozen=True, eq=False, kw_only=True)
class TurnedReader(PartitionReader):
    """The fields of a PartitionReader are those of the vectors by the stored factor.

    parts: of the same keys, (base, expert) / sqrt(2); factor: by which they are mixed here
    Cosines are exact. Where the stored vectors are compared one by one, all parts are, and the
    nearest ones are exact, too; else candidates come from the index of the stored factor.
    """

    parts: PartitionReader
    factor: float

    def is_exact(self, among: Keys | None) -> bool:
        """Whether all rows are compared. among: as for `search`"""
        return self.cover is None or (among is not None and len(among) <= FEW)

    def search(
        self, queries: Floats, k: int, among: Keys | None = None, asking: str = ""
    ) -> Nearest:
        self._check(queries)
        k = min(k, len(self.rows.keys))
        if self.is_exact(among):
            every = self.keys() if among is None else self.rows.keys[among]
            return _best(every, self.scores(queries, every), k)
        wide = min(max(WIDER * k, AT_LEAST), len(self))
        near = super().search(queries, wide, among, asking).keys
        rows = [
            _best(keys[keys >= 0], self.scores(query[None], keys[keys >= 0]), k)
            for query, keys in zip(queries, near, strict=True)
        ]
        return Nearest(*(np.concatenate(part) for part in zip(*rows, strict=True)))

    def scores(self, queries: Floats, keys: Keys) -> Floats:
        self._check(queries)
        found = np.full((len(queries), len(keys)), np.nan, np.float32)
        at = np.flatnonzero(np.isin(keys, self.parts.sound(keys)))
        wide = queries * np.float32(2**0.5)  # halves of a unit row: both parts are shorter by that
        dim = queries.shape[1]
        for start in range(0, len(at), CHUNK):
            some = at[start : start + CHUNK]
            halves = self.parts.vectors(keys[some])
            base, expert = halves[:, :dim], halves[:, dim:]
            found[:, some] = mixed_cosine(
                self.factor,
                products(wide, expert),
                products(wide, base),
                2 * np.vecdot(expert, base),
            )
        return found.clip(-1, 1)

    def vectors(self, keys: Keys) -> Floats:
        return mix(self.factor, self.parts.vectors(keys))

    def sound(self, keys: Keys) -> Keys:
        return self.parts.sound(keys)


def turned(stored: PartitionReader, parts: PartitionReader, factor: float) -> TurnedReader:
    """The stored partition by another factor."""
    same = {one.name: getattr(stored, one.name) for one in fields(PartitionReader)}
    return TurnedReader(**same, parts=parts, factor=factor)


def _best(keys: Keys, scores: Floats, k: int) -> Nearest:
    """The k best of these keys (n,) for each query, ties by key. scores: (q, n), NaN: none"""
    known = np.where(np.isnan(scores), -np.inf, scores)
    order = np.lexsort((np.broadcast_to(keys, scores.shape), -known), axis=1)[:, :k]
    best = np.take_along_axis(known, order, 1)
    found = Nearest(
        np.full((len(scores), k), -1, np.int64), np.full((len(scores), k), -1, np.float32)
    )
    found.keys[:, : order.shape[1]] = np.where(np.isneginf(best), -1, keys[order])
    found.scores[:, : order.shape[1]] = best.clip(-1, 1)
    return found
