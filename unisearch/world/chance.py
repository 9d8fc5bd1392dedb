"""Chance that hangs on names and numbers only: one seed gives one thing on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")


class Chance:
    """A stream of random choices for one purpose, one name and one seed."""

    def __init__(self, purpose: str, name: str, seed: int) -> None:
        key = zlib.crc32(f"{purpose}/{name}".encode())
        self.rng = np.random.default_rng([key, seed])

    def between(self, low: float, high: float) -> float:
        """A number, evenly spread."""
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def maybe(self, probability: float = 0.5) -> bool:
        """Yes or no."""
        return bool(self.rng.random() < probability)

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[int(self.rng.integers(len(choices)))]

    def color(self, *palette: ArrayLike) -> NDArray[np.float64]:
        """One colour of the palette, a little off; the whole circle of hues without a palette."""
        if not palette:
            return hue(self.between(0, 1), self.between(0.45, 0.95), self.between(0.45, 0.95))
        base = np.asarray(palette[int(self.rng.integers(len(palette)))], dtype=float)
        return np.clip(base * self.between(0.88, 1.1) + self.rng.normal(0, 0.02, 3), 0, 1)


def hue(turns: float, saturation: float, value: float) -> NDArray[np.float64]:
    """A colour (3,) by hue in turns (0 red, 1/3 green, 2/3 blue), saturation and value."""
    k = (np.array([5.0, 3.0, 1.0]) + turns * 6) % 6
    return np.asarray(value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1)))
