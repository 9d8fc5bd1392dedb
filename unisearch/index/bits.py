"""Sets of rows as bits, and the exact cosines of few rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from unisearch.index.table import Found
from unisearch.threads import one_thread

#: Bit r % 8 of byte r // 8 is set when row r belongs to the set.
Bits = NDArray[np.uint8]

_CHUNK = 16_384  # rows turned into float32 at once


def bits_of(rows: NDArray[np.int64], count: int) -> Bits:
    """The set of these rows out of `count`."""
    flags = np.zeros(count, np.bool_)
    flags[rows] = True
    return np.packbits(flags, bitorder="little")


def bits_without(rows: NDArray[np.int64], count: int) -> Bits:
    """The set of all but these rows out of `count`."""
    flags = np.ones(count, np.bool_)
    flags[rows] = False
    return np.packbits(flags, bitorder="little")


def flags_of(bits: Bits, count: int) -> NDArray[np.bool_]:
    """The set as one flag for each row, bool (count,)."""
    return np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)


def contains(bits: Bits, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of these rows belongs to the set."""
    found: NDArray[np.bool_] = ((bits[rows >> 3] >> (rows & 7)) & 1).astype(np.bool_)
    return found


def draw_live(
    count: int, dead: NDArray[np.int64], most: int, numbers: np.random.Generator
) -> NDArray[np.int64]:
    """Up to `most` of `count` rows that are not dead, ascending, each equally likely.

    dead: row numbers, ascending
    """
    live = count - len(dead)
    nth = numbers.choice(live, min(most, live), replace=False, shuffle=False)
    nth = np.sort(nth).astype(np.int64)
    # Before the n-th live row lie those dead ones that have at most n live rows before them.
    live_before = dead - np.arange(len(dead))
    return nth + np.searchsorted(live_before, nth, side="right")


def floats(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Rows as float32. torch converts many at a time, numpy one by one (10 times slower)."""
    if vectors.size < 32_768:
        return vectors.astype(np.float32)
    import torch

    with one_thread():  # this waits for memory, not for the core
        wide: NDArray[np.float32] = torch.from_numpy(np.ascontiguousarray(vectors)).float().numpy()
    return wide


def cosines(
    vectors: NDArray[np.float16], rows: NDArray[np.int64], queries: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The exact cosines (q, n) of these rows, in [-1, 1].

    vectors: unit rows, mapped; rows: int64 (n,); queries: float32 (q, dim), unit rows
    """
    found = np.empty((len(queries), len(rows)), np.float32)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        found[:, part] = products(queries, floats(np.take(vectors, rows[part], axis=0)))
    return np.clip(found, -1, 1, out=found)


def products(queries: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inner products (q, n) of queries (q, dim) and rows (n, dim).

    Of few queries one by one: a matrix product would share so little work among threads, and
    beside another busy process wait milliseconds for them.
    """
    if len(queries) > 8:
        return queries @ rows.T
    found: NDArray[np.float32] = np.vecdot(queries[:, None], rows)
    return found


def reranked(
    vectors: NDArray[np.float16],
    near: Iterable[NDArray[np.int64]],
    queries: NDArray[np.float32],
    k: int,
) -> Found:
    """The k best of each query's candidates by their exact cosines, ties by row.

    near: the candidate rows of each query; -1 stands for none
    """
    rows = np.full((len(queries), k), -1, np.int64)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    for i, some in enumerate(near):
        some = np.sort(some[some >= 0])
        exact = cosines(vectors, some, queries[i : i + 1])[0]
        best = np.argsort(-exact, kind="stable")[:k]
        rows[i, : len(best)], scores[i, : len(best)] = some[best], exact[best]
    return Found(rows, scores)
