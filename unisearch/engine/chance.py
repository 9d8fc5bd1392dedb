"""How good a hit chance alone would give: pure functions over cosines to a background.

Measured once per pair (modality of the query → partition) with many varied queries, because
the tail of a single query's cosines is too short a ruler: see docs/ranking.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: A varied background holds a few things of the very kind that is asked for. What lies above
#: this share of it counts as "at least so high" and does not stretch spread or tail.
CLEAN_SHARE = 0.985
#: The tail is fitted to what lies above this share.
TAIL_SHARE = 0.85
#: A reference row this near to one of the background is the same thing, not another one.
SAME = 0.999
#: The best of many chance draws is also judged by the ranks below it: by so many of them, of
#: which the first ones, which may be right answers, only count as "at least so high".
RANKS, FIRST_RANKS = 20, 4
#: In smaller partitions these ranks are no tail.
RANKS_FROM = 100 * RANKS


@dataclass(frozen=True)
class Tail:
    """How often chance reaches a nearness: as often as `share` at `start`, then ever less.

    Nearness t is the part of the way from the middle of the background (0) to the query itself
    (1). Beyond the start, probabilities fall as (1 - t²)^(1/scale), which is how cosines of
    random directions are distributed; it ends at t = 1, as cosines do.
    """

    start: float  # of bend(t)
    scale: float
    share: float

    def probability(self, bent: float) -> float:
        """The share of unrelated things that are at least so near, by their bent nearness."""
        return self.share * math.exp(min(self.start - bent, 0.0) / self.scale)

    def reached(self, share: float) -> float:
        """The bent nearness that no more than this share reaches."""
        if share <= 0:
            return math.inf
        return self.start + self.scale * math.log(self.share / share) if share < self.share else 0.0


@dataclass(frozen=True)
class Pair:
    """What is usual between queries of one modality and a background of another.

    deviation: of cosines about the middle of their query's; tail: of their nearness
    """

    deviation: float
    tail: Tail


def measure_pair(queries: Floats, background: Floats) -> Pair:
    """What is usual between varied queries (q, dim) and a background (m, dim), all unit rows."""
    cosines = queries @ background.T  # (q, m)
    middles = np.median(cosines, axis=1, keepdims=True)
    cosines = np.where(cosines > SAME, middles, cosines)
    above = (cosines - middles).ravel()
    clean, tail = int(len(above) * CLEAN_SHARE) - 1, int(len(above) * TAIL_SHARE)
    top = np.partition(above, clean)[: clean + 1]
    deviation = max(float(np.sqrt(np.square(top).mean())), 1e-6)
    near = (above / (1.0 - np.broadcast_to(middles, cosines.shape)).ravel()).astype(np.float32)
    near.partition([tail, clean])
    kept = bend(near[tail : clean + 1])
    return Pair(deviation, fit(kept.tolist(), len(near) - clean - 1, 1.0 - TAIL_SHARE))


@dataclass(frozen=True)
class Chance:
    """What chance gives in one partition, for one question: the least of several estimates.

    tails: each with how many things it is of
    """

    tails: Sequence[tuple[Tail, int]]

    def expected(self, bent: float) -> float:
        """How many unrelated things would be at least so near, by their bent nearness."""
        return min([tail.probability(bent) * count for tail, count in self.tails])

    def reached(self, most: float) -> float:
        """The bent nearness from which on chance gives no more than so many."""
        return min((tail.reached(most / count) for tail, count in self.tails if count), default=0.0)


def fit(bent: Sequence[float], censored: int, share: float) -> Tail:
    """The tail above the least of these bent nearnesses, by maximum likelihood.

    censored: how many more there are that are only known to be as large as the largest
        (Epstein and Sobel 1953); share: how often the least is reached
    """
    # Python's own: for a handful of numbers numpy takes as long to begin as this takes in all.
    least, most = min(bent), max(bent)
    excess = sum(bent) - least * len(bent)
    scale = (excess + censored * (most - least)) / max(len(bent) - 1, 1)
    return Tail(least, max(scale, 1e-6), share)


def bend(nearness: Floats) -> Floats:
    """-log(1 - t²), in which the nearness of unrelated things has an exponential tail."""
    near = np.minimum(np.maximum(nearness, 0.0), 1.0 - 1e-6)
    return np.asarray(-np.log1p(-near * near), np.float32)


def stretch(background: Floats, weights: Floats) -> float:
    """How much wider the sum of several terms spreads than one term alone.

    background: standardised scores (terms, m) of unrelated things; weights: (terms,)
    Two terms that say the same have a deviation of √2 where independent ones have 1.
    """
    attract = np.maximum(weights, 0.0)
    if np.count_nonzero(attract) == 1:
        return 1.0
    total = attract @ background / np.linalg.norm(attract)
    total = np.abs(total - np.median(total))
    clean = np.sort(total)[: max(2, int(len(total) * CLEAN_SHARE))]
    # The mean square of the inner 98.5 % of a normal distribution is 0.9.
    return max(float(np.sqrt(np.square(clean).mean() / 0.9)), 0.5)


def chance_of(tail: Tail, bent: Floats, live: int) -> Chance:
    """What chance gives among `live` unrelated things.

    bent: nearness of the candidates (n,), the nearest of the partition among them,
        without the query's own segments
    Two estimates, of which the smaller one holds: the pair's tail, prolonged to the size of the
    partition, overrates chance where many rows show few kinds of things; the ranks below the
    best do so where many of them are right answers.
    """
    tails = [(tail, live)]
    if live >= RANKS_FROM and len(bent) >= RANKS:
        ranks: list[float] = np.sort(bent)[-RANKS:].tolist()
        below = fit(ranks[: RANKS - FIRST_RANKS], FIRST_RANKS, share=1.0)
        tails.append((below, RANKS))
    return Chance(tails)
