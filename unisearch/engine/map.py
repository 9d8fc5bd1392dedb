"""Where the items of a library lie beside each other, in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.view import View
from unisearch.engine.live import holding
from unisearch.errors import display
from unisearch.records import Modality
from unisearch.wiring import Rooms


@dataclass(frozen=True)
class Place:
    """An item at (x, y), each in about [-1, 1]."""

    item: int
    path: str
    modality: Modality
    x: float
    y: float


def places(rooms: Rooms, most: int) -> list[Place]:
    """At most so many items of the configured space, spread evenly over each kind.

    Raises LibraryDamaged for damaged rows.
    """
    found: list[tuple[int, str, Modality]] = []
    vectors: list[NDArray[np.float32]] = []
    with holding(rooms, lambda view: _of_the_configured_space(rooms, view)) as (view, held):
        total = sum(one.partition.count for one in held)
        step = max(1, -(-total // most))
        for one in held:
            for keys, rows in one.live():
                segments = view.hits(keys[::step].tolist())
                seen: set[int] = set()
                for key, row in zip(keys[::step].tolist(), rows[::step], strict=True):
                    segment = segments.get(key)
                    if segment is not None and segment.item not in seen:
                        seen.add(segment.item)
                        found.append((segment.item, display(segment.path), one.partition.modality))
                        vectors.append(row.astype(np.float32))
    if not found:
        return []
    at = flat(np.stack(vectors), np.array([modality for _, _, modality in found]))
    return [Place(*one, float(x), float(y)) for one, (x, y) in zip(found, at.tolist(), strict=True)]


def _of_the_configured_space(rooms: Rooms, view: View) -> list[PartitionRow]:
    named = {space.id for space in view.spaces() if space.name == rooms.settings.space}
    return [part for part in view.all_partitions() if part.space in named]


def flat(vectors: NDArray[np.float32], groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Principal components (n, 2), scaled to [-1, 1], of vectors (n, dim).

    The mean of each group goes first: kinds lie apart as wholes (Liang et al. 2022, Mind the Gap),
    and a map of that would show nothing else.
    """
    centred = vectors.astype(np.float64)
    for group in np.unique(groups):
        centred[groups == group] -= centred[groups == group].mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # ascending
    at = centred @ directions[:, :-3:-1]
    if at.shape[1] < 2:
        at = np.hstack([at, np.zeros((len(at), 2 - at.shape[1]))])
    scaled: NDArray[np.float64] = at / max(float(np.abs(at).max()), 1e-9)
    return scaled
