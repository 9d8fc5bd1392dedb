"""FAISS by itself: lists, 4-bit product codes, and the best again by float16 rows in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import faiss
import numpy as np

from tests.bench.engines.base import Contender, Floats, Setting, blocks, efforts

TRAIN_PER_LIST = 16  # as unisearch; never fewer than LEAST_TRAINED in all
LEAST_TRAINED = 65_536
FILE = "index.faiss"
REFINES = (8, 16, 32, 64, 128)


class Bare(Contender):
    """IVF{4 sqrt n},PQ{dim/2}x4fs, refined by SQfp16."""

    def build(self, rows: Floats) -> Iterator[int]:
        lists, dim = self.place.lists, self.place.dim
        kind = f"IVF{lists},PQ{dim // 2}x4fs,Refine(SQfp16)"
        index = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
        index.train(sample(rows, TRAIN_PER_LIST * lists))
        for at, block in blocks(rows, 50_000):
            index.add(block)
            yield at + len(block)
        faiss.write_index(index, str(self.place.folder / FILE))

    def open(self) -> None:
        self.index = faiss.read_index(str(self.place.folder / FILE))

    def ladders(self) -> list[list[Setting]]:
        probes = efforts(self.place.lists, least=4)
        return [[{"nprobe": nprobe, "refine": refine} for nprobe in probes] for refine in REFINES]

    def compared(self) -> list[Setting]:
        """What unisearch chose for the same rows, once it has been measured here."""
        chosen = self.place.folder.parent / "unisearch.chosen.json"
        return list(json.loads(chosen.read_text()).values()) if chosen.exists() else []

    def use(self, setting: Setting) -> None:
        lists = faiss.SearchParametersIVF(nprobe=setting["nprobe"])
        self.search = faiss.IndexRefineSearchParameters(
            k_factor=setting["refine"], base_index_params=lists
        )

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        found: list[list[int]] = self.index.search(queries, k, params=self.search)[1].tolist()
        return found


def sample(rows: Floats, count: int) -> Floats:
    """That many rows, drawn without repetition; all when there are fewer."""
    count = min(len(rows), max(count, LEAST_TRAINED))
    drawn = np.random.default_rng(1).choice(len(rows), count, replace=False)
    return np.ascontiguousarray(rows[np.sort(drawn)])
