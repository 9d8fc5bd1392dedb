"""Which settings of an engine reach the wanted recall, and what they take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.bench.data import KINDS, Data, K
from tests.bench.engines.base import Contender, Setting

TARGET = 0.95
WARM = 5  # queries that do not count
LEAST = 50  # queries asked however long they take


@dataclass
class Trials:
    """Measures settings, each at most once.

    budget_s: seconds of queries for each setting and kind; slow engines are asked fewer
    """

    engine: Contender
    data: Data
    budget_s: float
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def recall(self, setting: Setting, kind: str) -> float:
        """Recall@K of the setting; queries per second are noted on the way."""
        row = self._row(setting)
        if f"recall_{kind}" not in row:
            self.engine.use(setting)
            found, took_s = self._batches(kind)
            row[f"recall_{kind}"] = self.data.recall(kind, found)
            row[f"qps_{kind}"] = len(found) / took_s
            row[f"queries_{kind}"] = len(found)
        return float(row[f"recall_{kind}"])

    def time(self, setting: Setting, kind: str) -> None:
        """Notes the latencies of single queries, and their processor time: a busy machine's
        neighbours lengthen the one more than the other."""
        row = self._row(setting)
        if f"p50_ms_{kind}" in row:
            return
        self.engine.use(setting)
        took_ms = np.array(self._singles(kind)[WARM:]) * 1e3  # (queries, 2)
        row[f"p50_ms_{kind}"], row[f"cpu_ms_{kind}"] = np.percentile(took_ms, 50, axis=0).tolist()
        row[f"p99_ms_{kind}"] = float(np.percentile(took_ms[:, 0], 99))

    def _row(self, setting: Setting) -> dict[str, Any]:
        return self.rows.setdefault(label(setting), {"setting": dict(setting)})

    def _batches(self, kind: str) -> tuple[list[list[int]], float]:
        """(answers, seconds); a few at a time only where the first few took long."""
        queries = self.data.queries(kind)
        self.engine.ask(queries[:WARM], kind, K)
        start = time.perf_counter()
        found = [list(row) for row in self.engine.ask(queries[:LEAST], kind, K)]
        took_s = time.perf_counter() - start
        room = int(LEAST * self.budget_s / took_s)
        if room <= LEAST:
            return found, took_s
        queries = queries[:room]
        start = time.perf_counter()
        found = [list(row) for row in self.engine.ask(queries, kind, K)]
        return found, time.perf_counter() - start

    def _singles(self, kind: str) -> list[tuple[float, float]]:
        """(seconds, seconds of processor time) of each query, asked alone."""
        took = []
        end = time.perf_counter() + self.budget_s
        for query in self.data.queries(kind):
            start, cpu = time.perf_counter(), time.process_time()
            self.engine.ask(query[None], kind, K)
            took.append((time.perf_counter() - start, time.process_time() - cpu))
            if time.perf_counter() > end and len(took) >= WARM + LEAST:
                break
        return took


def sweep(engine: Contender, data: Data, budget_s: float = 10.0) -> list[dict[str, Any]]:
    """A row for each setting that was tried; those that matter have latencies too.

    On each ladder the least setting that reaches the target is found by bisection, for 'same'
    queries alone and for both kinds; where none does, the last one stands for the ladder.
    """
    trials = Trials(engine, data, budget_s)
    for ladder in engine.ladders():
        for kinds in (KINDS[:1], KINDS):
            chosen = least(trials, ladder, kinds)
            for kind in KINDS:
                trials.recall(chosen, kind)
                trials.time(chosen, kind)
    for setting in engine.compared():
        for kind in KINDS:
            trials.recall(setting, kind)
            trials.time(setting, kind)
    return list(trials.rows.values())


def least(trials: Trials, ladder: Sequence[Setting], kinds: Sequence[str]) -> Setting:
    """The first setting of a ladder with enough recall for these kinds, else its last."""
    low, high = 0, len(ladder) - 1
    while low < high:
        middle = (low + high) // 2
        # The harder kind first: it mostly decides.
        if all(trials.recall(ladder[middle], kind) >= TARGET for kind in reversed(kinds)):
            high = middle
        else:
            low = middle + 1
    return ladder[low]


def label(setting: Setting) -> str:
    """A setting as text."""
    return " ".join(f"{name}={value}" for name, value in setting.items()) or "-"
