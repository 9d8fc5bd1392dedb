"""usearch: an HNSW graph over float16 vectors, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from usearch.index import Index

from tests.bench.engines.base import Contender, Floats, Setting, blocks, efforts

FILE = "index.usearch"


class Usearch(Contender):
    """16 neighbours, 128 candidates while building: its defaults."""

    def build(self, rows: Floats) -> Iterator[int]:
        index = Index(
            ndim=self.place.dim, metric="ip", dtype="f16", connectivity=16, expansion_add=128
        )
        for at, block in blocks(rows, 5_000):
            index.add(np.arange(at, at + len(block)), block, threads=1)
            yield at + len(block)
        index.save(str(self.place.folder / FILE))

    def open(self) -> None:
        self.index = Index.restore(str(self.place.folder / FILE))

    def ladders(self) -> list[list[Setting]]:
        return [[{"ef": ef} for ef in efforts(4096, least=16)]]

    def use(self, setting: Setting) -> None:
        self.index.expansion_search = setting["ef"]

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        if len(queries) == 1:
            return [self.index.search(queries[0], k, threads=1).keys.tolist()]
        found: list[list[int]] = self.index.search(queries, k, threads=1).keys.tolist()
        return found
