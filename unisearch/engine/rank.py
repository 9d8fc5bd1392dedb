"""Scores that compare across modalities: pure functions from cosines to a ranking.

A picture finds pictures at a cosine of 0.8 and the right sound at 0.15, so bare cosines of
different pairs of modalities mean different things. Each query is therefore compared with a
background of varied things of the target modality first (test normalisation of speaker
verification: Auckenthaler, Carey, Lloyd-Thomas 2000), and hits are merged in standard
deviations above that background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from unisearch.records import Hit, Modality

if TYPE_CHECKING:
    from unisearch.catalog.view import SegmentRow

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

#: A varied background holds a few things of the very kind that is asked for. What lies above
#: this share of it counts as "at least so high" and does not stretch spread or tail.
CLEAN_SHARE = 0.975
#: The tail is fitted to what lies above this share.
TAIL_SHARE = 0.85


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of each query's cosine to the background."""

    mean: Floats  # (terms,)
    deviation: Floats  # (terms,)

    def standardise(self, cosines: Floats) -> Floats:
        """Cosines (terms, n) in standard deviations above the background."""
        return np.asarray((cosines - self.mean[:, None]) / self.deviation[:, None], np.float32)


@dataclass(frozen=True)
class Tail:
    """How often chance alone reaches a standardised score: like a normal tail above `start`."""

    start: float  # > 0
    scale: float  # of the squares: 2 for a normal distribution far out

    def probability(self, scores: Floats) -> Floats:
        """The share of unrelated things that score at least so high."""
        above = (np.square(np.maximum(scores, self.start)) - self.start**2) / self.scale
        return np.asarray((1.0 - TAIL_SHARE) * np.exp(-above), np.float32)


def spread(background: Floats) -> Spread:
    """Spread of a background's cosines (terms, m), without its top few.

    A query that is equally far from everything gets a deviation of 1e-6, not zero.
    """
    clean = np.sort(background, axis=1)[:, : max(2, int(background.shape[1] * CLEAN_SHARE))]
    return Spread(clean.mean(axis=1), np.maximum(clean.std(axis=1), 1e-6))


def fit_tail(scores: Floats) -> Tail:
    """The tail of a background's standardised scores (m,).

    Cosines of unrelated vectors fall off like a normal distribution, so the *squares* have an
    exponential tail. Its scale is the maximum likelihood for exceedances of which the largest are
    censored: each of those is only known to be at least as large as the last one counted
    (Epstein and Sobel 1953).
    """
    ordered = np.sort(scores)
    first, last = int(len(ordered) * TAIL_SHARE), int(len(ordered) * CLEAN_SHARE)
    last = min(max(last, first + 2), len(ordered))
    start = max(float(ordered[first]), 0.1)
    excess = np.square(np.maximum(ordered[first:last], start)) - start**2
    censored = (len(ordered) - last) * excess[-1]
    scale = float(excess.sum() + censored) / max(len(excess) - 1, 1)
    return Tail(start, max(scale, 1e-3))


def fuse(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """One score for several terms: (whole, positive part), each (n,).

    scores: standardised (terms, n); weights: (terms,), negative for terms that repel.
    A repelling term takes away only where it matches better than its background; the sum is
    scaled so that independent positive terms keep a standard deviation of one.
    """
    attract, repel = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    norm = np.linalg.norm(attract)
    positive = attract @ scores / norm
    whole = positive - repel @ np.maximum(scores, 0.0) / norm
    return np.asarray(whole, np.float32), np.asarray(positive, np.float32)


def expected_by_chance(tail: Tail, positive: Floats, live: int) -> Floats:
    """How many of `live` unrelated things would score at least so high."""
    return tail.probability(positive) * np.float32(live)


@dataclass(frozen=True)
class Scored:
    """The candidates of one partition; the arrays run in parallel."""

    modality: Modality
    keys: Keys
    score: Floats  # standardised; words and repelling terms counted
    similarity: Floats  # mean cosine to the attracting terms
    expected: Floats  # equally good hits that chance alone would give
    by_words: NDArray[np.bool_]  # names, captions or passages hold the words

    def best(self, count: int) -> Scored:
        """The best candidates, best first, ties by key."""
        order = np.lexsort((self.keys, -self.score))[:count]
        return Scored(
            self.modality,
            self.keys[order],
            self.score[order],
            self.similarity[order],
            self.expected[order],
            self.by_words[order],
        )

    def hits(self, rows: Mapping[int, SegmentRow], weak_above: float, space: str) -> list[Hit]:
        """A hit for each candidate that has a row; the others were just removed.

        weak_above: a hit is weak when chance gives more than this many as good, unless its
        words match
        """
        return [
            Hit(
                rank=0,
                item=row.item,
                path=row.path,
                modality=self.modality,
                score=float(self.score[i]),
                similarity=float(self.similarity[i]),
                weak=bool(self.expected[i] > weak_above and not self.by_words[i]),
                expected_by_chance=float(self.expected[i]),
                matched=self._matched(i, weak_above),
                copies=row.copies,
                segment=row.segment,
                start_s=row.start_s,
                end_s=row.end_s,
                text=row.text,
                space=space,
            )
            for i, key in enumerate(self.keys)
            if (row := rows.get(int(key)))
        ]

    def _matched(self, i: int, weak_above: float) -> Literal["vector", "name", "both"]:
        """What speaks for the hit; a vector that chance explains does not."""
        if not self.by_words[i]:
            return "vector"
        return "name" if self.expected[i] > weak_above else "both"


def best_segments(
    hits: Iterable[Hit], rows: Mapping[int, SegmentRow], excluded: frozenset[int]
) -> list[Hit]:
    """The first hit of each content, in the order given, without the excluded contents."""
    seen = set(excluded)
    kept = []
    for hit in hits:
        content = rows[hit.segment].content
        if content not in seen:
            seen.add(content)
            kept.append(hit)
    return kept


def merge(
    per_modality: Iterable[Sequence[Hit]],
    k: int,
    *,
    each: bool = False,
    min_score: float | None = None,
) -> list[Hit]:
    """The best k hits, or the best k of each modality, ranked by score; ties by segment."""
    lists = [hits[:k] for hits in per_modality]
    hits = sorted(
        (hit for hits in lists for hit in hits if min_score is None or hit.score >= min_score),
        key=lambda hit: (-hit.score, hit.segment),
    )
    kept = hits if each else hits[:k]
    return [replace(hit, rank=place) for place, hit in enumerate(kept, start=1)]
