"""FAISS IVF-PQ: candidates from compressed vectors, compared exactly with the mapped rows.

Plain IVF-PQ finds half of the true neighbours whatever its effort; with 4-bit codes of two
dimensions each and exact re-ranking it finds nearly all (docs/benchmarks.md).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import VectorError
from unisearch.index.bits import Bits, floats, reranked
from unisearch.index.halves_view import faiss_sees_gpus, view
from unisearch.index.table import Effort, Found

#: By kind: the code of FAISS's factory. 'fast' is searched by the CPU, in registers; GPUs know
#: no such codes. 'np' leaves out a training for the Hamming distance that nobody uses.
FACTORY = {"fast": "IVF{nlist},PQ{half}x4fs", "gpu": "IVF{nlist},PQ{eighth}x8np"}

_MOST_ON_GPU = 2_048
_FEW = 256  # queries at a time; for more, the middles are worth making whole: see _for_many
_ADD = 65_536  # rows encoded at once
_PER_LIST = 16  # training rows per list: 64 take four times as long and find no more
_LEAST_TRAINED = 65_536
#: Where nothing was measured: lists and candidates that reach the target on most data.
UNTUNED = Effort(nprobe=64, candidates=640)


class IvfPq:
    """Rows [0, n) of an epoch in inverted lists. Immutable once it is searched."""

    def __init__(
        self, vectors: NDArray[np.float16], kind: str = "fast", trained: Any = None
    ) -> None:
        """Trains on the rows and encodes them; with `trained` encodes with its lists and codes.

        vectors: (n, dim) unit rows, mapped; kind: of FACTORY
        trained: a FAISS index whose lists and codebooks are taken over
        """
        self._index = _trained(vectors, kind) if trained is None else _emptied(trained)
        for start in range(0, len(vectors), _ADD):
            self._index.add(floats(np.array(vectors[start : start + _ADD])))
        self._open(vectors)

    @classmethod
    def opened(cls, index: Any, vectors: NDArray[np.float16]) -> Self:
        """A FAISS index that was read from a file, over the rows that it was built of."""
        self = cls.__new__(cls)
        self._index = index
        self._open(vectors)
        return self

    def _open(self, vectors: NDArray[np.float16]) -> None:
        import faiss

        if self._index.ntotal != len(vectors):
            raise VectorError(f"an index of {self._index.ntotal} rows over {len(vectors)} vectors")
        self._vectors = vectors
        self._on_gpus: Any = None
        self._middles: NDArray[np.float16] | None = None
        if _on_gpu(self._index):
            self._on_gpus = faiss.index_cpu_to_all_gpus(self._index)
            return
        if isinstance(self._index, faiss.IndexIVFPQFastScan):
            self._middles = self._index.quantizer.reconstruct_n(0, self.nlist).astype(np.float16)
        self._exact = view(vectors)
        self._few = self._refined(None if self._middles is None else view(self._middles))

    def for_searches(self) -> Self:
        """Itself, without what only building needs: it cannot be written or built on any more.

        The middles of the lists as floats are a tenth of its memory.
        """
        import faiss

        if self._middles is not None:
            # Not whole.this.own(True): each such call takes a reference too many from the types of
            # FAISS's Python side (SWIG 4.5), which in the end are freed while they are in use.
            owner = faiss.IndexPreTransform(self._index.quantizer)
            self._index.own_fields, self._index.quantizer = False, None
            owner.own_fields = True  # and is gone on return, with what it owns
        return self

    @property
    def faiss_index(self) -> Any:
        """The FAISS index as it is written to a file."""
        return self._index

    @property
    def nlist(self) -> int:
        """How many lists the rows are spread over."""
        return int(self._index.nlist)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: Bits | None = None,
        effort: Effort | None = None,
    ) -> Found:
        """The k best rows among the candidates of each query; see Backend.search."""
        effort = effort or UNTUNED
        k = min(k, len(self))
        candidates = min(max(effort.candidates, k), len(self))
        looked = min(effort.nprobe, self.nlist), candidates / k
        lists, refine = _unfiltered(*looked) if allowed is None else _parameters(*looked, allowed)
        if self._on_gpus is not None:
            # FAISS's GPU part knows no filters, and no more than so many candidates or lists.
            fits = allowed is None and max(candidates, effort.nprobe) <= _MOST_ON_GPU
            index = self._on_gpus if fits else self._index
            _, rows = index.search(queries, candidates, params=lists)
            return reranked(self._vectors, rows, queries, k)
        refined = self._few if len(queries) <= _FEW else self._for_many()
        scores, rows = refined.search(queries, k, params=refine)
        return Found(rows, scores)

    def _for_many(self) -> Any:
        """For a product of matrices, which wants the middles as floats; made for one search."""
        import faiss

        if self._middles is None:
            return self._few
        whole = faiss.IndexFlatIP(self._middles.shape[1])
        whole.add(floats(self._middles))
        return self._refined(whole)

    def _refined(self, middles: Any) -> Any:
        """The lists, chosen by these middles (None: their own), then compared exactly."""
        import faiss

        lists = self._index if middles is None else _with_middles(self._index, middles)
        refined = faiss.IndexRefine(lists, self._exact)
        refined.referenced_objects = [lists, self._exact]  # they live as long as it does
        return refined


def _with_middles(index: Any, middles: Any) -> Any:
    """The same lists and codes, whose middles that FAISS index holds; of kind 'fast' only.

    Each query is compared with all middles: as halves that is half as much to read as floats,
    and finds the same.
    """
    import faiss

    light = faiss.IndexIVFPQFastScan(
        middles,
        index.d,
        index.nlist,
        index.pq.M,
        index.pq.nbits,
        index.metric_type,
        index.bbs,
        False,
    )
    light.pq, light.by_residual = index.pq, index.by_residual
    light.ntotal, light.is_trained = index.ntotal, True
    light.replace_invlists(index.invlists, False)
    light.referenced_objects = [middles, index]  # they live as long as it does
    return light


def _parameters(nprobe: int, factor: float, allowed: Bits | None) -> tuple[Any, Any]:
    """FAISS's parameters of a search in the lists, and of one that is then made exact.

    factor: candidates for each result; allowed: the rows that may be found, None for all
    """
    import faiss

    selector = None if allowed is None else faiss.IDSelectorBitmap(allowed)
    lists = faiss.IVFSearchParameters(nprobe=nprobe, sel=selector)
    refine = faiss.IndexRefineSearchParameters(k_factor=max(1.0, factor), base_index_params=lists)
    return lists, refine


@lru_cache(maxsize=64)
def _unfiltered(nprobe: int, factor: float) -> tuple[Any, Any]:
    """Kept, since there are few and making them takes a twentieth of a search."""
    return _parameters(nprobe, factor, None)


def nlist_for(count: int) -> int:
    """How many lists: 4 √n."""
    return max(1, round(4 * math.sqrt(count)))


def _trained(vectors: NDArray[np.float16], kind: str) -> Any:
    """An empty index with lists and codebooks learnt from a sample of the rows."""
    import faiss

    count, dim = vectors.shape
    # k-means wants several rows per list; PQ needs as many as it has codes.
    nlist = max(1, min(nlist_for(count), count // _PER_LIST))
    code = FACTORY[kind].format(nlist=nlist, half=dim // 2, eighth=dim // 8)
    index = faiss.index_factory(dim, code, faiss.METRIC_INNER_PRODUCT)
    for clustering in (index.cp, index.pq.cp):
        clustering.min_points_per_centroid = 1  # silences a warning per sub-quantiser
    wanted = min(count, max(_LEAST_TRAINED, _PER_LIST * nlist))
    some = np.sort(np.random.default_rng(0).choice(count, wanted, replace=False))
    index.train(floats(np.take(vectors, some, axis=0)))
    return index


def _emptied(trained: Any) -> Any:
    import faiss

    index = faiss.clone_index(trained)
    index.reset()
    return index


def _on_gpu(index: Any) -> bool:
    import faiss

    return faiss_sees_gpus() and not isinstance(index, faiss.IndexIVFPQFastScan)
