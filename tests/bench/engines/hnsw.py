"""hnswlib: an HNSW graph over float32 vectors, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import hnswlib
import numpy as np

from tests.bench.engines.base import Contender, Floats, Setting, blocks, efforts

FILE = "index.hnsw"


class Hnswlib(Contender):
    """16 neighbours, 128 candidates while building, as for usearch."""

    def build(self, rows: Floats) -> Iterator[int]:
        index = hnswlib.Index("ip", self.place.dim)
        index.init_index(len(rows), ef_construction=128, M=16)
        for at, block in blocks(rows, 5_000):
            index.add_items(block, np.arange(at, at + len(block)), num_threads=1)
            yield at + len(block)
        index.save_index(str(self.place.folder / FILE))

    def open(self) -> None:
        self.index = hnswlib.Index("ip", self.place.dim)
        self.index.load_index(str(self.place.folder / FILE))

    def ladders(self) -> list[list[Setting]]:
        return [[{"ef": ef} for ef in efforts(4096, least=16)]]

    def use(self, setting: Setting) -> None:
        self.index.set_ef(setting["ef"])

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        found: list[list[int]] = self.index.knn_query(queries, k, num_threads=1)[0].tolist()
        return found
