"""Exact search in torch: on a GPU the rows stay in its memory; on the CPU it needs no FAISS."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from unisearch.index.bits import Bits, flags_of, reranked
from unisearch.index.table import Effort, Found

_CHUNK = 262_144  # rows compared at once
_SPARE = 32  # candidates beside k: the device's float16 scores may order close rows differently


class TorchScan:
    """Rows in float16 on a device. Candidates come from there, their cosines from the rows."""

    def __init__(self, vectors: NDArray[np.float16], device: str = "cpu") -> None:
        """vectors: (n, dim) unit rows, mapped or in memory; copied when the device is a GPU."""
        self._vectors = vectors
        self._device = torch.device(device)
        self._half = self._device.type != "cpu"
        self._rows: torch.Tensor | None = None
        if self._half:
            self._rows = torch.empty(vectors.shape, dtype=torch.float16, device=self._device)
            for start in range(0, len(vectors), _CHUNK):
                part = np.array(vectors[start : start + _CHUNK])
                self._rows[start : start + len(part)].copy_(torch.from_numpy(part))

    def __len__(self) -> int:
        return len(self._vectors)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: Bits | None = None,
        effort: Effort | None = None,  # noqa: ARG002
    ) -> Found:
        """The k best rows of each query; see Backend.search."""
        flags = None if allowed is None else torch.from_numpy(flags_of(allowed, len(self)))
        near = self._candidates(torch.from_numpy(queries).to(self._device), k + _SPARE, flags)
        return reranked(self._vectors, near, queries, k)

    def _candidates(
        self, queries: torch.Tensor, k: int, flags: torch.Tensor | None
    ) -> list[NDArray[np.int64]]:
        """Row numbers of about the k best of each query, in any order."""
        best_scores: list[torch.Tensor] = []
        best_rows: list[torch.Tensor] = []
        for start in range(0, len(self), _CHUNK):
            scores = self._scores(queries, start)
            if flags is not None:
                out = ~flags[start : start + _CHUNK].to(self._device)
                scores.masked_fill_(out, -torch.inf)
            top, at = scores.topk(min(k, scores.shape[1]), dim=1)
            best_scores.append(top.cpu())
            best_rows.append(at.cpu() + start)
        if not best_scores:
            return [np.empty(0, np.int64) for _ in queries]
        all_scores, all_rows = torch.cat(best_scores, dim=1), torch.cat(best_rows, dim=1)
        top, at = all_scores.topk(min(k, all_scores.shape[1]), dim=1)
        rows = torch.gather(all_rows, 1, at)
        return [row[score > -torch.inf].numpy() for row, score in zip(rows, top, strict=True)]

    def _scores(self, queries: torch.Tensor, start: int) -> torch.Tensor:
        """Cosines (q, n) of one chunk: float16 on a GPU, which multiplies it fastest."""
        if self._rows is not None:
            return (queries.half() @ self._rows[start : start + _CHUNK].T).float()
        part = np.array(self._vectors[start : start + _CHUNK])
        return queries @ torch.from_numpy(part).float().T
