"""Candidates with their scores, and how they become a list of items. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.terms import Term
from unisearch.records import Hit, Modality

if TYPE_CHECKING:
    from unisearch.catalog.view import SegmentRow

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """A question, ready to be searched for."""

    terms: Sequence[Term]
    modalities: Sequence[Modality]  # of the terms
    vectors: Floats  # (terms, dim), unit rows
    word_keys: Keys  # ascending: segments whose names, captions or passages hold the words
    word_ranks: Floats  # how well; larger is better
    excluded: frozenset[int]  # contents that are asked for by id, hence no answer

    @property
    def weights(self) -> Floats:
        """(terms,), negative for terms that repel."""
        return np.array([term.weight for term in self.terms], dtype=np.float32)


@dataclass(frozen=True)
class Scored:
    """The candidates of one partition; the arrays run in parallel."""

    modality: Modality
    keys: Keys
    score: Floats  # standardised; words and repelling terms counted
    similarity: Floats  # mean cosine to the attracting terms
    expected: Floats  # equally good hits that chance alone would give
    by_vector: NDArray[np.bool_]  # among the nearest of some term
    by_words: NDArray[np.bool_]

    def best(self, k: int) -> Scored:
        """The candidates worth joining for k items, best first, ties by key.

        A long sound or text may fill many places with its segments: 20 times as many are kept.
        """
        order = np.lexsort((self.keys, -self.score))[: 20 * k]
        return Scored(
            self.modality,
            self.keys[order],
            self.score[order],
            self.similarity[order],
            self.expected[order],
            self.by_vector[order],
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
                matched=self._matched(i),
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

    def _matched(self, i: int) -> Literal["vector", "name", "both"]:
        if not self.by_words[i]:
            return "vector"
        return "both" if self.by_vector[i] else "name"


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
