"""LanceDB: columns on the disk with an index of inverted lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import lancedb
import numpy as np
import pyarrow

from tests.bench.engines.base import Contender, Floats, Setting, blocks, efforts

REFINES = (1, 2, 4, 8, 16)


class Lance(Contender):
    """A table of ids and vectors; `refine` is how many times k rows are compared exactly."""

    batches = False

    def build(self, rows: Floats) -> Iterator[int]:
        table = None
        for at, block in blocks(rows, 50_000):
            columns = self._columns(at, block)
            if table is None:
                table = self._connect().create_table("rows", columns)
            else:
                table.add(columns)
            yield at
        assert table is not None
        table.create_index(metric="dot", num_partitions=self.place.lists, **self.index())
        yield self.place.n

    def index(self) -> dict[str, Any]:
        """What kind of index."""
        raise NotImplementedError

    def open(self) -> None:
        self.table = self._connect().open_table("rows")

    def ladders(self) -> list[list[Setting]]:
        probes = efforts(self.place.lists)
        return [[{"nprobe": nprobe, "refine": refine} for nprobe in probes] for refine in REFINES]

    def use(self, setting: Setting) -> None:
        self.setting = setting

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        return [self._one(query, k) for query in queries]

    def _one(self, query: Floats, k: int) -> list[int]:
        search = self.table.search(query, vector_column_name="vector").distance_type("dot")
        search = search.limit(k).nprobes(self.setting["nprobe"]).select(["id"])
        if self.setting["refine"] > 1:
            search = search.refine_factor(self.setting["refine"])
        ids: list[int] = search.to_arrow().column("id").to_pylist()
        return ids

    def _connect(self) -> Any:
        return lancedb.connect(str(self.place.folder))

    def _columns(self, at: int, block: Floats) -> Any:
        vectors = pyarrow.FixedSizeListArray.from_arrays(
            pyarrow.array(block.ravel()), self.place.dim
        )
        return pyarrow.table({"id": np.arange(at, at + len(block)), "vector": vectors})


class BinaryCodes(Lance):
    """RaBitQ codes: the best of its kinds on these vectors."""

    def index(self) -> dict[str, Any]:
        return {"index_type": "IVF_RQ"}


class ProductCodes(Lance):
    """Product codes of the size that unisearch uses."""

    def index(self) -> dict[str, Any]:
        return {
            "index_type": "IVF_PQ",
            "num_bits": 4,
            "num_sub_vectors": self.place.dim // 2,
        }
