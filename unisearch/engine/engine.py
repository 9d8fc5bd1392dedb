"""One question from start to finish."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from unisearch.catalog.folders import real
from unisearch.catalog.view import View
from unisearch.catalog.where_sql import Condition
from unisearch.engine import rank
from unisearch.engine.answer import Answer, AskedTerm
from unisearch.engine.chance import RANKS, Floats
from unisearch.engine.checked import Checked, checked
from unisearch.engine.encode import Decode, decode
from unisearch.engine.hit_media import LocalMedia
from unisearch.engine.hits import Hits
from unisearch.engine.items import Items, folder_of
from unisearch.engine.lanes import Keys, Lane, Partitions
from unisearch.engine.many import look_ahead
from unisearch.engine.questions import Question, each
from unisearch.engine.rank import Joined, Scored
from unisearch.engine.spaces import LibrarySpaces
from unisearch.engine.terms import Asked, Term, Wanted, negative
from unisearch.engine.understand import Understanding
from unisearch.engine.values import term_of
from unisearch.errors import RowsGone, UnisearchError, display
from unisearch.factors import Factors
from unisearch.records import Modality
from unisearch.wiring import Rooms

_NONE = np.empty(0, np.int64)


class Engine(Items):
    """Searches one library. Use as a context manager, or call close().

    Threads may share one. read_file: reads files that are asked with, in this process by default
    """

    def __init__(self, rooms: Rooms, read_file: Decode = decode) -> None:
        self.rooms, self.since = rooms, time.monotonic()
        self._spaces = LibrarySpaces(rooms)
        self._partitions = Partitions(rooms, self._spaces)
        self._understanding = Understanding(rooms, self._spaces, self._partitions, read_file)
        self._turned: dict[str, Any] = {}  # what answers questions by factors: see turned.py

    def search(
        self,
        *terms: Any,
        into: Sequence[str] | str | None = None,
        k: int | None = None,
        where: str | None = None,
        minus: Sequence[Any] | str | Path = (),
        each: bool = False,
        under: Path | str | None = None,
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Hits:
        """The best hits, best first; a notebook shows them with pictures and players.

        terms, minus: see values.term_of; minus repels. into: modalities to answer with, all by
        default. The others as in `ask`.
        Raises UsageError for a question without meaning and Unreadable for an unreadable file.
        """
        repelling = [minus] if isinstance(minus, str | bytes | Path | Term | int) else minus
        side = self._spaces.image_min_side
        answer = self.ask(
            [term_of(term, side) for term in terms],
            minus=[term_of(term, side) for term in repelling],
            into=into,
            k=k,
            where=where,
            each=each,
            under=under,
            root=root,
            min_score=min_score,
            names=names,
            factors=factors,
        )
        return Hits(answer.hits, LocalMedia(self.rooms))

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
        root: int | None = None,
        min_score: float | None = None,
        names: bool = True,
        factors: str | Factors | None = None,
    ) -> Answer:
        """The answer to a question of several terms.

        k: items in all, or of each modality with `each`; where: only files that pass this filter,
        see docs/filters.md; under: only files below this folder; root: only those of the indexed
        folder of that id, as `item()` tells it; min_score: least standardised score; names: also
        look words up in names and passages; factors: by which texts and sounds of a mixed space
        are compared this once ('at_expertise', 'audio=0.8' or by modality; what is not named
        stays). Terms follow them exactly. So does what is stored, compared with all of its parts;
        where an index proposes candidates these are ranked as the stored factors rank them, so
        that some may be missing: `Answer.approximate` names such kinds.
        Raises ForeignSpace for a library whose vectors are of another space, and UnisearchError
        for factors where no space has any.
        """
        question = Question(
            [*terms, *map(negative, minus)],
            into,
            k,
            where,
            each,
            folder_of(self.rooms, root, under),
            min_score,
            names,
            factors,
        )
        [answer] = self.ask_many([question])
        return answer

    def similar(
        self,
        item: int,
        *,
        into: Sequence[str] | str | None = None,
        k: int = 10,
        factors: str | Factors | None = None,
    ) -> Hits:
        """What is like an item of the library, without itself and its copies."""
        return self.search(item, into=into, k=k, factors=factors)

    def ask_many(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers to several questions, all of one committed state of the library.

        Their words pass the network together, and those without a filter each index; files, words
        in names and the join are of each question alone. took_ms is that of all of them.
        Raises as `ask`, for the first question that cannot be answered (of several the error tells
        its place as `question`), and UsageError for questions by different factors.
        """
        if any(question.factors is not None for question in questions):
            from unisearch.engine.turned import ask_by_factors

            return ask_by_factors(self, questions, self._turned)
        usual_k = self.rooms.settings.search.k
        asking = each(lambda question: checked(question, usual_k), questions)
        start = time.perf_counter()
        try:
            encoded, looked = self._look(asking)
        except RowsGone:  # compacted since the view began: the next one sees where they are
            encoded, looked = self._look(asking)
        weak_above = self.rooms.settings.search.weak_above
        hits = [
            rank.merge(found, one.k, weak_above, each=one.each, min_score=one.least)
            for one, (_, found) in zip(asking, looked, strict=True)
        ]
        end = time.perf_counter()
        took_ms = {
            "encode": (encoded - start) * 1e3,
            "search": (end - encoded) * 1e3,
            "total": (end - start) * 1e3,
        }
        return [
            Answer(
                query=[
                    AskedTerm(
                        modality, term.shown, term.weight, ", ".join(sorted({*spaces.values()}))
                    )
                    for term, modality, spaces in zip(
                        asked.terms, asked.modalities, asked.spaces, strict=True
                    )
                ],
                hits=best,
                no_match=all(hit.weak for hit in best),
                took_ms=took_ms,
            )
            for (asked, _), best in zip(looked, hits, strict=True)
        ]

    def _look(
        self, asking: Sequence[Checked]
    ) -> tuple[float, list[tuple[Asked, list[list[Joined]]]]]:
        """(when all were encoded, each question and what was found)."""
        with self.rooms.catalog.view() as view:
            wanted = each(
                lambda one: self._wanted(view, one.modalities, one.k, one.under, one.where), asking
            )
            words = {}
            if len(asking) > 1:
                terms = [one.terms for one in asking]
                words = self._understanding.words(view, list(zip(terms, wanted, strict=True)))
            asked = each(
                lambda one, frame: self._understanding.asked(
                    view, one.terms, frame, one.names, words
                ),
                asking,
                wanted,
            )
            encoded = time.perf_counter()
            lanes = [
                self._partitions.lanes(view, one, frame)
                for one, frame in zip(asked, wanted, strict=True)
            ]
            reaches = [self._reach(one, frame.k) for one, frame in zip(asked, wanted, strict=True)]
            if len(asking) > 1:
                look_ahead(asked, lanes, reaches)
            return encoded, [
                (one, self._find(view, one, frame, ways))
                for one, frame, ways in zip(asked, wanted, lanes, strict=True)
            ]

    def _wanted(
        self,
        view: View,
        modalities: Sequence[Modality],
        k: int,
        under: Path | str | None,
        where: Condition | None,
    ) -> Wanted:
        """The answer's frame. Raises UnisearchError for a folder that is not in the library."""
        held = sum(row.count - row.dead for row in view.all_partitions())
        k = max(min(k, held), 1)
        if under is None and where is None:
            return Wanted(modalities, k)
        folder = None if under is None else real(under)
        allowed = view.segments(folder, where=where)
        if folder and not (len(allowed) or os.path.exists(folder) or len(view.segments(folder))):  # noqa: PTH110 (bytes)
            raise UnisearchError(f"{display(folder)}: no such folder, and nothing indexed below it")
        return Wanted(modalities, k, folder, where, allowed)

    def _find(
        self,
        view: View,
        asked: Asked,
        wanted: Wanted,
        lanes: Mapping[Modality, Sequence[Lane]],
    ) -> list[list[Joined]]:
        """The items of each partition, the best segment of each, joined in one statement.

        A long sound or text may fill many places with its segments: then more are looked at.
        """
        sizes = [max(lane.live for lane in ways) for ways in lanes.values()]
        reach = self._reach(asked, wanted.k)
        # Mostly each hit is an item of its own, and the rest need not be joined.
        joined = wanted.k
        while True:
            scored = self._scored(asked, lanes, reach)
            found = self._joined(view, asked, wanted, scored, joined)
            if any(
                len(hits) < wanted.k and len(one.keys) > joined
                for hits, one in zip(found, scored, strict=True)
            ):
                joined = reach
                found = self._joined(view, asked, wanted, scored, joined)
            enough = all(
                len(hits) >= wanted.k or reach >= size
                for hits, size in zip(found, sizes, strict=True)
            )
            if enough:
                return found
            reach *= 8

    def _joined(
        self, view: View, asked: Asked, wanted: Wanted, scored: Sequence[Scored], most: int
    ) -> list[list[Joined]]:
        """The first candidates of each partition, each item once, joined in one statement."""
        keys = [key for one in scored for key in one.keys[:most].tolist()]
        rows = view.hits(keys, wanted.under, asked.items, wanted.where)
        return [one.joined(rows, most) for one in scored]

    def _reach(self, asked: Asked, k: int) -> int:
        """How many neighbours of each term are looked at.

        One term ranks as its cosine does; of several, the best sum may be nobody's nearest.
        The ranks below the best tell what chance gives, however few are wanted.
        """
        if len(asked.terms) == 1:
            return max(2 * k, RANKS)
        return max(self.rooms.settings.search.candidates, 20 * k)

    def _scored(
        self, asked: Asked, lanes: Mapping[Modality, Sequence[Lane]], reach: int
    ) -> list[Scored]:
        """The best candidates of each partition: nearest of each term, and what the words match."""
        found = [self._score(asked, modality, ways, reach) for modality, ways in lanes.items()]
        if asked.names:
            search = self.rooms.settings.search
            found = rank.with_words(found, search.name_bonus, search.weak_above)
        return [one.ranked(reach) for one in found]

    def _score(self, asked: Asked, modality: Modality, lanes: Sequence[Lane], reach: int) -> Scored:
        """All candidates of a partition by their vectors."""
        keys, cosines = self._candidates(asked, modality, lanes, reach)
        weights = asked.weights
        if len(weights) > 1:
            weights = weights[[i for lane in lanes for i in lane.terms]]
        score, bent, chance = rank.judge(
            cosines,
            unrelated=_stacked([lane.unrelated(asked) for lane in lanes]),
            pairs=[pair for lane in lanes for pair in lane.pairs(asked)],
            weights=weights,
            live=min(lane.live for lane in lanes),
        )
        return Scored(
            modality=modality,
            space=lanes[0].space.id,
            keys=keys,
            score=score,
            similarity=rank.similarity(cosines, weights),
            words=_matching(asked.names, keys),
            bent=bent,
            chance=chance,
        )

    def _candidates(
        self, asked: Asked, modality: Modality, lanes: Sequence[Lane], reach: int
    ) -> tuple[Keys, Floats]:
        """(keys (n,), cosines (terms, n)): the nearest of each term, and what the words match.

        Without the segments that are asked for by id: neither answers nor chance.
        """
        own = asked.own.get(modality, _NONE)
        near = [found for lane in lanes for found in lane.nearest(asked, reach + len(own))]
        if len(asked.terms) == 1 and not asked.names:
            [(nearest, cosines)] = near
            keys = nearest[0]
            here = keys >= 0
        else:
            named = np.array(list(asked.names), np.int64)
            keys = np.unique(np.concatenate([named, *(found.keys[0] for found in near)]))
            cosines = _stacked([lane.cosines(asked, keys) for lane in lanes])
            here = ~np.isnan(cosines).any(axis=0)  # words also match in other partitions
        if len(own):
            here &= ~np.isin(keys, own)
        return keys[here], cosines[:, here]

    def reading(self, read_file: Decode) -> Engine:
        """The same engine, with all that it has opened, for files that are read another way."""
        other = copy.copy(self)
        other._understanding = copy.copy(self._understanding)
        other._understanding.read_file = read_file
        return other

    def close(self) -> None:
        """Releases the library."""
        self.rooms.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stacked(parts: Sequence[Floats]) -> Floats:
    """The rows of all parts; a copy only where there are several."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _matching(names: Mapping[int, float], keys: Keys) -> Floats:
    """How well the words of each key fit, (n,); 0: not."""
    if not names:
        return np.zeros(len(keys), np.float32)
    return np.array([names.get(key, 0.0) for key in keys.tolist()], np.float32)
