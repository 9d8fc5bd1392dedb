"""What the search benchmark compares: one file for each engine, one line for each in CONTENDERS.

The peers run in an environment of their own (see peers.txt), so nothing here imports unisearch
but `ours` and `library`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from tests.bench.engines.base import Contender


@dataclass(frozen=True)
class Entry:
    """Where a contender is defined, and how it is run.

    index: the folder of its index, which two contenders may share
    peer: runs in the peers' environment
    """

    title: str
    target: str  # module:class below this package
    index: str
    peer: bool = True

    def load(self) -> type[Contender]:
        """The class. Raises ImportError when its package is not installed."""
        module, _, name = self.target.partition(":")
        return cast(type[Contender], getattr(import_module(f"{__name__}.{module}"), name))


CONTENDERS = {
    "unisearch": Entry("unisearch, public path", "ours:Public", "unisearch", peer=False),
    "unisearch-index": Entry("unisearch, index alone", "ours:Index", "unisearch", peer=False),
    "faiss": Entry("bare FAISS IVF,PQ4fs + fp16", "bare:Bare", "faiss", peer=False),
    "lancedb": Entry("LanceDB IVF_RQ", "lance:BinaryCodes", "lancedb"),
    "lancedb-pq4": Entry("LanceDB IVF_PQ, 4 bits", "lance:ProductCodes", "lancedb-pq4"),
    "chroma": Entry("Chroma HNSW", "chroma:Chroma", "chroma"),
    "usearch": Entry("usearch HNSW f16", "usearch_:Usearch", "usearch"),
    "hnswlib": Entry("hnswlib HNSW f32", "hnsw:Hnswlib", "hnswlib"),
    "sqlite-vec": Entry("sqlite-vec scan", "sqlitevec:SqliteVec", "sqlite-vec"),
}
