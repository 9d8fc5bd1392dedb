"""Chroma: a persistent client with its HNSW graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import chromadb
from chromadb.api.shared_system_client import SharedSystemClient

from tests.bench.engines.base import Contender, Floats, Setting, blocks, efforts

NAME = "bench"
BATCH = 5_000  # it takes no more than 5,461 at once


class Chroma(Contender):
    """Graph of its default size; it is written every 10,000 rows, not every 1,000.

    Rows that were not written to the graph yet would be added to it again at each opening.
    """

    def build(self, rows: Floats) -> Iterator[int]:
        graph = {"space": "ip", "sync_threshold": 10_000, "batch_size": BATCH}
        collection = self._client().create_collection(NAME, configuration={"hnsw": graph})
        for at, block in blocks(rows, BATCH):
            ids = [str(at + row) for row in range(len(block))]
            collection.add(ids=ids, embeddings=block)
            yield at + len(block)

    def open(self) -> None:
        self.collection = self._client().get_collection(NAME)

    def ladders(self) -> list[list[Setting]]:
        return [[{"ef": ef} for ef in efforts(4096, least=16)]]

    def use(self, setting: Setting) -> None:
        """An opened graph keeps its effort: it is opened anew."""
        self.collection.modify(configuration={"hnsw": {"ef_search": setting["ef"]}})
        SharedSystemClient.clear_system_cache()
        self.open()

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        found = self.collection.query(query_embeddings=queries, n_results=k, include=[])
        return [[int(row) for row in ids] for ids in found["ids"]]

    def _client(self) -> Any:
        return chromadb.PersistentClient(str(self.place.folder))
