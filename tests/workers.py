"""Workers that stay from test to test: starting them for each would take most of the time."""

from __future__ import annotations

import atexit
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
