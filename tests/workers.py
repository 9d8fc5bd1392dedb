"""Workers that stay from test to test: starting them for each would take most of the time; and the
clock by which they are judged, in the hands of a test."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from indexer.pool import Limits, Pool
from indexer.pools import Pools

_kept: dict[Limits, Pools] = {}


class KeptPools(Pools):
    """As Pools, but its workers end with this process."""

    @contextmanager
    def lend(self) -> Iterator[Pool]:
        if self._limits not in _kept:
            _kept[self._limits] = Pools(self._limits)
            atexit.register(_kept[self._limits].close)
        with _kept[self._limits].lend() as pool:
            yield pool


class HandClock:
    """In the place of a pool's clock: it shows what the test sets, and can hold the pool."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.ticks = 0
        self.held, self._goes_on = threading.Event(), threading.Event()
        self._goes_on.set()

    def tick(self) -> None:
        """The pool looks at it."""
        self.ticks += 1
        if not self._goes_on.is_set():
            self.held.set()
        self._goes_on.wait()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile the pool does nothing at all."""
        self._goes_on.clear()
        assert self.held.wait(60)
        try:
            yield
        finally:
            self._goes_on.set()
