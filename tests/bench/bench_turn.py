"""Seconds of a turn of factors, and milliseconds of questions by factors of their own.

    python -m tests.bench.bench_turn [VECTORS]

Parts are drawn as tests/bench/data.py draws vectors: a base, and an expert whose cosine to it is
.6. 100,000 windows of 10,000 sounds of 1,024 numbers by default. Questions are noisy ones to
random windows, as vectors: no network runs. `recall10` is the share of the true 10 best sounds, by
comparison with all parts. `bare write` is what a turn writes, written and flushed. cpu: of this
process, which says more than a clock where others work beside it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer import Indexer
from indexer.upkeep import Upkeep
from tests.bench.data import BLOCK, Mixture, unit
from tests.bench.measure import memory_bytes, yardstick_ms
from tests.bench.timing import line, options
from tests.blend import Blend
from unisearch.catalog.rows import Span, Stat
from unisearch.config import Settings
from unisearch.engine.answer import Answer
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term, Vector
from unisearch.factors import mix, side_by_side
from unisearch.records import Modality
from unisearch.spaces.mixed import EXPERT
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.wiring import open_rooms, row_files

Floats = NDArray[np.float32]
FACTORS = {"text": 0.1, "audio": 0.3}
WINDOWS = 10
QUESTIONS = 20
COSINE = 0.6
DIM = 1_024


class Wide(Blend):
    """As `blend`, of DIM numbers; it encodes nothing here."""

    name, dim = "wide", DIM

    @cached_property
    def stored_reference(self) -> dict[str, Floats]:
        parts = Parts(self.dim).draw(512)
        base, expert = (np.ascontiguousarray(unit(half)) for half in np.split(parts, 2, axis=1))
        bases = dict.fromkeys(self.seen_by, base)
        return bases | {name + EXPERT: expert for name in self.mixed}


class Parts:
    """Bases and experts, beside each other as they are stored."""

    def __init__(self, dim: int) -> None:
        self._base, self._other = Mixture(dim, 1), Mixture(dim, 2)

    def draw(self, count: int) -> Floats:
        """Unit rows (count, 2 dim), always the next ones."""
        base = self._base.same(count, self._base.numbers)
        other = self._other.same(count, self._other.numbers)
        expert = unit(COSINE * base + (1 - COSINE**2) ** 0.5 * other)
        return side_by_side(np.concatenate([base, expert], axis=1))


def make(settings: Settings, count: int) -> Floats:
    """A library of so many windows; parts (QUESTIONS, 2 dim) near some of them."""
    space, parts = Wide(factors=FACTORS), Parts(DIM)
    numbers = np.random.default_rng(0)
    asked: list[Floats] = []
    with open_rooms(settings, write=True) as rooms, rooms.catalog.write() as tx:
        root = tx.add_root(bytes(settings.library / "media"))
        tx.add_space(space.id, space.name, DIM, space.modalities)
        tx.add_space(space.parts_id, space.name, 2 * DIM, space.mixed, "parts")
        spans = [Span(5.0 * at, 5.0 * at + 10, "") for at in range(WINDOWS)]
        for number in range(count // WINDOWS):
            content = tx.put_content(number.to_bytes(32, "big"), 1, "audio", {})
            tx.put_segments(content, spans)
            tx.put_item(root, b"%d.wav" % number, Stat(number + 1, 1, 1, 1, 1), content)
        for start in range(0, count, BLOCK):
            both = parts.draw(min(BLOCK, count - start))
            keys = np.arange(start, start + len(both)) + 1
            for one, rows in ((space.id, mix(FACTORS["audio"], both)), (space.parts_id, both)):
                partition = tx.partition(one, "audio")
                files = row_files(settings.library, partition)
                blocks = files.append(0, start, keys, rows, tx.tail_block(partition))
                tx.commit_rows(partition, start + len(both), blocks)
            asked.append(both[numbers.choice(len(both), QUESTIONS, replace=False)])
        tx.collect()
    near = asked[-1].reshape(2 * QUESTIONS, DIM)
    noise = unit(numbers.standard_normal(near.shape)).astype(np.float32)
    return unit(unit(near) + noise).astype(np.float32).reshape(QUESTIONS, 2 * DIM)


def ask(engine: Engine, questions: Floats, factor: float, **options: Any) -> list[Answer]:
    """The answers to questions that are mixed by that factor, the first of which opens things.

    took_ms has, beside the others, the time of this process on a core as 'cpu'.
    """
    audio: Modality = "audio"
    answers = []
    for row in mix(factor, questions):
        start = time.process_time()
        answer = engine.ask([Term(Vector(row, audio))], into="audio", names=False, **options)
        answer.took_ms["cpu"] = (time.process_time() - start) * 1e3
        answers.append(answer)
    return answers


def told(what: str, answers: list[Answer], wanted: list[Answer] | None = None) -> None:
    """The line of some answers. wanted: the exact ones"""
    figures: dict[str, Any] = {"first_ms": answers[0].took_ms["search"]}
    for name in ("search", "cpu"):
        figures[f"{name}_ms"] = statistics.median(one.took_ms[name] for one in answers[1:])
    if wanted:
        pairs = zip(map(items, answers), map(items, wanted), strict=True)
        figures["recall10"] = statistics.mean(len(one & all_) / len(all_) for one, all_ in pairs)
    line(what, questions=len(answers), exact=not answers[0].approximate, **figures)


def items(answer: Answer) -> set[int]:
    return {hit.item for hit in answer.hits}


def turn(settings: Settings, factor: float) -> None:
    """The line of a turn."""
    start, cpu = time.perf_counter(), time.process_time()
    count = Indexer(settings=settings).turn({"audio": factor})
    cpu_s = time.process_time() - cpu
    line("turn", vectors=count, dim=DIM, seconds=time.perf_counter() - start, cpu_s=cpu_s,
         anonymous_bytes=memory_bytes()["anonymous"], yardstick_ms=yardstick_ms())  # fmt: skip


def bare(settings: Settings, count: int) -> None:
    """The line of as many bytes as a turn writes, written and flushed."""
    rows = bytes(BLOCK * DIM * 2)
    start = time.perf_counter()
    with (settings.library / "bare").open("wb") as file:
        for _ in range(0, count, BLOCK):
            file.write(rows)
        file.flush()
        os.fsync(file.fileno())
    line("bare write", bytes=count * DIM * 2, seconds=time.perf_counter() - start)


def main() -> None:
    count = options(__doc__, vectors=100_000).vectors
    SPACES["wide"] = SpaceEntry("tests.bench.bench_turn:Wide", settings=("factors",))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {"library": folder + "/library", "space": "wide", "vectors": {"exact_rows": 10 * count}}
        )
        questions = make(settings, count)
        bare(settings, count)
        turn(settings, 0.5)
        exact: dict[float, list[Answer]] = {}
        with Engine(open_rooms(settings)) as engine:
            told("search, every vector compared", ask(engine, questions, 0.5))
            for factor in (0.8, 0.1):
                exact[factor] = ask(engine, questions, factor, factors={"audio": factor})
                told(f"search by {factor}, all parts compared", exact[factor])
        rules = settings.vectors.model_copy(update={"exact_rows": count // 2})
        indexed = settings.model_copy(update={"vectors": rules})
        start = time.perf_counter()
        with open_rooms(indexed, write=True) as rooms, Upkeep(rooms) as upkeep:
            upkeep.finish()
        line("index", vectors=count, seconds=time.perf_counter() - start)
        with Engine(open_rooms(indexed)) as engine:
            told("search, index", ask(engine, questions, 0.5))
            for factor, wanted in exact.items():
                found = ask(engine, questions, factor, factors={"audio": factor})
                told(f"search by {factor}, index of 0.5", found, wanted)


if __name__ == "__main__":
    main()
