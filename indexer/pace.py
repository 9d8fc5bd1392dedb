"""How many threads the network has beside workers that read: the cores that these leave."""

from __future__ import annotations

from collections.abc import Callable

from indexer.pools import cores
from unisearch.threads import network_threads, use_network_threads

#: What the last look counts beside all before it.
_NEWEST = 0.5


class Pace:
    """Gives the network the cores on which no worker reads: threads of one product wait for each
    other, and on busy cores two of them take more of the processor than one.

    most: threads that it may have · cores: that there are · use: called with their number, each
    time, as another run of this process may have said something else
    """

    def __init__(self, most: int, cores: int, use: Callable[[int], None]) -> None:
        self._most = most
        self._cores = cores
        self._use = use
        self._busy = 0.0

    def encoded(self, busy: int) -> None:
        """A batch is done, and so many workers are at work: those that are, although the network
        held nobody up for a while, will be during the next one, too."""
        self._busy += _NEWEST * (busy - self._busy)
        self._use(max(1, min(self._most, self._cores - round(self._busy))))

    def rest(self) -> None:
        """Nothing goes on beside the network any more."""
        self._use(self._most)


def pace_of_network() -> Pace:
    """Of the networks that this process runs, on all the threads that they have now."""
    return Pace(network_threads(), cores(), use_network_threads)
