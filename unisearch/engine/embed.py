"""Vectors of files, without a library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.encode import BATCH, samples_of
from unisearch.errors import Unreadable, display
from unisearch.records import Modality, Prepared, ReadOptions
from unisearch.spaces.base import Space


@dataclass(frozen=True)
class Embedded:
    """One file of `embed_files`: its path to show, its modality, or why there is none."""

    path: str
    modality: Modality | None
    error: str | None = None


def embed_files(
    space: Space,
    paths: Sequence[Path],
    options: ReadOptions,
    on_failure: Callable[[Embedded], None] = lambda _: None,
) -> tuple[NDArray[np.float32], list[Embedded]]:
    """(vectors (n, dim), what each row is): row i is file i.

    A file that cannot be read is a row of NaN, told to `on_failure`; the others keep their rows.
    Samples of several files are encoded together.
    """
    sums = np.zeros((len(paths), space.dim))
    rows: list[Embedded] = []
    waiting: list[tuple[int, Prepared]] = []
    for i, path in enumerate(paths):
        try:
            modality, samples = samples_of(path, options, space.modalities)
            for sample in samples:
                waiting.append((i, space.prepare(sample)))
                if len(waiting) == BATCH:
                    _add(space, waiting, sums)
        except Unreadable as error:
            rows.append(Embedded(display(path), None, _told(error)))
            on_failure(rows[-1])
        else:
            rows.append(Embedded(display(path), modality))
    _add(space, waiting, sums)
    vectors = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)).astype("f4")
    vectors[[row.error is not None for row in rows]] = np.nan
    return vectors, rows


def _add(space: Space, waiting: list[tuple[int, Prepared]], sums: NDArray[np.float64]) -> None:
    """Encode what waits, and add each vector to the row of its file."""
    if waiting:
        encoded = space.encode_prepared([prepared for _, prepared in waiting])
        np.add.at(sums, [i for i, _ in waiting], encoded)
        waiting.clear()


def _told(error: Unreadable) -> str:
    """Why, in one line: of a file that nobody has seen it cannot be said that it is gone."""
    return "no such file" if error.kind == "vanished" else f"{error.kind}: {error.reason}"
