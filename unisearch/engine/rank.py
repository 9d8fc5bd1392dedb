"""Scores that compare across modalities: pure functions from cosines to a ranking.

A picture finds pictures at a cosine of 0.8 and the right sound at 0.15, so bare cosines of
different pairs of modalities mean different things. Each query is therefore compared with a
background of varied things of the target modality first (after the score normalisation of
speaker verification: Auckenthaler, Carey, Lloyd-Thomas 2000), and hits are merged in standard
deviations above that background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.chance import Chance, Floats, Pair, bend, chance_of, stretch
from unisearch.records import Hit, Modality

if TYPE_CHECKING:
    from unisearch.catalog.rows import SegmentRow

Keys = NDArray[np.int64]

#: Matches that only their words lift stand in the order of their scores, in such small steps.
_STEP = 0.01


@dataclass(frozen=True)
class Spread:
    """What is usual for each term: the middle of its cosines to the background, and a deviation."""

    middle: Floats  # (terms,)
    deviation: Floats  # (terms,)

    def standardise(self, cosines: Floats) -> Floats:
        """Cosines (terms, n) in deviations above the middle."""
        return np.asarray((cosines - self.middle[:, None]) / self.deviation[:, None], np.float32)

    def limits(self) -> Floats:
        """The score (terms,) of the query itself, which none exceeds."""
        return np.asarray((1.0 - self.middle) / self.deviation, np.float32)


def spread(unrelated: Floats, pairs: Sequence[Pair]) -> Spread:
    """What is usual for terms with these cosines (terms, m) to a background.

    The middle is the term's own: its median, which a background full of right answers hardly
    moves. The deviation is that of its pair: a single term's says more of what the background
    holds than of the term.
    """
    deviation = np.array([pair.deviation for pair in pairs], np.float32)
    half = unrelated.shape[1] // 2
    # The median, without the checks of np.median, which take longer than it.
    return Spread(np.partition(unrelated, half, axis=1)[:, half], deviation)


def fuse(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """One score for several terms: (whole, positive part), each (n,).

    scores: standardised (terms, n); weights: (terms,), negative for terms that repel.
    A repelling term takes away only where it matches better than its background; the sum is
    scaled so that independent positive terms keep a standard deviation of one.
    """
    if len(weights) == 1:  # a term by itself weighs what it weighs
        return scores[0], scores[0]
    attract, repel = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    norm = np.linalg.norm(attract)
    positive = attract @ scores / norm
    whole = positive - repel @ np.maximum(scores, 0.0) / norm
    return np.asarray(whole, np.float32), np.asarray(positive, np.float32)


def similarity(cosines: Floats, weights: Floats) -> Floats:
    """The mean cosine (n,) to the attracting terms; cosines: (terms, n), weights: (terms,)."""
    attract = np.maximum(weights, 0.0)
    mean = cosines[0] if len(weights) == 1 else attract @ cosines / attract.sum()
    return np.asarray(mean, np.float32)


def judge(
    cosines: Floats,
    unrelated: Floats,
    pairs: Sequence[Pair],
    weights: Floats,
    live: int,
) -> tuple[Floats, Floats, Chance]:
    """(score, bent nearness, both (n,), what chance gives) of the candidates.

    cosines: of the terms to the candidates (terms, n); unrelated: to the background (terms, m)
    pairs: of each term; weights: negative for terms that repel, which are no matter of chance
    live: as in chance.chance_of
    """
    usual = spread(unrelated, pairs)
    score, positive = fuse(usual.standardise(cosines), weights)
    if len(weights) == 1:
        tail, limit = pairs[0].tail, float(usual.limits()[0])
    else:
        attract = np.maximum(weights, 0.0)
        tail = pairs[int(attract.argmax())].tail
        limit = float(attract @ usual.limits()) / float(attract.sum())
        limit *= stretch(usual.standardise(unrelated), weights)
    bent = bend(positive / limit)
    return score, bent, chance_of(tail, bent, live)


@dataclass(frozen=True)
class Scored:
    """The candidates of one partition; the arrays run in parallel."""

    modality: Modality
    space: str
    keys: Keys
    score: Floats  # standardised; words and repelling terms counted
    similarity: Floats  # mean cosine to the attracting terms
    words: Floats  # how well names, captions or passages hold the words, in (0, 1]; 0: not
    bent: Floats  # nearness by the vectors alone, see chance.bend
    chance: Chance

    def ranked(self, most: int) -> Scored:
        """The best candidates, best first, ties by key."""
        if len(self.keys) <= most and bool(np.all(self.score[:-1] > self.score[1:])):
            return self  # as the neighbours of one term are found
        order = np.lexsort((self.keys, -self.score))[:most]
        return replace(
            self,
            keys=self.keys[order],
            score=self.score[order],
            similarity=self.similarity[order],
            words=self.words[order],
            bent=self.bent[order],
        )

    def joined(self, rows: Mapping[int, SegmentRow], most: int) -> list[Joined]:
        """The first of these candidates with their rows, each content once.

        A candidate without a row was just removed.
        """
        seen: set[int] = set()
        found = []
        # Lists: numpy takes longer for one number than for all of them.
        for key, score, similarity, words, bent in zip(
            self.keys[:most].tolist(),
            self.score[:most].tolist(),
            self.similarity[:most].tolist(),
            self.words[:most].tolist(),
            self.bent[:most].tolist(),
            strict=True,
        ):
            row = rows.get(key)
            if row is not None and row.content not in seen:
                seen.add(row.content)
                found.append(Joined(-score, key, self, similarity, words, bent, row))
        return found


def with_words(found: Sequence[Scored], bonus: float, weak_above: float) -> list[Scored]:
    """The candidates of all partitions, with what their words add to the scores.

    bonus: for words that match best; a match also stands above every weak hit, whatever the
        vectors say: the space may not know the word at all
    """
    raw = [one.score + bonus * one.words for one in found]
    weak = [
        one.score[(one.bent < one.chance.reached(weak_above)) & (one.words == 0)] for one in found
    ]
    floor = max((float(scores.max()) for scores in weak if len(scores)), default=-np.inf)
    named = [scores[one.words > 0] for scores, one in zip(raw, found, strict=True)]
    least = min((float(scores.min()) for scores in named if len(scores)), default=0.0)
    return [
        replace(
            one,
            score=np.where(
                one.words > 0, np.maximum(scores, floor + _STEP * (1 + scores - least)), scores
            ),
        )
        for scores, one in zip(raw, found, strict=True)
    ]


class Joined(NamedTuple):
    """A candidate and what the catalogue says of it. Sorts as it ranks: ties by segment."""

    below: float  # the negative score
    segment: int
    of: Scored
    similarity: float
    words: float
    bent: float
    row: SegmentRow

    def hit(self, rank: int, weak_above: float) -> Hit:
        """The answer.

        weak_above: a hit is weak when chance gives more than this many as good, unless its
        words match
        """
        expected = self.of.chance.expected(self.bent)
        by_words = self.words > 0
        by_chance = expected > weak_above
        # Filled at once: a frozen dataclass takes three times as long field by field.
        hit = object.__new__(Hit)
        vars(hit).update(
            rank=rank,
            item=self.row.item,
            path=self.row.path,
            modality=self.of.modality,
            score=-self.below,
            similarity=self.similarity,
            weak=by_chance and not by_words,
            expected_by_chance=expected,
            # A vector that chance explains does not speak for the hit.
            matched=("name" if by_chance else "both") if by_words else "vector",
            copies=self.row.copies,
            segment=self.segment,
            start_s=self.row.start_s,
            end_s=self.row.end_s,
            text=self.row.text,
            space=self.of.space,
        )
        return hit


def merge(
    per_modality: Iterable[Sequence[Joined]],
    k: int,
    weak_above: float,
    *,
    each: bool = False,
    min_score: float | None = None,
) -> list[Hit]:
    """The best k, or the best k of each modality, ranked by score; ties by segment.

    A content that several modalities found, as a video by its shots and by its sound, is shown as
    the best of them has it; with `each` once for each modality.
    """
    lists = [found[:k] for found in per_modality]
    best = sorted(
        one for found in lists for one in found if min_score is None or -one.below >= min_score
    )
    kept = best if each else _once(best)[:k]
    return [one.hit(rank, weak_above) for rank, one in enumerate(kept, start=1)]


def _once(best: Sequence[Joined]) -> list[Joined]:
    """The first of each content."""
    first: dict[int, Joined] = {}
    for one in best:
        first.setdefault(one.row.content, one)
    return list(first.values())
