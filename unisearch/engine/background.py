"""The background of each partition: its own sample, as far as that is varied, and the space's."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np

from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.view import View
from unisearch.engine.chance import Floats, Pair, measure_pair
from unisearch.errors import LibraryDamaged
from unisearch.index.memory import release
from unisearch.records import Modality
from unisearch.spaces.base import Space

logger = logging.getLogger(__name__)

ROWS = 1_024
#: A sample of so many kinds needs no help from the reference.
VARIED_KINDS = 256
#: Reference rows that stand for all queries of their modality.
QUERIES = 128


def share_of_sample(kinds: int) -> float:
    """How much of the background the library's own sample makes up.

    Nothing for a single kind, since a library of nothing but dogs cannot tell what is not a dog.
    """
    return min(max(kinds - 1, 0) / (VARIED_KINDS - 1), 1.0)


def mix(sample: Floats, reference: Floats, kinds: int) -> Floats:
    """ROWS rows (ROWS, dim) of both, in these shares; rows of a small sample are repeated."""
    own = round(share_of_sample(kinds) * ROWS) if len(sample) else 0
    return np.ascontiguousarray(
        np.concatenate([evenly(sample, own), evenly(reference, ROWS - own)]), np.float32
    )


def evenly(rows: Floats, count: int) -> Floats:
    """`count` rows, spread evenly over all of them."""
    if not count:
        return rows[:0]
    return rows[np.arange(count) * len(rows) // count]


@dataclass
class Background:
    """Rows (m, dim) that a query is compared with, and what is usual from each modality."""

    digest: bytes
    rows: Floats
    pairs: dict[Modality, Pair] = field(default_factory=dict)

    def pair(self, space: Space, asked: Modality) -> Pair:
        """What is usual for queries of that modality; measured once."""
        if asked not in self.pairs:
            queries = evenly(space.reference(asked), QUERIES)
            self.pairs[asked] = measure_pair(queries, self.rows)
            release()  # many times the size of what is kept
        return self.pairs[asked]


class Backgrounds:
    """The backgrounds of a library, read again only when a sample was drawn anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Modality], Background] = {}

    def of(
        self, view: View, space: Space, modality: Modality, row: BackgroundRow | None
    ) -> Background:
        """The background of a partition with this stored sample, or with none."""
        digest = row.digest if row else b""
        known = self._known.get((space.id, modality))
        if known is None or known.digest != digest:
            reference = space.reference(modality)
            sample = self._sample(view, row) if row else reference[:0]
            rows = mix(sample, reference, row.kinds if row else 0)
            known = self._known[space.id, modality] = Background(digest, rows)
        return known

    def _sample(self, view: View, row: BackgroundRow) -> Floats:
        """The stored sample (n, dim); of a damaged one, which is said once, no row."""
        try:
            return view.background_sample(row).astype(np.float32)
        except LibraryDamaged as error:
            logger.warning("%s; scores lean on the space's reference until then", error)
            return np.empty((0, row.dim), np.float32)
