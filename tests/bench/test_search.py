"""The parts of the search benchmark that decide what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench.data import KINDS, Data, K, Mixture, exact, make_data
from tests.bench.engines.base import Contender, Floats, Place, Setting, efforts
from tests.bench.engines.ours import Index, Public
from tests.bench.report import chosen, table
from tests.bench.sweep import TARGET, sweep

N, DIM = 3_000, 32


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return make_data(tmp_path_factory.mktemp("bench"), N, DIM)


class Partial(Contender):
    """Knows the first `part` hundredths of the answers."""

    def __init__(self, data: Data) -> None:
        super().__init__(Place(data.folder, data.n, data.dim))
        self.data = data
        self.parts: list[int] = []

    def build(self, rows: Floats) -> Iterator[int]:
        raise NotImplementedError

    def open(self) -> None:
        raise NotImplementedError

    def ladders(self) -> list[list[Setting]]:
        return [[{"part": part} for part in range(0, 101, 10)]]

    def use(self, setting: Setting) -> None:
        self.parts.append(setting["part"])

    def ask(self, queries: Floats, kind: str, k: int) -> Sequence[Sequence[int]]:
        """Questions of the kind 'cross' find one answer less."""
        found = min(k, self.parts[-1] * k // 100 + (kind == "same"))
        best = exact(self.data.vectors(), queries, k)
        return [row[:found] for row in best.tolist()]


def test_the_truth_is_what_a_whole_comparison_finds(data: Data) -> None:
    rows = np.array(data.vectors())

    for kind in KINDS:
        cosines = data.queries(kind) @ rows.T
        best = np.sort(np.partition(cosines, N - K)[:, N - K :])
        found = np.take_along_axis(cosines, data.truth(kind), axis=1)
        np.testing.assert_array_equal(np.sort(found), best)


def test_a_seed_always_gives_the_same_vectors(data: Data) -> None:
    mixture = Mixture(DIM)

    again = mixture.same(N, mixture.numbers)

    np.testing.assert_array_equal(again, data.vectors())
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1, atol=1e-6)


def test_the_least_sufficient_setting_is_found_for_each_kind(data: Data) -> None:
    rows = sweep(Partial(data), data, budget_s=0.05)

    timed = {row["setting"]["part"]: row for row in rows if "p50_ms_same" in row}
    assert set(timed) == {90, 100}
    assert timed[90]["recall_same"] >= TARGET > timed[90]["recall_cross"]
    assert timed[100]["recall_cross"] >= TARGET


def test_the_fastest_sufficient_setting_stands_for_an_engine() -> None:
    slow, fast, quick = (
        measured(0.99, 0.97, 5.0),
        measured(0.96, 0.95, 2.0),
        measured(0.97, 0.6, 1.0),
    )

    assert chosen([slow, fast, quick], KINDS) is fast
    assert chosen([slow, fast, quick], ["same"]) is quick
    assert chosen([quick, measured(0.9, 0.7, 9.0)], KINDS)["recall_cross"] == 0.7


def measured(same: float, cross: float, p50_ms: float) -> dict[str, float]:
    return {
        "recall_same": same,
        "recall_cross": cross,
        "p50_ms_same": p50_ms,
        "p50_ms_cross": p50_ms,
    }


def test_efforts_climb_to_the_most() -> None:
    assert efforts(100, least=8) == [8, 11, 16, 23, 32, 45, 64, 91, 100]


def test_the_table_tells_why_an_engine_has_no_figures() -> None:
    build = {"rows": 70_000, "seconds": 900.0, "cpu_s": 890.0, "finished": False}
    results: list[dict[str, Any]] = [
        {"engine": "chroma", "problem": "absent: make bench-peers"},
        {"engine": "hnswlib", "problem": "not finished within 15 minutes", "build": build},
    ]

    shown = table(results, 200_000)

    assert "absent: make bench-peers" in shown
    assert "not finished within 15 minutes: 70,000 of 200,000 rows" in shown


@pytest.mark.parametrize("path", [Public, Index])
def test_unisearch_answers_the_benchmark_exactly_when_it_is_small(
    data: Data, path: type[Contender], tmp_path: Path
) -> None:
    place = Place(tmp_path / "built" / "unisearch", N, DIM)
    place.folder.mkdir(parents=True)
    assert list(path(place).build(data.vectors()))[-1] == N

    engine = path(place)
    engine.open()

    for kind in KINDS:
        found = engine.ask(data.queries(kind)[:50], kind, K)
        assert data.recall(kind, found) > 0.99  # rows are stored in float16
    engine.close()
