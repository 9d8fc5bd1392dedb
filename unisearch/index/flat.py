"""Exact search: every vector is compared with every query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import VectorError
from unisearch.records import Match

_BLOCK = 16_384  # rows that are allocated together: growing never copies what is there
_SCORES = 16_000_000  # cosines held at once: 64 MB


class FlatIndex:
    """Unit vectors in blocks of float32 (numpy has no fast product of float16), without gaps."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._blocks: list[NDArray[np.float32]] = []
        self._keys = np.empty(0, np.int64)  # of each slot
        self._order = np.empty(0, np.int64)  # slots by ascending key

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, keys: NDArray[np.int64], vectors: NDArray[np.floating]) -> None:
        """Add rows; those of known keys are replaced, and of a doubled key the last one stays.

        keys: int64 (n,); vectors: floats (n, dim), unit rows
        """
        if vectors.shape != (len(keys), self.dim):
            raise VectorError(f"{vectors.shape} vectors for {len(keys)} keys of {self.dim} numbers")
        keys, vectors = _last_of_each(keys, vectors)
        slots = self._slots(keys)
        fresh = slots < 0
        slots[fresh] = len(self) + np.arange(int(fresh.sum()))
        self._keys = np.concatenate([self._keys, keys[fresh]])
        while len(self._blocks) * _BLOCK < len(self):
            self._blocks.append(np.empty((_BLOCK, self.dim), np.float32))
        self._write(slots, vectors)
        self._order = np.argsort(self._keys, kind="stable")

    def remove(self, keys: NDArray[np.int64]) -> None:
        """Forget these keys; unknown ones are no error. The last rows move into the gaps."""
        slots = np.unique(self._slots(keys))
        slots = slots[slots >= 0]
        count = len(self) - len(slots)
        gaps = slots[slots < count]
        movers = np.setdiff1d(np.arange(count, len(self)), slots)
        self._write(gaps, self._read(movers))
        self._keys[gaps] = self._keys[movers]
        self._keys = self._keys[:count].copy()
        del self._blocks[-(-count // _BLOCK) :]
        self._order = np.argsort(self._keys, kind="stable")

    def search(
        self,
        vectors: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.int64] | None = None,
    ) -> list[list[Match]]:
        """The k best keys for each query, best first, ties by key.

        vectors: float32 (q, dim), unit rows
        allowed: only these keys are looked at; unknown ones are no error
        Returns one list per query, of at most k matches; the score is the cosine, in [-1, 1].
        """
        self._check(vectors)
        slots = None if allowed is None else np.unique(self._slots(allowed))
        if slots is not None:
            slots = slots[slots >= 0]
        keys = self._keys if slots is None else self._keys[slots]
        step = max(1, _SCORES // max(1, len(keys)))
        return [
            _best(row, keys, k)
            for at in range(0, len(vectors), step)
            for row in self._cosines(vectors[at : at + step], slots)
        ]

    def scores(self, vectors: NDArray[np.float32], keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The exact cosines of these keys; NaN for unknown ones.

        vectors: float32 (q, dim), unit rows; keys: int64 (n,)
        Returns float32 (q, n).
        """
        self._check(vectors)
        slots = self._slots(keys)
        known = slots >= 0
        cosines = np.full((len(vectors), len(keys)), np.nan, np.float32)
        cosines[:, known] = self._cosines(vectors, slots[known])
        return cosines

    def vectors(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows (n, dim) of these keys, in order. Raises KeyError for an unknown one."""
        slots = self._slots(keys)
        if (slots < 0).any():
            raise KeyError(int(np.asarray(keys)[np.argmax(slots < 0)]))
        return self._read(slots)

    def _cosines(
        self, vectors: NDArray[np.float32], slots: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        """Cosines (q, n) of these slots, or of all: few are gathered, many are picked out."""
        if slots is not None and len(slots) <= len(self) // 4:
            few: NDArray[np.float32] = np.clip(vectors @ self._read(slots).T, -1, 1)
            return few
        cosines = np.empty((len(vectors), len(self)), np.float32)
        for number, block in enumerate(self._blocks):
            start = number * _BLOCK
            part = cosines[:, start : start + _BLOCK]
            np.matmul(vectors, block[: part.shape[1]].T, out=part)
        np.clip(cosines, -1, 1, out=cosines)
        return cosines if slots is None else cosines[:, slots]

    def _slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each key lies, -1 for an unknown one."""
        keys = np.asarray(keys, np.int64)
        if len(self) == 0:
            return np.full(len(keys), -1, np.int64)
        at = np.searchsorted(self._keys, keys, sorter=self._order)
        slots: NDArray[np.int64] = self._order[np.minimum(at, len(self) - 1)]
        return np.where(self._keys[slots] == keys, slots, -1)

    def _read(self, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = np.empty((len(slots), self.dim), np.float32)
        for number in np.unique(slots // _BLOCK):
            here = slots // _BLOCK == number
            rows[here] = self._blocks[number][slots[here] % _BLOCK]
        return rows

    def _write(self, slots: NDArray[np.int64], rows: NDArray[np.floating]) -> None:
        for number in np.unique(slots // _BLOCK):
            here = slots // _BLOCK == number
            self._blocks[number][slots[here] % _BLOCK] = rows[here]

    def _check(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise VectorError(f"a query of shape {vectors.shape} for vectors of {self.dim} numbers")
        if not np.isfinite(vectors).all():
            raise VectorError("the query's vector is not finite")


def _best(scores: NDArray[np.float32], keys: NDArray[np.int64], k: int) -> list[Match]:
    """The k best of one query; the cut lies on a score, so that ties there are decided by key."""
    if k <= 0 or len(scores) == 0:
        return []
    chosen = np.arange(len(scores))
    if k < len(scores):
        limit = np.partition(scores, len(scores) - k)[len(scores) - k]
        chosen = np.flatnonzero(scores >= limit)
    order = np.lexsort((keys[chosen], -scores[chosen]))[:k]
    best = chosen[order]
    return [Match(*pair) for pair in zip(keys[best].tolist(), scores[best].tolist(), strict=True)]


def _last_of_each(
    keys: NDArray[np.int64], vectors: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """The pairs without those whose key comes again later."""
    keys = np.asarray(keys, np.int64)
    unique, last = np.unique(keys[::-1], return_index=True)
    if len(unique) == len(keys):
        return keys, vectors
    kept = np.sort(len(keys) - 1 - last)
    return keys[kept], vectors[kept]
