"""The way of some terms into one modality: the space that was chosen for them, and its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.view import View
from unisearch.engine.background import Background, Backgrounds
from unisearch.engine.chance import Floats, Pair
from unisearch.engine.spaces import LibrarySpaces
from unisearch.engine.terms import Asked, Wanted
from unisearch.index.bits import products
from unisearch.index.partition import Partition
from unisearch.index.reader import Nearest, PartitionReader
from unisearch.records import Modality, PartitionState
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Lane:
    """One partition and the terms, by their places, that are compared with it.

    among: the rows that pass the question's filter, None without one
    ahead: what was looked up before for several questions at a time, by term and depth
    """

    space: Space
    reader: PartitionReader
    ground: Background
    terms: Sequence[int]
    among: NDArray[np.int64] | None
    ahead: dict[tuple[int, int], Nearest] = field(default_factory=dict)

    def nearest(self, asked: Asked, reach: int) -> list[Nearest]:
        """The nearest keys of each attracting term."""
        vectors = asked.vectors[self.space.id]
        k = self.depth(reach)
        return [
            self.ahead.get((i, k))
            or self.reader.search(vectors[i : i + 1], k, self.among, asked.modalities[i])
            for i in self.attracting(asked)
        ]

    def attracting(self, asked: Asked) -> list[int]:
        """Its terms that do not repel."""
        return [i for i in self.terms if asked.weights[i] > 0]

    def depth(self, reach: int) -> int:
        """How many of so many neighbours there can be."""
        return max(min(reach, self.live), 1)

    def cosines(self, asked: Asked, keys: Keys) -> Floats:
        """Of its terms to these keys, (terms, n); NaN for keys that are not here."""
        return self.reader.scores(self._vectors(asked), keys)

    def unrelated(self, asked: Asked) -> Floats:
        """Cosines of its terms to the background, (terms, m)."""
        return products(self._vectors(asked), self.ground.rows)

    def _vectors(self, asked: Asked) -> Floats:
        """Of its terms, (terms, dim)."""
        rows = asked.vectors[self.space.id]
        return rows if len(self.terms) == len(rows) else rows[list(self.terms)]

    def pairs(self, asked: Asked) -> list[Pair]:
        """What is usual for each of its terms."""
        return [self.ground.pair(self.space, asked.modalities[i]) for i in self.terms]

    @property
    def live(self) -> int:
        """How many rows could have been found."""
        return len(self.reader) if self.among is None else len(self.among)


class Partitions:
    """The partitions of a library and their backgrounds, opened once."""

    def __init__(self, rooms: Rooms, spaces: LibrarySpaces) -> None:
        self._rooms = rooms
        self._spaces = spaces
        self._partitions: dict[tuple[str, Modality], tuple[Hashable, Partition]] = {}
        self._backgrounds = Backgrounds()
        self._opening = Lock()

    def of(
        self,
        view: View,
        space: Space,
        modality: Modality,
        states: Mapping[Modality, PartitionState],
    ) -> PartitionReader | None:
        """A partition as the view sees it; None when it holds nothing."""
        state = states.get(modality)
        if state is None:
            return None
        opened = self._opened(view, space, modality, self._rooms.partition)
        reader = opened.at(state, partial(view.blocks, space.id, modality))
        return reader if len(reader) else None

    def _opened(
        self,
        view: View,
        space: Space,
        modality: Modality,
        opening: Callable[[Modality, Space], Partition],
    ) -> Partition:
        """A partition that is opened once, and again for another library in its place."""
        with self._opening:  # once: of two, both might be read, and put on a GPU
            file, opened = self._partitions.get((space.id, modality), (None, None))
            if opened is None or file != view.file:
                opened = opening(modality, space)
                self._partitions[space.id, modality] = view.file, opened
            return opened

    def lanes(self, view: View, asked: Asked, wanted: Wanted) -> dict[Modality, list[Lane]]:
        """The ways into each wanted modality that some attracting term can take."""
        used = {space for spaces in asked.spaces for space in spaces.values()}
        states = {space: view.partitions(space) for space in used}
        samples = {(row.space, row.modality): row for row in view.backgrounds()}
        lanes: dict[Modality, list[Lane]] = {}
        for modality in wanted.modalities:
            terms: dict[str, list[int]] = defaultdict(list)
            for place, spaces in enumerate(asked.spaces):
                if modality in spaces:
                    terms[spaces[modality]].append(place)
            for space_id, places in terms.items():
                space = self._spaces[space_id]
                reader = self.of(view, space, modality, states[space_id])
                if reader is not None:
                    row = samples.get((space_id, modality))
                    ground = self._backgrounds.of(view, space, modality, row)
                    among = None if wanted.allowed is None else reader.rows_among(wanted.allowed)
                    lane = Lane(space, reader, ground, places, among)
                    lanes.setdefault(modality, []).append(lane)
        return {
            modality: ways
            for modality, ways in lanes.items()
            if any(asked.weights[i] > 0 for lane in ways for i in lane.terms)
        }
