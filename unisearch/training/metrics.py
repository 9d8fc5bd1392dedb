"""How good a ranking is: pure functions of scores and right answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
    for query, values in enumerate(scores):
        wrong = ~right[query] if neutral is None else ~(right[query] | neutral[query])
        places = _places(values[right[query]], values[wrong])
        first[query] = places[0]
        precision[query] = (np.arange(1, len(places) + 1) / places).mean()
    return Ranking(first, precision)


def _places(right: NDArray[np.floating], wrong: NDArray[np.floating]) -> NDArray[np.int64]:
    """From 1, ascending: the best right answer stands behind all wrong ones that are as good."""
    best_first = np.sort(right)[::-1]
    before = len(wrong) - np.searchsorted(np.sort(wrong), best_first, side="left")
    return np.arange(1, len(right) + 1) + before


def joined(parts: Sequence[Ranking]) -> Ranking:
    """The rankings of several batches of queries as one."""
    return Ranking(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.precision for part in parts]),
    )


def chance(right: int, gallery: int, k: int = TOP) -> float:
    """Probability that k draws without return from the gallery hold one of the right answers.

    1 - C(gallery - right, k) / C(gallery, k)
    """
    if k > gallery - right:
        return 1.0
    wrong = np.arange(gallery - right - k + 1, gallery - right + 1, dtype=np.float64)
    every = np.arange(gallery - k + 1, gallery + 1, dtype=np.float64)
    return float(1.0 - np.prod(wrong / every))


def mean_chance(right: Iterable[int], galleries: Iterable[int], k: int = TOP) -> float:
    """`chance`, averaged over the queries.

    right, galleries: of each query, how many answers are right and how many things there are
    """
    counts = Counter((int(m), int(n)) for m, n in zip(right, galleries, strict=True))
    total = sum(times * chance(m, n, k) for (m, n), times in counts.items())
    return total / counts.total()


def interval(hits: NDArray[np.floating] | Bools, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over queries.

    Source: B. Efron, Bootstrap methods, Annals of Statistics 7(1), 1979; percentile method.
    """
    rng = np.random.default_rng(seed)
    values = np.asarray(hits, dtype=np.float64)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(ROUNDS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
