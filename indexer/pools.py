"""The pools of one writer: how large they are, and the one that stays between its runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from indexer.pool import Limits, Pool
from unisearch.config import Settings


def workers_of(wanted: int) -> int:
    """How many workers that setting means: 0 leaves a core to the network, 16 at most.

    Of two cores it leaves none: one worker feeds the network too slowly.
    """
    return wanted or min(16, max(cores() - 1, min(cores(), 2)))


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings give to workers."""
    index = settings.index
    beside = 0 if index.workers else max(1, cores() - 1)
    memory_bytes = index.worker_memory_mb * 1024**2
    return Limits(workers_of(index.workers), index.timeout_s, memory_bytes, beside)


class Pools:
    """The pools of one writer. One stays between its runs: workers that are there cost no start.

    Each run has a pool of its own while it lasts: runs take turns, and none waits for another's.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free: Pool | None = None

    @contextmanager
    def lend(self) -> Iterator[Pool]:
        """A pool without jobs; what is left of them in the end is dropped."""
        if self._free is not None and not self._free.works:
            self.close()
        pool, self._free = self._free or Pool(self._limits), None
        try:
            yield pool
        finally:
            pool.drop_all()
            if self._free is None and pool.works:
                self._free = pool
            else:
                pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        if self._free is not None:
            self._free.close()
            self._free = None
