"""One partition in memory, kept in step with its rows on the disk."""

from __future__ import annotations

from threading import RLock

import numpy as np
from numpy.typing import NDArray

from unisearch.index.rows import RowFiles
from unisearch.index.table import BACKENDS, VectorIndex
from unisearch.records import Match, PartitionState
from unisearch.registry import load

_CHUNK = 65_536  # rows read at once


class Partition:
    """The live rows of one (space, modality), as of the last `refresh`; threads may share it."""

    def __init__(self, files: RowFiles) -> None:
        self.files = files
        self._lock = RLock()
        self._reset(epoch=-1)

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self, state: PartitionState) -> None:
        """Bring the index to this state; only rows that are new since the last time are read.

        Raises LibraryDamaged when the files hold fewer rows than the state says.
        """
        with self._lock:
            if state.epoch != self._epoch or state.count < len(self._keys):
                self._reset(state.epoch)
            self._bury(state.dead)
            if state.count > len(self._keys):
                self._load(state)

    def search(
        self, vectors: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> list[list[Match]]:
        """The k best live keys for each query, best first; see VectorIndex.search."""
        with self._lock:
            return self._index.search(vectors, k, allowed)

    def scores(self, vectors: NDArray[np.float32], keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The exact cosines (q, n) of these keys; NaN for those that are not here."""
        with self._lock:
            return self._index.scores(vectors, keys)

    def vectors(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows (n, dim) of these keys, in order. Raises KeyError for one that is not here."""
        with self._lock:
            return self._index.vectors(keys)

    def keys(self) -> NDArray[np.int64]:
        """The live keys, ascending."""
        with self._lock:
            return np.sort(np.delete(self._keys, self._dead))

    def _reset(self, epoch: int) -> None:
        self._epoch = epoch
        self._keys = np.empty(0, np.int64)  # of each row read so far, dead ones included
        self._dead = np.empty(0, np.int64)  # rows among them that are out of the index
        self._index: VectorIndex = load("index backend", BACKENDS, "flat")(self.files.dim)

    def _bury(self, dead: NDArray[np.int64]) -> None:
        """Take rows that died since the last time out of the index."""
        known = dead[dead < len(self._keys)]
        fresh = np.setdiff1d(known, self._dead)
        if len(fresh):
            self._index.remove(self._keys[fresh])
            self._dead = np.union1d(self._dead, fresh)

    def _load(self, state: PartitionState) -> None:
        rows = self.files.open(state.epoch, state.count)
        for start in range(len(self._keys), state.count, _CHUNK):
            keys = np.array(rows.keys[start : start + _CHUNK])
            dead = state.dead[(state.dead >= start) & (state.dead < start + len(keys))]
            live = np.delete(np.arange(len(keys)), dead - start)
            self._index.put(keys[live], rows.vectors[start : start + len(keys)][live])
            self._keys = np.concatenate([self._keys, keys])
            self._dead = np.concatenate([self._dead, dead])
