"""One question from start to finish."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.view import View
from unisearch.engine import rank
from unisearch.engine.answer import Answer, AskedTerm
from unisearch.engine.encode import encode_value
from unisearch.engine.scored import Asked, Scored, best_segments, merge
from unisearch.engine.terms import ItemId, Sentence, Term, check_modalities, negative, term_of
from unisearch.errors import UnisearchError, UsageError
from unisearch.index.partition import Partition
from unisearch.records import Hit, Modality, TextSample
from unisearch.wiring import Rooms

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]

NO_WORDS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)


class Engine:
    """Searches one library. Use as a context manager, or call close()."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._partitions: dict[Modality, Partition] = {}

    def search(
        self,
        *terms: Any,
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        minus: Sequence[Any] = (),
        **options: Any,
    ) -> list[Hit]:
        """The best hits, best first.

        terms, minus: see terms.term_of; minus repels. into: modalities to answer with, all by
        default. options: as in `ask`.
        Raises UsageError for a question without meaning and Unreadable for an unreadable file.
        """
        wanted = [into] if isinstance(into, str) else into
        answer = self.ask(
            [term_of(term) for term in terms],
            minus=[term_of(term) for term in minus],
            into=wanted,
            k=k,
            **options,
        )
        return list(answer.hits)

    def ask(
        self,
        terms: Sequence[Term],
        *,
        minus: Sequence[Term] = (),
        into: Sequence[str] | None = None,
        k: int | None = None,
        each: bool = False,
        under: Path | None = None,
        min_score: float | None = None,
        names: bool = True,
    ) -> Answer:
        """The answer to a question of several terms.

        k: items in all, or of each modality with `each`; under: only files below this folder;
        min_score: least standardised score; names: also look words up in names and passages.
        """
        wanted = check_modalities(into)
        k = self.rooms.settings.search.k if k is None else k
        if not terms:
            raise UsageError("nothing to search for: give at least one term besides --not")
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")

        start = time.perf_counter()
        with self.rooms.catalog.view() as view:
            asked = self._understand(view, [*terms, *map(negative, minus)], names)
            encoded = time.perf_counter()
            folder = bytes(under.absolute()) if under else None
            allowed = None if folder is None else view.segments(under=folder)
            found = [
                self._score(asked, modality, k, allowed).best(k)
                for modality in self._refresh(view, wanted)
            ]
            per_modality = self._join(view, asked, found, folder)
        hits = merge(per_modality, k, each=each, min_score=min_score)
        end = time.perf_counter()
        return Answer(
            query=[
                AskedTerm(modality, term.shown, term.weight, self.rooms.space.id)
                for term, modality in zip(asked.terms, asked.modalities, strict=True)
            ],
            hits=hits,
            no_match=all(hit.weak for hit in hits),
            took_ms={
                "encode": (encoded - start) * 1e3,
                "search": (end - encoded) * 1e3,
                "total": (end - start) * 1e3,
            },
        )

    def _understand(self, view: View, terms: Sequence[Term], names: bool) -> Asked:
        """The question with its vectors."""
        modalities: list[Modality] = []
        vectors: list[Floats] = []
        excluded: set[int] = set()
        for term in terms:
            if isinstance(term.value, ItemId):
                modality, vector, content = self._stored(view, term.value.id)
                excluded.add(content)
            elif isinstance(term.value, Sentence):
                modality, vector = "text", self.rooms.space.encode([TextSample(term.value.text)])[0]
            else:
                modality, vector = encode_value(
                    self.rooms.space, term.value, self.rooms.read_options
                )
            modalities.append(modality)
            vectors.append(vector)
        keys, ranks = self._word_matches(view, terms) if names else NO_WORDS
        return Asked(terms, modalities, np.stack(vectors), keys, ranks, frozenset(excluded))

    def _word_matches(self, view: View, terms: Sequence[Term]) -> tuple[Keys, Floats]:
        """(segments, ascending, and how well): names, captions or passages hold a sentence."""
        best: dict[int, float] = {}
        for term in terms:
            if isinstance(term.value, Sentence) and term.weight > 0:
                limit = self.rooms.settings.search.candidates
                for match in view.match_words(term.value.text, limit):
                    best[match.segment] = max(match.rank, best.get(match.segment, 0.0))
        keys = sorted(best)
        ranks = [best[key] for key in keys]
        return np.array(keys, dtype=np.int64), np.array(ranks, dtype=np.float32)

    def _stored(self, view: View, item: int) -> tuple[Modality, Floats, int]:
        """(modality, mean vector, content) of an item of the library."""
        row = view.item(item)
        if row is None:
            raise UnisearchError(f"item:{item}: the library has no such item")
        if row.content is None or row.modality is None or not self._refresh(view, [row.modality]):
            raise UnisearchError(f"item:{item}: has no vector in '{self.rooms.space.name}'")
        total = self._partitions[row.modality].vectors(view.segments(items=[item])).sum(axis=0)
        return row.modality, total / np.linalg.norm(total), row.content

    def _refresh(self, view: View, wanted: Sequence[Modality]) -> list[Modality]:
        """Brings the wanted partitions to what the view sees; those that hold something."""
        states = view.partitions(self.rooms.space.id)
        present = [modality for modality in wanted if modality in states]
        for modality in present:
            if modality not in self._partitions:
                self._partitions[modality] = Partition(self.rooms.row_files(modality))
            self._partitions[modality].refresh(states[modality])
        return [modality for modality in present if len(self._partitions[modality])]

    def _score(self, asked: Asked, modality: Modality, k: int, allowed: Keys | None) -> Scored:
        """The candidates of one partition: nearest of each attracting term, and word matches."""
        partition = self._partitions[modality]
        settings = self.rooms.settings.search
        attract = asked.weights > 0
        found = partition.search(
            asked.vectors[attract], max(settings.candidates, 20 * k), allowed=allowed
        )
        near = np.array([match.key for matches in found for match in matches], dtype=np.int64)
        named = asked.word_keys if allowed is None else np.intersect1d(asked.word_keys, allowed)
        keys = np.union1d(near, named)
        cosines = partition.scores(asked.vectors, keys)  # (terms, n)
        here = ~np.isnan(cosines[0])  # words also match in other partitions
        keys, cosines = keys[here], cosines[:, here]

        background = asked.vectors @ self.rooms.space.reference(modality).T
        spread = rank.spread(background)
        score, positive = rank.fuse(spread.standardise(cosines), asked.weights)
        tail = rank.fit_tail(rank.fuse(spread.standardise(background), asked.weights)[1])
        words = asked.word_ranks[np.searchsorted(asked.word_keys, keys[np.isin(keys, named)])]
        by_words = np.isin(keys, named)
        score[by_words] += rank.word_bonus(words, settings.name_bonus)
        return Scored(
            modality=modality,
            keys=keys,
            score=score,
            similarity=np.average(cosines[attract], axis=0, weights=asked.weights[attract]),
            expected=rank.expected_by_chance(tail, positive, len(partition)),
            by_vector=np.isin(keys, near),
            by_words=by_words,
        )

    def _join(
        self, view: View, asked: Asked, found: Sequence[Scored], under: bytes | None
    ) -> list[list[Hit]]:
        """The items of each partition, best segment of each, joined in one statement."""
        rows = view.hits([int(key) for scored in found for key in scored.keys], under=under)
        weak_above = self.rooms.settings.search.weak_above
        return [
            best_segments(scored.hits(rows, weak_above, self.rooms.space.id), rows, asked.excluded)
            for scored in found
        ]

    def close(self) -> None:
        """Releases the library."""
        self.rooms.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
