"""The order in which files are read: kinds side by side."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


def blended(values: Sequence[T], kind: Callable[[T], Hashable]) -> list[tuple[int, T]]:
    """The values with their places, each kind spread over the whole, in its own order.

    Reading a model keeps the workers busy and a text the network: side by side they keep both so,
    where folders hold a kind each.
    """
    kinds = [kind(value) for value in values]
    count, seen = Counter(kinds), Counter[Hashable]()
    keys = []
    for place, one in enumerate(kinds):
        seen[one] += 1
        keys.append((seen[one] / count[one], place))
    return [(place, values[place]) for _, place in sorted(keys)]


class Lanes(Generic[T]):
    """What workers do (`there`) and what this process does itself (`here`), each in its order.

    is_here: which of the two a value is
    """

    def __init__(self, values: Iterable[T], is_here: Callable[[T], bool]) -> None:
        self.here, self.there = deque[T](), deque[T]()
        for value in values:
            (self.here if is_here(value) else self.there).append(value)

    def next(self, full: bool) -> T:
        """The next one for the workers, unless they are full and there is something to do here."""
        lane = self.here if not self.there or (full and self.here) else self.there
        return lane.popleft()

    def __bool__(self) -> bool:
        return bool(self.here or self.there)
