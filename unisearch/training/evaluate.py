"""Measures a space: retrieval on what training never saw, beside chance and a cheap baseline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.records import Prepared
from unisearch.spaces.base import Space
from unisearch.training import metrics
from unisearch.training.baseline import likeness
from unisearch.training.corpus import read_corpus
from unisearch.training.exam import Exam, Pile, Question, make_exam
from unisearch.training.split import split_corpus

TITLES = ["task", "queries", "gallery", "R@1", "R@5", "R@10", "95 %", "mAP", "median rank",
          "chance R@10", "× chance", "baseline R@10"]  # fmt: skip
Encode = Callable[[Sequence[Prepared]], NDArray[np.float32]]


@dataclass(frozen=True)
class Row:
    """One task. Recalls, precision and chance are shares; ratio is recall@10 over its chance.

    low, high: 95 % bootstrap interval of recall@10; baseline: recall@10 of colours and
    proportions, where both sides have them
    """

    task: str
    world: bool
    queries: int
    gallery: int
    recall_1: float
    recall_5: float
    recall_10: float
    precision: float
    median_rank: float
    chance_10: float
    ratio: float
    low: float
    high: float
    baseline_10: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """All rows that the corpus at hand allows; the world's come first."""

    space: str
    rows: tuple[Row, ...]

    def world(self) -> dict[str, float]:
        """Mean and worst mAP of the 12 pairs, and the mean of those without pictures."""
        pairs = {row.task: row.precision for row in self.rows if row.world}
        other = [value for task, value in pairs.items() if "image" not in task]
        return {
            "mean": float(np.mean(list(pairs.values()))),
            "worst": min(pairs.values()),
            "without_pictures": float(np.mean(other)),
        }

    def line(self) -> str:
        """The whole evaluation on one line, for logs."""
        world = self.world()
        parts = [f"world mAP {world['mean']:.3f}, worst {world['worst']:.3f}, "
                 f"without pictures {world['without_pictures']:.3f}"]  # fmt: skip
        parts += [f"{row.task} {row.recall_10:.2f} ({row.ratio:.1f}x)"
                  for row in self.rows if not row.world]  # fmt: skip
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        return {
            "space": self.space, "world": self.world(), "rows": [asdict(row) for row in self.rows]
        }  # fmt: skip

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column titles and cells, for a table."""
        return TITLES, [cells(row) for row in self.rows]


def cells(row: Row) -> list[str]:
    """A row of a table below TITLES; shares in %."""
    shares = [f"{100 * share:.1f}" for share in (row.recall_1, row.recall_5, row.recall_10)]
    return [
        row.task, str(row.queries), str(row.gallery), *shares,
        f"{100 * row.low:.1f}-{100 * row.high:.1f}", f"{100 * row.precision:.1f}",
        f"{row.median_rank:g}", f"{100 * row.chance_10:.1f}", f"{row.ratio:.1f}",
        "" if row.baseline_10 is None else f"{100 * row.baseline_10:.1f}",
    ]  # fmt: skip


def evaluate_starter(
    space: Space,
    corpus: Path | None,
    *,
    seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[str], None],
) -> Evaluation:
    """The rows of docs/starter.md; only the world's without a corpus.

    seed: of the split and the intervals; 0 is the split that the shipped weights were trained on
    cache: where models of the corpus are unpacked, else a folder that is removed afterwards
    Raises UsageError for a folder that holds no corpus.
    """
    media = None if corpus is None else read_corpus(corpus)
    split = None if media is None else split_corpus(media, seed)
    with tempfile.TemporaryDirectory() as scratch:
        exam = make_exam(media, split, cache or Path(scratch), space.prepare, progress)
    progress("evaluating")
    return grade(space.encode_prepared, exam, space.id, seed)


def grade(encode: Encode, exam: Exam, space: str = "", seed: int = 0) -> Evaluation:
    """Encodes every pile once and answers all questions."""
    vectors = {name: encode(pile.samples) for name, pile in exam.piles.items()}
    rows = [_row(question, vectors, exam.piles, seed) for question in exam.questions]
    return Evaluation(space, tuple(rows))


def _row(
    question: Question, vectors: dict[str, NDArray[np.float32]], piles: dict[str, Pile], seed: int
) -> Row:
    queries, gallery = (
        np.stack([vectors[name][at] for name, at in places])
        for places in (question.queries, question.gallery)
    )
    ranking = metrics.rank(queries @ gallery.T, question.right, question.neutral)
    there = question.right.shape[1] - question.neutral.sum(axis=1)
    counts = question.right.sum(axis=1).tolist()
    row = row_of(question.task, ranking, counts, there.tolist(), seed)
    return replace(
        row, world=question.world, gallery=len(gallery), baseline_10=_baseline(question, piles)
    )


def row_of(
    task: str,
    ranking: metrics.Ranking,
    right: Iterable[int],
    galleries: Sequence[int],
    seed: int = 0,
) -> Row:
    """The figures of a ranking.

    right, galleries: of each query, how many answers are right and how many things there are
    """
    expected = metrics.mean_chance(right, galleries)
    low, high = metrics.interval(ranking.first <= metrics.TOP, seed)
    return Row(
        task, False, len(ranking.first), max(galleries),
        ranking.recall(1), ranking.recall(5), ranking.recall(metrics.TOP), ranking.mean_precision,
        float(np.median(ranking.first)), expected, ranking.recall(metrics.TOP) / expected,
        low, high,
    )  # fmt: skip


def _baseline(question: Question, piles: dict[str, Pile]) -> float | None:
    names = {name for name, _ in (*question.queries, *question.gallery)}
    if any(not piles[name].looks for name in names):
        return None
    queries, gallery = (
        np.stack([piles[name].looks[at] for name, at in places])
        for places in (question.queries, question.gallery)
    )
    ranking = metrics.rank(likeness(queries, gallery), question.right, question.neutral)
    return ranking.recall(metrics.TOP)
