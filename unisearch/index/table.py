"""The backends of vector search, and the contract that each keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from unisearch.registry import Entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unisearch.index.bits import Bits


class Found(NamedTuple):
    """The best rows of each query, best first; places that nothing fills hold row -1."""

    rows: NDArray[np.int64]  # (q, k)
    scores: NDArray[np.float32]  # (q, k), exact cosines


@dataclass(frozen=True)
class Effort:
    """How far an approximate index looks for one query.

    nprobe: lists that are read; candidates: rows that are compared exactly, for 10 results
    recall: measured share of the true 10 best, None when it was not measured
    """

    nprobe: int
    candidates: int
    recall: float | None = None


class Backend(Protocol):
    """The nearest of a fixed run of rows, numbered from 0. Threads may share it."""

    def __len__(self) -> int: ...

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: Bits | None = None,
        effort: Effort | None = None,
    ) -> Found:
        """The k best rows of each query, best first.

        queries: float32 (q, dim), unit rows, finite
        allowed: only rows of this set are looked at
        effort: of an approximate index; exact ones look at everything
        """
        ...


#: Each is made as Backend(vectors) from mapped float16 rows (n, dim).
BACKENDS = {
    "flat": Entry("unisearch.index.flat:FlatScan", extras=("cpu", "gpu")),
    "torch": Entry("unisearch.index.torch_scan:TorchScan"),
    "ivfpq": Entry("unisearch.index.ivfpq:IvfPq", extras=("cpu", "gpu")),
}
