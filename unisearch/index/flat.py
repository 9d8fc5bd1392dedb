"""Exact search on the CPU: every row is compared with every query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unisearch.index.bits import Bits
from unisearch.index.halves_view import view
from unisearch.index.table import Effort, Found


class FlatScan:
    """Scans mapped float16 rows with FAISS; memory is spent on nothing but the result."""

    def __init__(self, vectors: NDArray[np.float16]) -> None:
        """vectors: (n, dim) unit rows, mapped or in memory. Raises ImportError without FAISS."""
        self._index = view(vectors)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: Bits | None = None,
        effort: Effort | None = None,  # noqa: ARG002
    ) -> Found:
        """The k best rows of each query; see Backend.search."""
        import faiss

        chosen = None
        if allowed is not None:
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(allowed))
        scores, rows = self._index.search(queries, min(k, len(self)), params=chosen)
        return Found(rows, scores)
