"""unisearch: the path that users take, and its index by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import faiss  # noqa: F401 (both are loaded long before a library is opened)
import torch  # noqa: F401

from tests.bench.data import KINDS
from tests.bench.engines.base import Contender, Floats, Place
from tests.bench.engines.library import ASKING, MODALITY, BenchSpace, fill, opened
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term, Vector
from unisearch.index.table import Effort
from unisearch.wiring import Rooms, snapshots


class Public(Contender):
    """`Engine.ask` with a vector as the term: index, scores, and the join with the catalogue."""

    batches = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._space = BenchSpace(place.folder.parent, place.dim)
        self._held = ExitStack()
        self._took: dict[str, float] = {}

    def build(self, rows: Floats) -> Iterator[int]:
        yield from fill(self.place.folder, self._space, rows, self._took)
        with opened(self.place.folder, self._space) as rooms:
            put_chosen(self.place, self._efforts(rooms))

    def open(self) -> None:
        self._engine = Engine(self._held.enter_context(opened(self.place.folder, self._space)))

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        return [self._one(query, kind, k) for query in queries]

    def _one(self, query: Floats, kind: str, k: int) -> list[int]:
        term = Term(Vector(query, ASKING[kind]))
        answer = self._engine.ask([term], into=MODALITY, k=k)
        return [hit.segment - 1 for hit in answer.hits]

    def facts(self) -> dict[str, Any]:
        with opened(self.place.folder, self._space) as rooms:
            efforts = {name: vars(effort) for name, effort in self._efforts(rooms).items()}
        return {**self._took, "efforts": efforts}

    def _efforts(self, rooms: Rooms) -> Mapping[str, Effort]:
        """What the newest snapshot says of each query modality; nothing without one."""
        found = snapshots(rooms.library, self._space.id, MODALITY).manifests()
        mains = [manifest for manifest in found if manifest.base is None]
        return mains[-1].efforts if mains else {}

    def close(self) -> None:
        self._held.close()


class Index(Public):
    """The search of its one partition, without the catalogue."""

    batches = True

    def open(self) -> None:
        rooms = self._held.enter_context(opened(self.place.folder, self._space))
        with rooms.catalog.view() as view:
            state = view.partitions(self._space.id)[MODALITY]
            blocks = view.blocks(self._space.id, MODALITY)
        self._reader = rooms.partition(MODALITY).at(state, lambda: blocks)

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        found = self._reader.search(queries, k, asking=ASKING[kind])
        rows: list[list[int]] = (found.keys - 1).tolist()
        return rows


def put_chosen(place: Place, efforts: Mapping[str, Effort]) -> None:
    """Notes the settings for the kinds of question, for FAISS to be measured with the same."""
    chosen = {
        kind: {"nprobe": effort.nprobe, "refine": effort.candidates // 10}
        for kind in KINDS
        if (effort := efforts.get(ASKING[kind]))
    }
    (place.folder.parent / "unisearch.chosen.json").write_text(json.dumps(chosen))
