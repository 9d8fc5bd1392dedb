"""Vectors that look like those of a picture and text encoder, and the exact answers to questions.

A mixture in a cone, measured on CLIP embeddings: a vector is the unit sum of the mean of its
modality, one of 2,000 topics (Zipf 0.8) and its own content, in shares .45, .30 and .25 of the
squared length. Topics and contents have power-law spectra (deviation i^-0.35) in two random bases.

same    fresh draws: a picture that asks for pictures
cross   another mean (cosine .35 to the first), 5 % content and 50 % noise: a text that asks for
        pictures; its best cosine is .32 where two random ones have .16

The order of the draws is fixed, so that a seed always gives the same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20240601
TOPICS = 2_000
QUERIES = 1_000
K = 10
BLOCK = 50_000  # rows drawn at once; part of the recipe
KINDS = ("same", "cross")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """The vectors of one size and the questions to them, on the disk."""

    folder: Path
    n: int
    dim: int

    def vectors(self) -> Floats:
        """The rows (n, dim), mapped."""
        rows: Floats = np.load(self.folder / "x.npy", mmap_mode="r")
        return rows

    def queries(self, kind: str) -> Floats:
        """The questions (1000, dim) of a kind."""
        rows: Floats = np.load(self.folder / f"{kind}.npy")
        return rows

    def truth(self, kind: str) -> NDArray[np.int64]:
        """The exact K best rows (1000, K) of each question."""
        rows: NDArray[np.int64] = np.load(self.folder / f"truth_{kind}.npy")
        return rows

    def recall(self, kind: str, found: Sequence[Sequence[int]]) -> float:
        """The share of the K best that was found, over the first len(found) questions."""
        pairs = zip(found, self.truth(kind), strict=False)
        return float(np.mean([len(set(got) & set(best.tolist())) / K for got, best in pairs]))


class Mixture:
    """The recipe with its random constants; `numbers` goes on where the constants end."""

    def __init__(self, dim: int, seed: int = SEED) -> None:
        numbers = np.random.default_rng(seed)
        spectrum = (np.arange(1, dim + 1) ** -0.35).astype(np.float32)
        self._spectrum = spectrum / np.sqrt((spectrum**2).sum())
        topic_basis, self._content_basis = (
            np.linalg.qr(numbers.standard_normal((dim, dim)))[0].astype(np.float32)
            for _ in range(2)
        )
        self._mean = unit(numbers.standard_normal(dim)).astype(np.float32)
        gap = numbers.standard_normal(dim).astype(np.float32)
        gap = unit(gap - (gap @ self._mean) * self._mean)
        self._text_mean = (0.35 * self._mean + np.sqrt(1 - 0.35**2) * gap).astype(np.float32)
        topics = numbers.standard_normal((TOPICS, dim)).astype(np.float32) * self._spectrum
        self._topics = unit(topics @ topic_basis)
        popularity = np.arange(1, TOPICS + 1) ** -0.8
        self._popularity = popularity / popularity.sum()
        self.numbers = numbers

    def same(self, count: int, numbers: np.random.Generator) -> Floats:
        """Vectors (count, dim) as the library holds them."""
        return unit(np.float32(np.sqrt(0.45)) * self._mean + self._content(count, numbers))

    def cross(self, count: int, numbers: np.random.Generator) -> Floats:
        """Questions (count, dim) of another modality."""
        content = unit(self._content(count, numbers))
        noise = unit(numbers.standard_normal((count, len(self._mean))).astype(np.float32))
        # float64 on the way, as np.sqrt gives it
        mixed = np.sqrt(0.45) * self._text_mean + np.sqrt(0.05) * content + np.sqrt(0.5) * noise
        return unit(mixed).astype(np.float32)

    def _content(self, count: int, numbers: np.random.Generator) -> Floats:
        topics = numbers.choice(TOPICS, count, p=self._popularity)
        shape = (count, len(self._mean))
        own = (numbers.standard_normal(shape, dtype=np.float32) * self._spectrum) @ (
            self._content_basis
        )
        mixed = np.float32(np.sqrt(0.30)) * self._topics[topics] + np.float32(np.sqrt(0.25)) * own
        return np.asarray(mixed, np.float32)


def make_data(folder: Path, n: int, dim: int) -> Data:
    """The data of that size below the folder, made when it is not there yet."""
    data = Data(folder / f"data-{n}-{dim}", n, dim)
    done = data.folder / "done"
    if done.exists():
        return data
    data.folder.mkdir(parents=True, exist_ok=True)
    mixture = Mixture(dim)
    numbers = mixture.numbers
    shape = (n, dim)
    rows = np.lib.format.open_memmap(data.folder / "x.npy", "w+", np.dtype("<f4"), shape)
    for at in range(0, n, BLOCK):
        rows[at : at + BLOCK] = mixture.same(min(BLOCK, n - at), numbers)
    rows.flush()
    for kind, draw in (("same", mixture.same), ("cross", mixture.cross)):
        queries = draw(QUERIES, numbers)
        np.save(data.folder / f"{kind}.npy", queries)
        np.save(data.folder / f"truth_{kind}.npy", exact(rows, queries, K))
    done.touch()
    return data


def exact(rows: Floats, queries: Floats, k: int) -> NDArray[np.int64]:
    """The k best rows (q, k) of each query, best first, by comparing with every one."""
    scores = np.full((len(queries), k), -np.inf, np.float32)
    ids = np.full((len(queries), k), -1, np.int64)
    for at in range(0, len(rows), BLOCK):
        block = queries @ np.asarray(rows[at : at + BLOCK]).T
        near = np.argpartition(-block, min(k, block.shape[1] - 1), axis=1)[:, :k]
        scores = np.hstack([scores, np.take_along_axis(block, near, axis=1)])
        ids = np.hstack([ids, near + at])
        order = np.argsort(-scores, axis=1)[:, :k]
        scores = np.take_along_axis(scores, order, axis=1)
        ids = np.take_along_axis(ids, order, axis=1)
    return ids


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """The rows at length 1."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
