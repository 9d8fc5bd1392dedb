"""The order in which files are read: kinds side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

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
