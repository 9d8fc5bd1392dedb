"""All vectors of one (space, modality): rows on the disk, and the indexes over them in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, VectorError, display
from unisearch.index.guard import Guard
from unisearch.index.halves_view import faiss_reads_halves
from unisearch.index.memory import release
from unisearch.index.once import Once
from unisearch.index.plan import Rules
from unisearch.index.reader import Cover, PartitionReader
from unisearch.index.rows import RowFiles, Rows, ascend
from unisearch.index.snapshot import Manifest, SnapshotFolder
from unisearch.index.table import BACKENDS, Backend
from unisearch.records import Block, PartitionState
from unisearch.registry import load


class Partition:
    """Keeps the newest reader of a partition; what did not change is not read again."""

    def __init__(
        self,
        files: RowFiles,
        snapshots: SnapshotFolder,
        modality: str,
        rules: Rules | None = None,
        gpu_rows: int = 0,
        gpu: str = "cuda",
    ) -> None:
        """gpu_rows: so many rows at most are searched on the GPU, torch's device `gpu`; 0: none"""
        self.files = files
        self.snapshots = snapshots
        self._modality = modality
        self._rules = rules or Rules()
        self._gpu_rows, self._gpu = gpu_rows, gpu
        self._lock = Lock()
        self._reader: PartitionReader | None = None
        self._made_of: object = None
        self._epoch = -1
        self._guard = Guard(files.vectors_path(0))
        self._cover: Cover | None = None
        self._on_gpu: Cover | None = None
        self._once = Once()
        self._chain: list[Manifest] = []

    def at(self, state: PartitionState, blocks: Callable[[], Sequence[Block]]) -> PartitionReader:
        """The reader of this committed state.

        blocks: the checksums of its blocks, asked for only when the state is new
        Raises LibraryDamaged when the files hold fewer rows than the state says.
        """
        with self._lock:
            made_of = (state.epoch, state.count, len(state.dead), self.snapshots.signature())
            reader = self._reader
            if reader is None or made_of != self._made_of or reader.rows.is_cut():
                reader = self._reader = self._read(state, blocks())
                self._made_of = made_of
            return reader

    def _read(self, state: PartitionState, blocks: Sequence[Block]) -> PartitionReader:
        rows = self.files.open(state.epoch, state.count)
        if state.epoch != self._epoch:  # only now: an epoch that is gone changes nothing
            self._epoch = state.epoch
            self._guard = Guard(self.files.vectors_path(state.epoch))
            self._on_gpu, self._cover, self._chain = None, None, []
        cover = self._covered(state, rows)
        start = cover.stop if cover else 0
        if cover:
            rows.expect_scattered()
            rows.fetch([range(start, state.count)])  # the tail is read whole
        dead = state.dead
        ascending = ascend(rows.keys)
        if state.count <= self._rules.exact_rows or not ascending:
            every = np.arange(state.count, dtype=np.int64)
            dead = np.union1d(dead, self._guard.damaged(rows, blocks, every))
        return PartitionReader(
            modality=self._modality,
            rows=rows,
            dead=dead,
            blocks=blocks,
            cover=cover,
            tail=_exact(rows.vectors[start:]) if state.count > start else None,
            guard=self._guard,
            ascending=ascending,
        )

    def _covered(self, state: PartitionState, rows: Rows) -> Cover | None:
        """The index over the first rows: kept, or read when there is a newer one."""
        if 0 < state.count <= self._gpu_rows:
            self._fill_gpu(state, rows)
        if self._on_gpu and state.count <= self._gpu_rows:  # an older view has fewer rows
            return self._on_gpu if self._on_gpu.stop <= state.count else None
        if state.count <= self._rules.exact_rows or not faiss_reads_halves():
            return None
        for _ in range(3):
            chain = self.snapshots.chain(state.epoch, state.count, rows.keys)
            if chain == self._chain:
                break
            try:
                self._cover = self._loaded(chain, rows)
            except FileNotFoundError:
                continue  # superseded since it was listed
            self._chain = chain
            break
        else:
            where = display(self.snapshots.path)
            self._once.warn(f"{where}: a snapshot is missing; answers stay exact")
            self._cover, self._chain = None, []
        return self._cover

    def _loaded(self, chain: list[Manifest], rows: Rows) -> Cover | None:
        """The index of these snapshots; None, with a warning, when they cannot be used."""
        if not chain:
            return None
        try:
            index = self.snapshots.load(chain, rows.vectors).for_searches()
        except FileNotFoundError:
            raise
        except (LibraryDamaged, VectorError, OSError, RuntimeError) as error:
            where = display(self.snapshots.path)
            self._once.warn(f"{where}: {error}; answers stay exact, the next run rebuilds it")
            return None
        release()
        return Cover(index, len(index), index.nlist, chain[0].efforts)

    def _fill_gpu(self, state: PartitionState, rows: Rows) -> None:
        """Put all rows on the GPU; new ones join them when the tail has grown long.

        Where they do not fit after all, the GPU is not used any more.
        """
        known = self._on_gpu
        if known and state.count - known.stop <= self._rules.tail_rows:
            return
        self._on_gpu = self._reader = known = None  # freed first: two copies may not fit
        try:
            scan = load("index backend", BACKENDS, "torch")(rows.vectors, self._gpu)
        except RuntimeError as error:  # of torch: no memory, or no device any more
            reason = str(error).splitlines()[0]
            self._once.warn(f"{self._modality} vectors stay off the GPU: {reason}")
            self._gpu_rows = 0
            return
        self._once.warn(f"{self._modality} vectors are searched on the GPU")
        self._on_gpu = Cover(scan, state.count)


def _exact(vectors: NDArray[np.float16]) -> Backend:
    """Exact search by FAISS, or by torch where it is not installed."""
    name = "flat" if faiss_reads_halves() else "torch"
    backend: Backend = load("index backend", BACKENDS, name)(vectors)
    return backend
