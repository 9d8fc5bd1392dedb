"""Vectors of files, without a library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.encode import encode_file
from unisearch.errors import Unreadable, display
from unisearch.records import Modality, ReadOptions
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
    """
    vectors = np.full((len(paths), space.dim), np.nan, dtype=np.float32)
    rows: list[Embedded] = []
    for i, path in enumerate(paths):
        try:
            modality, vectors[i] = encode_file(space, path, options)
        except Unreadable as error:
            rows.append(Embedded(display(path), None, _told(error)))
            on_failure(rows[-1])
        else:
            rows.append(Embedded(display(path), modality))
    return vectors, rows


def _told(error: Unreadable) -> str:
    """Why, in one line: of a file that nobody has seen it cannot be said that it is gone."""
    return "no such file" if error.kind == "vanished" else f"{error.kind}: {error.reason}"
