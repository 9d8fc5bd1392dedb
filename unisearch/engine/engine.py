"""One question from start to finish."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from unisearch.catalog.view import View
from unisearch.catalog.where_sql import Condition, condition
from unisearch.engine import rank
from unisearch.engine.answer import Answer, AskedTerm
from unisearch.engine.background import Background, Backgrounds
from unisearch.engine.chance import RANKS, Floats
from unisearch.engine.encode import encode_bytes, encode_file
from unisearch.engine.rank import Scored
from unisearch.engine.terms import Asked, Term, Vector, Wanted, check_modalities, negative
from unisearch.engine.values import term_of
from unisearch.errors import RowsGone, UnisearchError, UsageError, display
from unisearch.index.partition import Partition
from unisearch.index.reader import PartitionReader
from unisearch.records import Hit, Modality, Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms, check_space


class Engine:
    """Searches one library. Use as a context manager, or call close()."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._partitions: dict[Modality, Partition] = {}
        self._backgrounds = Backgrounds()

    def search(
        self,
        *terms: Any,
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        minus: Sequence[Any] | str | Path = (),
        each: bool = False,
        under: Path | str | None = None,
        min_score: float | None = None,
        names: bool = True,
    ) -> list[Hit]:
        """The best hits, best first.

        terms, minus: see values.term_of; minus repels. into: modalities to answer with, all by
        default. The others as in `ask`.
        Raises UsageError for a question without meaning and Unreadable for an unreadable file.
        """
        repelling = [minus] if isinstance(minus, str | bytes | Path | Term | int) else minus
        side = self.rooms.read_options.image_min_side
        answer = self.ask(
            [term_of(term, side) for term in terms],
            minus=[term_of(term, side) for term in repelling],
            into=into,
            k=k,
            where=where,
            each=each,
            under=under,
            min_score=min_score,
            names=names,
        )
        return list(answer.hits)

    def ask(
        self,
        terms: Sequence[Term],
        *,
        minus: Sequence[Term] = (),
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        each: bool = False,
        under: Path | str | None = None,
        min_score: float | None = None,
        names: bool = True,
    ) -> Answer:
        """The answer to a question of several terms.

        k: items in all, or of each modality with `each`; where: only files that pass this filter,
        see docs/filters.md; under: only files below this folder; min_score: least standardised
        score; names: also look words up in names and passages.
        Raises ForeignSpace for a library whose vectors are of another space.
        """
        modalities = check_modalities(into)
        passing = condition(where, time.time_ns()) if where is not None else None
        k = self.rooms.settings.search.k if k is None else k
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")
        question = [*terms, *map(negative, minus)]
        if not any(term.weight > 0 for term in question):
            raise UsageError("nothing to search for: give at least one term besides --not")

        def look() -> tuple[Asked, float, list[list[Hit]]]:
            with self.rooms.catalog.view() as view:
                wanted = self._wanted(view, modalities, k, under, passing)
                asked = self._understand(view, question, wanted, names)
                encoded = time.perf_counter()
                return asked, encoded, self._find(view, asked, wanted)

        start = time.perf_counter()
        try:
            asked, encoded, found = look()
        except RowsGone:  # compacted since the view began: the next one sees where they are
            asked, encoded, found = look()
        hits = rank.merge(found, k, each=each, min_score=min_score)
        end = time.perf_counter()
        return Answer(
            query=[
                AskedTerm(modality, term.shown, term.weight, self._space.id)
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

    @cached_property
    def _space(self) -> Space:
        """The space of the question, which must be that of the library."""
        check_space(self.rooms, self.rooms.space.id)
        return self.rooms.space

    def _wanted(
        self,
        view: View,
        modalities: Sequence[Modality],
        k: int,
        under: Path | str | None,
        where: Condition | None,
    ) -> Wanted:
        """The answer's frame. Raises UnisearchError for a folder that is not in the library."""
        if under is None and where is None:
            return Wanted(modalities, k)
        folder = None if under is None else os.path.realpath(os.fsencode(under))
        allowed = view.segments(folder, where=where)
        if folder and not (len(allowed) or os.path.exists(folder) or len(view.segments(folder))):  # noqa: PTH110 (bytes)
            raise UnisearchError(f"{display(folder)}: no such folder, and nothing indexed below it")
        return Wanted(modalities, k, folder, where, allowed)

    def _understand(self, view: View, terms: Sequence[Term], wanted: Wanted, names: bool) -> Asked:
        """The question with its vectors."""
        modalities: list[Modality] = []
        vectors: list[Floats] = []
        excluded: set[int] = set()
        hidden = 0
        for term in terms:
            if isinstance(term.value, int):
                modality, rows, content = self._stored(view, term.value)
                vector = rows.sum(axis=0) / np.linalg.norm(rows.sum(axis=0))
                excluded.add(content)
                hidden += len(rows)
            else:
                modality, vector = self._encoded(term.value)
            modalities.append(modality)
            vectors.append(vector)
        ranks, items = self._names(view, terms, wanted) if names else ({}, {})
        return Asked(
            terms=terms,
            modalities=modalities,
            vectors=np.stack(vectors),
            weights=np.array([term.weight for term in terms], dtype=np.float32),
            names=ranks,
            items=items,
            excluded=frozenset(excluded),
            hidden=hidden,
        )

    def _encoded(self, value: str | Path | bytes | Sample | Vector) -> tuple[Modality, Floats]:
        """(modality, unit vector (dim,)) of what a term holds. Raises Unreadable."""
        match value:
            case Vector():
                return value.modality, value.of(self._space.dim)
            case str():
                return "text", self._space.encode([TextSample(value)])[0]
            case Path():
                return encode_file(self._space, value, self.rooms.read_options)
            case bytes():
                return encode_bytes(self._space, value, self.rooms.read_options)
            case _:
                return value.modality, self._space.encode([value])[0]

    def _names(
        self, view: View, terms: Sequence[Term], wanted: Wanted
    ) -> tuple[dict[int, float], dict[int, int]]:
        """(how well, whose name) by segment: names, captions and passages that hold a sentence."""
        ranks: dict[int, float] = {}
        items: dict[int, int] = {}
        limit = max(self.rooms.settings.search.candidates, 20 * wanted.k)
        for term in terms:
            if not isinstance(term.value, str) or term.weight < 0:
                continue
            for match in view.match_words(
                term.value, limit, wanted.modalities, wanted.under, wanted.where
            ):
                ranks[match.segment] = max(match.rank, ranks.get(match.segment, 0.0))
                if match.item is not None:
                    items[match.segment] = match.item
        return ranks, items

    def _stored(self, view: View, item: int) -> tuple[Modality, Floats, int]:
        """(modality, vectors (n, dim), content) of an item of the library."""
        row = view.item(item)
        if row is None:
            raise UnisearchError(f"item:{item}: the library has no such item")
        alone = Wanted([row.modality] if row.modality else [], k=1)
        readers = self._readers(view, alone)
        if row.content is None or row.modality is None or not readers:
            raise UnisearchError(f"item:{item}: has no vector in '{self._space.name}'")
        keys = view.segments(items=[item])
        return row.modality, readers[row.modality].vectors(keys), row.content

    def _readers(self, view: View, wanted: Wanted) -> dict[Modality, PartitionReader]:
        """The wanted partitions as the view sees them; those that hold something."""
        states = view.partitions(self._space.id)
        readers = {}
        for modality in wanted.modalities:
            if modality not in states:
                continue
            if modality not in self._partitions:
                self._partitions[modality] = self.rooms.partition(modality)
            blocks = partial(view.blocks, self._space.id, modality)
            reader = self._partitions[modality].at(states[modality], blocks)
            if len(reader):
                readers[modality] = reader
        return readers

    def _find(self, view: View, asked: Asked, wanted: Wanted) -> list[list[Hit]]:
        """The items of each partition, the best segment of each, joined in one statement.

        A long sound or text may fill many places with its segments: then more are looked at.
        """
        readers = self._readers(view, wanted)
        largest = max((len(reader) for reader in readers.values()), default=0)
        if wanted.allowed is not None:
            largest = min(largest, len(wanted.allowed))
        grounds = self._backgrounds.read(view, self._space)
        reach = self._reach(asked, wanted.k)
        while True:
            scored = [
                self._score(asked, wanted, modality, reader, grounds[modality], reach)
                for modality, reader in readers.items()
            ]
            keys = [int(key) for one in scored for key in one.keys]
            rows = view.hits(keys, wanted.under, asked.items, wanted.where)
            weak_above = self.rooms.settings.search.weak_above
            found = [
                rank.best_segments(one.hits(rows, weak_above, self._space.id), rows, asked.excluded)
                for one in scored
            ]
            enough = all(
                len(hits) >= wanted.k or reach >= len(reader)
                for hits, reader in zip(found, readers.values(), strict=True)
            )
            if enough or reach >= largest:
                return found
            reach *= 8

    def _reach(self, asked: Asked, k: int) -> int:
        """How many neighbours of each term are looked at.

        One term ranks as its cosine does; of several, the best sum may be nobody's nearest.
        The ranks below the best tell what chance gives, however few are wanted.
        """
        if len(asked.terms) == 1:
            return max(2 * k, RANKS) + asked.hidden
        return max(self.rooms.settings.search.candidates, 20 * k) + asked.hidden

    def _score(
        self,
        asked: Asked,
        wanted: Wanted,
        modality: Modality,
        reader: PartitionReader,
        ground: Background,
        reach: int,
    ) -> Scored:
        """The best candidates: nearest of each attracting term, and what the words match."""
        attract = asked.weights > 0
        near = [
            reader.search(asked.vectors[i : i + 1], reach, wanted.allowed, asked.modalities[i])
            for i in np.flatnonzero(attract).tolist()
        ]
        keys = np.unique(
            np.concatenate([np.array(list(asked.names), np.int64), *(one.keys[0] for one in near)])
        )
        cosines = reader.scores(asked.vectors, keys)  # (terms, n)
        here = ~np.isnan(cosines[0])  # words also match in other partitions
        keys, cosines = keys[here], cosines[:, here]

        score, expected = rank.judge(
            cosines,
            unrelated=asked.vectors @ ground.rows.T,
            pairs=[ground.pair(self._space, asking) for asking in asked.modalities],
            weights=asked.weights,
            live=len(reader) if wanted.allowed is None else reader.count(wanted.allowed),
            hidden=asked.hidden,
        )
        names = np.array([asked.names.get(int(key), 0.0) for key in keys], dtype=np.float32)
        return Scored(
            modality=modality,
            keys=keys,
            score=score + self.rooms.settings.search.name_bonus * names,
            similarity=np.average(cosines[attract], axis=0, weights=asked.weights[attract]),
            expected=expected,
            by_words=names > 0,
        ).best(reach)

    def close(self) -> None:
        """Releases the library."""
        self.rooms.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
