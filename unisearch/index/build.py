"""Builds a snapshot: `python -m unisearch.index.build` does it in a process of its own.

So that searches go on meanwhile, a stop is immediate, and a failure harms nobody. A kill leaves
temporary files at most, which the next build removes.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import UnisearchError
from unisearch.index.bits import draw_live
from unisearch.index.flat import FlatScan
from unisearch.index.ivfpq import IvfPq
from unisearch.index.plan import Step
from unisearch.index.rows import RowFiles
from unisearch.index.snapshot import Manifest, SnapshotFolder, keys_digest
from unisearch.index.tune import tune


@dataclass(frozen=True, eq=False)
class Job:
    """One snapshot to build.

    queries: float32 (q, dim) by modality, to measure the effort with; of the partition's own
        modality so many of its rows count too
    parent: process id of the writer that asked, 0 for nobody: without it nothing is written
    """

    files: RowFiles
    folder: Path
    modality: str
    epoch: int
    count: int
    dead: NDArray[np.int64]
    step: Step
    kind: str
    recall: float
    queries: Mapping[str, NDArray[np.float32]]
    mix: Mapping[str, int] = field(default_factory=dict)
    own_queries: int = 256
    parent: int = 0


def build(job: Job) -> Manifest:
    """Write the snapshot; those that it replaces are removed.

    Raises LibraryDamaged when rows or snapshots that it builds on are damaged.
    """
    folder = SnapshotFolder(job.folder)
    rows = job.files.open(job.epoch, job.count)
    chain = folder.chain(job.epoch, job.count, rows.keys)
    part = rows.vectors[job.step.start : job.step.stop]
    manifest = Manifest(
        generation=folder.next_generation(),
        kind=job.kind,
        epoch=job.epoch,
        start=job.step.start,
        stop=job.step.stop,
        base=None,
        keys=keys_digest(rows.keys, job.step.stop),
        trained=job.step.stop,
        mix=job.mix,
    )
    if job.step.kind == "train":
        index = IvfPq(part, job.kind)
    elif job.step.kind == "delta":
        known = folder.load(chain[:1], rows.vectors).faiss_index
        index = IvfPq(part, job.kind, known)
        manifest = replace(manifest, base=chain[0].generation, trained=chain[0].trained)
    else:
        index = _merged(folder.load(chain, rows.vectors), rows.vectors[: job.count], job.kind)
        manifest = replace(manifest, trained=chain[0].trained)
    if manifest.base is None:
        own = _own_rows(job, part)
        efforts = tune(index, FlatScan(part), job.queries, job.modality, own, job.recall)
        manifest = replace(manifest, efforts=efforts)
        chain = []
    if job.parent and os.getppid() != job.parent:
        raise UnisearchError("the writer is gone; the next one builds it")
    job.files.open(job.epoch, job.count)  # compacted meanwhile: nobody can use this snapshot
    written = folder.write(index, manifest)
    folder.keep_only([*chain, written])
    return written


def _merged(known: IvfPq, vectors: NDArray[np.float16], kind: str) -> IvfPq:
    """The known index with the tail encoded behind it."""
    if len(known) == len(vectors):
        return known
    tail = IvfPq(vectors[len(known) :], kind, known.faiss_index)
    known.faiss_index.merge_from(tail.faiss_index, len(known))
    return IvfPq.opened(known.faiss_index, vectors)


def _own_rows(job: Job, part: NDArray[np.float16]) -> NDArray[np.float32]:
    """Some live rows, to ask for their neighbours."""
    dead = job.dead[job.dead < len(part)]
    some = draw_live(len(part), dead, job.own_queries, np.random.default_rng(1))
    return np.take(part, some, axis=0).astype(np.float32)


def main() -> None:
    """Read a pickled Job from the parent and build it; an error is one line on stderr."""
    os.nice(5)  # searches come first
    try:
        build(pickle.load(sys.stdin.buffer))
    except (UnisearchError, MemoryError, OSError, RuntimeError) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)


if __name__ == "__main__":
    main()
