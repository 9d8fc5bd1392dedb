"""How good a ranking is: pure functions of scores and right answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOP = 10
ROUNDS = 1_000

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Per query: the place of the best right answer (from 1), and the average precision."""

    first: NDArray[np.int64]  # (q,)
    precision: Floats  # (q,)

    def recall(self, k: int) -> float:
        """Share of the queries with a right answer among the first k."""
        return float((self.first <= k).mean())

    @property
    def mean_precision(self) -> float:
        return float(self.precision.mean())


def rank(scores: NDArray[np.floating], right: Bools, neutral: Bools | None = None) -> Ranking:
    """How the right answers rank.

    scores: (q, n), higher is better; right: (q, n), at least one per query; neutral: (q, n),
    answers that count neither way, as if they were not in the gallery
    A right answer that ties with wrong ones is placed behind them.
    """
    first = np.empty(len(scores), np.int64)
    precision = np.empty(len(scores))
    for query in range(len(scores)):
        there = np.ones(scores.shape[1], bool) if neutral is None else ~neutral[query]
        values, wanted = scores[query][there], right[query][there]
        order = np.lexsort((wanted, -values))
        places = np.flatnonzero(wanted[order]) + 1
        first[query] = places[0]
        precision[query] = (np.arange(1, len(places) + 1) / places).mean()
    return Ranking(first, precision)


def chance(right: int, gallery: int, k: int = TOP) -> float:
    """Probability that k draws without return from the gallery hold one of the right answers.

    1 - C(gallery - right, k) / C(gallery, k)
    """
    if k > gallery - right:
        return 1.0
    wrong = np.arange(gallery - right - k + 1, gallery - right + 1, dtype=np.float64)
    every = np.arange(gallery - k + 1, gallery + 1, dtype=np.float64)
    return float(1.0 - np.prod(wrong / every))


def mean_chance(right: Bools, neutral: Bools | None = None, k: int = TOP) -> float:
    """`chance`, averaged over the queries; neutral answers are not in the gallery."""
    there = np.full(len(right), right.shape[1])
    if neutral is not None:
        there = there - neutral.sum(axis=1)
    counts = right.sum(axis=1)
    return float(np.mean([chance(int(m), int(n), k) for m, n in zip(counts, there, strict=True)]))


def interval(hits: NDArray[np.floating] | Bools, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over queries.

    Source: B. Efron, Bootstrap methods, Annals of Statistics 7(1), 1979; percentile method.
    """
    rng = np.random.default_rng(seed)
    values = np.asarray(hits, dtype=np.float64)
    drawn = rng.integers(0, len(values), (ROUNDS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
