"""The training pool: pictures, shapes and sounds made once, as arrays of the network's size.

Parts are made by two processes and kept in a cache folder, one file each; a run that was stopped
goes on with the parts that are missing.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from unisearch.training import parts
from unisearch.training.corpus import SOLID, Corpus, Item, Kind, files_of, missing_bytes, unpack
from unisearch.training.disk import amount, clear_unfinished, put
from unisearch.training.split import Split
from unisearch.world.concepts import CONCEPTS, SOUNDING

#: Raise it when the making of a part changes.
VERSION = 1
WORLD_MESHES, WORLD_SOUNDS, JUNK = 64, 40, 800
CHUNK = 32  # items in one part
SHOW_EVERY_S = 10.0
#: Where training looks up nothing: evaluation makes its world from seeds at and above this.
HELD_SEED = 1_000_000


@dataclass(frozen=True)
class Sizes:
    """How much of the world is made; tests make less."""

    meshes: int = WORLD_MESHES
    sounds: int = WORLD_SOUNDS
    junk: int = JUNK
    concepts: tuple[str, ...] = tuple(CONCEPTS)


@dataclass(frozen=True)
class Task:
    """One part: its file, the function that makes it and what that is given.

    size_bytes: of the file, at most
    """

    path: Path
    size_bytes: int
    make: Callable[..., parts.Part]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class PoolPlan:
    """All parts of a pool, and the kinds of the corpus whose files they need unpacked."""

    corpus: Corpus
    cache: Path
    tasks: Sequence[Task]
    kinds: Sequence[Kind]

    @property
    def missing(self) -> list[Task]:
        """The parts that are not there yet."""
        return [task for task in self.tasks if not task.path.exists()]

    def missing_bytes(self) -> int:
        """What building the pool will write, at most."""
        files = sum(missing_bytes(self.corpus.folder, kind, self.cache) for kind in self.kinds)
        return files + sum(task.size_bytes for task in self.missing)


def plan_pool(corpus: Corpus, split: Split, cache: Path, sizes: Sizes) -> PoolPlan:
    """What the pool of that corpus consists of; nothing kept aside enters it. Writes nothing."""
    kinds = [kind for kind in SOLID if split.trained(corpus.of(kind))]
    return PoolPlan(corpus, cache, list(_tasks(corpus, split, cache, sizes)), kinds)


def build_pool(plan: PoolPlan, progress: Callable[[str], None]) -> list[Path]:
    """The files of all parts, made where they are missing."""
    for kind in plan.kinds:
        unpack(plan.corpus.folder, kind, plan.cache)
    missing = plan.missing
    progress(f"pool: {len(plan.tasks) - len(missing)} of {len(plan.tasks)} parts are there")
    if len(missing) < 4:
        _follow(map(_make, missing), missing, progress)
    else:
        try:
            with _workers() as pool:
                _follow(pool.imap_unordered(_make, missing), missing, progress)
        finally:
            clear_unfinished(plan.cache)  # of workers that were stopped
    return [task.path for task in plan.tasks]


def _workers() -> Pool:
    """Two processes that Ctrl-C does not reach: this one stops them, and speaks for them."""
    resource_tracker.ensure_running()  # its start would let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # they inherit it
    try:
        return multiprocessing.get_context("spawn").Pool(min(2, os.cpu_count() or 1))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow(made: Iterator[int], todo: Sequence[Task], progress: Callable[[str], None]) -> None:
    """Says every few seconds how far the pool is. made: bytes of each part, once it is there"""
    total, ready = sum(task.size_bytes for task in todo), 0
    began = shown = time.monotonic()
    for count, size_bytes in enumerate(made, start=1):
        ready += size_bytes
        now = time.monotonic()
        if now - shown >= SHOW_EVERY_S or count == len(todo):
            left_s = (now - began) * (total - ready) / ready
            progress(
                f"pool: {count} of {len(todo)} parts made, {amount(ready)} of {amount(total)}, "
                f"about {left_s / 60:.0f} min left"
            )
            shown = now


def _make(task: Task) -> int:
    """Makes one part and puts it into its place in one step; its planned size."""
    put(task.path, task.make(*task.arguments).content())
    return task.size_bytes


def _tasks(corpus: Corpus, split: Split, cache: Path, sizes: Sizes) -> Iterator[Task]:
    folder = cache / "pool"
    for name in sizes.concepts:
        label = name.replace(" ", "_")
        yield _task(folder, f"world-{label}-{sizes.meshes}", sizes.meshes * parts.WORLD_BYTES,
                    parts.world_shapes, name, sizes.meshes)  # fmt: skip
        if name in SOUNDING:
            yield _task(folder, f"heard-{label}-{sizes.sounds}", sizes.sounds * parts.MEL_BYTES,
                        parts.world_sounds, name, sizes.sounds)  # fmt: skip
    for start in range(0, sizes.junk, 100):
        count = min(100, sizes.junk - start)
        yield _task(folder, f"junk-{start}", count * parts.JUNK_BYTES, parts.junk, start, count)
    drawn: tuple[Kind, ...] = ("emoji", "emoji_flat")
    for kind in SOLID:
        for label, items in _chunks(kind, split.trained(corpus.of(kind))):
            yield _task(folder, label, len(items) * parts.REAL_BYTES,
                        parts.real, items, files_of(kind, cache))  # fmt: skip
    for kind in drawn:
        for label, items in _chunks(kind, split.trained(corpus.of(kind))):
            yield _task(folder, label, len(items) * parts.PICTURE_BYTES,
                        parts.drawn, items, corpus.folder)  # fmt: skip
    for label, items in _chunks("takes", split.trained(corpus.of("recordings", "sounds"))):
        yield _task(folder, label, len(items) * parts.TAKES_BYTES,
                    parts.takes, items, corpus.folder)  # fmt: skip


def _task(
    folder: Path, label: str, size_bytes: int, make: Callable[..., parts.Part], *arguments: Any
) -> Task:
    path = folder / f"v{VERSION}-{label}.npz"
    return Task(path, size_bytes + parts.HEAD_BYTES, make, arguments)


def _chunks(name: str, items: list[Item]) -> Iterator[tuple[str, list[Item]]]:
    """A part's name holds a digest of its items: another split makes other parts."""
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        digest = hashlib.sha256("\n".join(item.key for item in chunk).encode()).hexdigest()[:10]
        yield f"{name}-{start}-{digest}", chunk
