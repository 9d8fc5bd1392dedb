"""The way of some terms into one modality: the space that was chosen for them, and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.background import Background
from unisearch.engine.chance import Floats, Pair
from unisearch.engine.terms import Asked
from unisearch.index.reader import PartitionReader
from unisearch.spaces.base import Space

Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Lane:
    """One partition and the terms, by their places, that are compared with it."""

    space: Space
    reader: PartitionReader
    ground: Background
    terms: Sequence[int]

    def nearest(self, asked: Asked, reach: int, allowed: Keys | None) -> list[Keys]:
        """The nearest keys of each attracting term."""
        vectors = asked.vectors[self.space.id]
        return [
            self.reader.search(vectors[i : i + 1], reach, allowed, asked.modalities[i]).keys[0]
            for i in self.terms
            if asked.weights[i] > 0
        ]

    def cosines(self, asked: Asked, keys: Keys) -> Floats:
        """Of its terms to these keys, (terms, n); NaN for keys that are not here."""
        return self.reader.scores(asked.vectors[self.space.id][list(self.terms)], keys)

    def unrelated(self, asked: Asked) -> Floats:
        """Cosines of its terms to the background, (terms, m)."""
        found: Floats = asked.vectors[self.space.id][list(self.terms)] @ self.ground.rows.T
        return found

    def pairs(self, asked: Asked) -> list[Pair]:
        """What is usual for each of its terms."""
        return [self.ground.pair(self.space, asked.modalities[i]) for i in self.terms]

    def live(self, allowed: Keys | None) -> int:
        """How many rows could have been found."""
        return len(self.reader) if allowed is None else self.reader.count(allowed)
