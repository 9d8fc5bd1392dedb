"""The contract of everything that is compared."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: One way to search, such as {"nprobe": 32}; nothing at all for an engine without a choice.
Setting = Mapping[str, int]


@dataclass(frozen=True)
class Place:
    """Where an index lies and what it is about."""

    folder: Path
    n: int
    dim: int

    @property
    def lists(self) -> int:
        """Inverted lists of this many rows: 4 sqrt(n), the same for all."""
        return round(4 * math.sqrt(self.n))


class Contender(ABC):
    """An engine over the rows 0 … n-1; the answers are row numbers.

    batches: whether it has a call for many queries; without one, they are asked one by one
    """

    batches = True

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def build(self, rows: Floats) -> Iterator[int]:
        """Stores the rows (n, dim) and whatever finds them; how many are done, now and then."""

    @abstractmethod
    def open(self) -> None:
        """Opens what was built, in a new process."""

    def ladders(self) -> list[list[Setting]]:
        """Settings of ascending effort, and hence recall; one list for each other choice."""
        return [[{}]]

    def compared(self) -> list[Setting]:
        """Settings that are measured whatever they reach."""
        return []

    def use(self, setting: Setting) -> None:
        """Search this way from now on."""
        del setting

    @abstractmethod
    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        """The k best rows of each query (q, dim)."""

    def facts(self) -> dict[str, Any]:
        """What else the report should say, asked after `build` or `open`."""
        return {}

    def close(self) -> None:  # noqa: B027 (most have nothing to release)
        """Releases it."""


def efforts(most: int, least: int = 8) -> list[int]:
    """Numbers from `least` to `most`, each about 1.41 times the one before."""
    steps = (round(least * math.sqrt(2) ** step) for step in itertools.count())
    return [*itertools.takewhile(lambda effort: effort < most, steps), most]


def blocks(rows: Floats, size: int) -> Iterator[tuple[int, Floats]]:
    """(number of the first row, rows in memory) for every `size` rows."""
    for at in range(0, len(rows), size):
        yield at, np.ascontiguousarray(rows[at : at + size])
