"""Questions by factors of their own: the library is asked as if its vectors were mixed by them.

What can be mixed by factors is told in spaces/mixed.py. Terms are encoded by the wanted factors.
What is stored is compared from its parts (turned_reader.py), and so is the background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.rows import PartitionRow, SpaceRow
from unisearch.catalog.view import View
from unisearch.engine.answer import Answer
from unisearch.engine.background import ROWS, Backgrounds
from unisearch.engine.chance import Floats
from unisearch.engine.checked import Checked
from unisearch.engine.engine import Engine
from unisearch.engine.lanes import Lane, Partitions
from unisearch.engine.questions import Question, each
from unisearch.engine.rank import Joined
from unisearch.engine.route import Offer
from unisearch.engine.spaces import LibrarySpaces
from unisearch.engine.terms import Asked, Wanted
from unisearch.engine.turned_reader import TurnedReader, turned
from unisearch.engine.understand import Understanding
from unisearch.errors import LibraryDamaged, UnisearchError, UsageError, display
from unisearch.factors import Factors, factors_of, told
from unisearch.held import check_names, with_factors
from unisearch.index.bits import draw_live
from unisearch.index.reader import PartitionReader
from unisearch.records import Modality, PartitionState, seen_as
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

#: So many settings of factors are kept ready, each with its backgrounds.
MOST = 4


def ask_by_factors(
    engine: Engine, questions: Sequence[Question], kept: dict[str, _Turned]
) -> list[Answer]:
    """The answers of an engine by the factors that its questions name, all the same.

    kept: what earlier ones were answered with, by factors
    """
    wanted = each(_wanted, questions)
    factors = wanted[0]
    each(partial(_check_same, factors), wanted)
    name = told(factors)
    found = kept.get(name)
    if found is None:
        found = kept[name] = _Turned.of(engine, factors)
        for oldest in list(kept)[:-MOST]:
            kept.pop(oldest, None)
    plain = [replace(question, factors=None) for question in questions]
    return _TurnedEngine(engine, found).ask_many(plain)


def _wanted(question: Question) -> Factors:
    """The factors that a question names. Raises UsageError and UnknownName."""
    return {} if question.factors is None else factors_of(question.factors)


def _check_same(first: Factors, factors: Factors) -> None:
    """Raise UsageError unless they are those of the first question."""
    if told(factors) != told(first):
        raise UsageError("questions that are asked together are asked by the same factors")


@dataclass(frozen=True)
class _Turned:
    """What answers by some factors, opened."""

    factors: Factors
    spaces: _Spaces
    partitions: _Partitions

    @classmethod
    def of(cls, engine: Engine, factors: Factors) -> _Turned:
        spaces = _Spaces(engine.rooms, factors)
        return cls(factors, spaces, _Partitions(engine.rooms, spaces, engine._partitions))


class _TurnedEngine(Engine):
    """An engine by other factors, for one call."""

    def __init__(self, engine: Engine, by: _Turned) -> None:
        self.rooms, self._by = engine.rooms, by
        self._spaces, self._partitions = by.spaces, by.partitions
        read_file = engine._understanding.read_file
        self._understanding = Understanding(self.rooms, by.spaces, by.partitions, read_file)
        self._approximate: list[list[Modality]] = []

    def ask_many(self, questions: Sequence[Question]) -> list[Answer]:
        return [
            replace(answer, factors=self._by.factors, approximate=kinds)
            for answer, kinds in zip(super().ask_many(questions), self._approximate, strict=True)
        ]

    def _look(
        self, asking: Sequence[Checked]
    ) -> tuple[float, list[tuple[Asked, list[list[Joined]]]]]:
        self._approximate = []  # of an earlier look, whose rows were gone
        return super()._look(asking)

    def _find(
        self,
        view: View,
        asked: Asked,
        wanted: Wanted,
        lanes: Mapping[Modality, Sequence[Lane]],
    ) -> list[list[Joined]]:
        self._approximate.append(
            [kind for kind, ways in lanes.items() if not all(map(_is_exact, ways))]
        )
        return super()._find(view, asked, wanted, lanes)


def _is_exact(lane: Lane) -> bool:
    """Whether no hit can be missing: all are compared, and parts of all are there."""
    reader = lane.reader
    if not isinstance(reader, TurnedReader):
        return True
    return reader.is_exact(lane.among) and len(reader.parts) >= len(reader)


class _Spaces(LibrarySpaces):
    """Those with factors encode by others. Their ids stay, under which their vectors lie."""

    def __init__(self, rooms: Rooms, wanted: Factors) -> None:
        super().__init__(rooms)
        self._wanted = wanted
        self._turned: dict[str, Space] = {}
        self._changed: dict[str, Factors] = {}

    def __getitem__(self, space_id: str) -> Space:
        return self._turned.get(space_id) or super().__getitem__(space_id)

    def factor(self, space_id: str, modality: Modality) -> float | None:
        """By which its vectors of that modality are to be mixed anew; None for those that stay."""
        return self._changed.get(space_id, {}).get(seen_as(modality))

    def _offered(self, partitions: list[PartitionRow], rows: list[SpaceRow]) -> list[Offer]:
        able = with_factors(row for row in rows if row.state in ("active", "parts"))
        check_names(self._wanted, able)
        offers = super()._offered(partitions, rows)
        here = {offer.space for offer in offers}
        if not any(row.id in here for row in able):
            raise UnisearchError(f"'{able[0].id}', which has factors, has no weights here")
        for row in able:
            if row.id in here:
                space = super().__getitem__(row.id)
                self._turned[row.id] = _by(space, {**row.factors, **self._wanted})
                self._changed[row.id] = {
                    name: factor
                    for name, factor in self._wanted.items()
                    if factor != row.factors.get(name, factor)
                }
        return [replace(offer, quality=self[offer.space].quality) for offer in offers]


def _by(space: Space, factors: Factors) -> Space:
    """The space by these factors, under its old id."""
    other = space.turned(factors)
    if other is not space:
        other = copy(other)
        other.id = space.id
    return other


class _Partitions(Partitions):
    """Partitions read from their parts, where another factor is wanted than the stored one."""

    def __init__(self, rooms: Rooms, spaces: _Spaces, stored: Partitions) -> None:
        super().__init__(rooms, spaces)
        self._stored, self._by = stored, spaces
        self._readers: dict[tuple[str, Modality], TurnedReader] = {}
        self._backgrounds = _Backgrounds(self._readers)

    def of(
        self,
        view: View,
        space: Space,
        modality: Modality,
        states: Mapping[Modality, PartitionState],
    ) -> PartitionReader | None:
        stored = self._stored.of(view, space, modality, states)
        factor = self._by.factor(space.id, modality)
        if stored is None or factor is None:
            return stored
        parts = self._parts_of(view, space, modality)
        known = self._readers.get((space.id, modality))
        if known is None or known.rows is not stored.rows or known.parts is not parts:
            known = turned(stored, parts, factor)
            self._readers[space.id, modality] = known
        return known

    def _parts_of(self, view: View, space: Space, modality: Modality) -> PartitionReader:
        """Of the vectors of a partition. Raises LibraryDamaged when they are not there."""
        state = view.partitions(space.parts_id).get(modality)
        if state is None:
            raise LibraryDamaged(
                f"{display(self._rooms.library)}: {modality} has vectors and no parts of them:"
                " 'unisearch repair'"
            )
        opened = self._opened(view, space, modality, self._rooms.parts)
        return opened.at(state, partial(view.blocks, space.parts_id, modality))


class _Backgrounds(Backgrounds):
    """Samples of a library's rows as they are by the wanted factors."""

    def __init__(self, readers: Mapping[tuple[str, Modality], TurnedReader]) -> None:
        super().__init__()
        self._readers = readers

    def _sample(self, view: View, row: BackgroundRow) -> Floats:
        reader = self._readers.get((row.space, row.modality))
        if reader is None:
            return super()._sample(view, row)
        numbers = np.random.default_rng((row.epoch, row.count, row.dead))
        places = draw_live(len(reader.rows.keys), reader.dead, ROWS, numbers)
        return reader.vectors(reader.sound(reader.rows.keys[places]))
