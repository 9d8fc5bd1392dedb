"""One process writes, others read: each answer is that of one committed state, and of no old one.

The writer brings one generation of files with each commit and takes the oldest one away: so a
state is known by the generations that an answer holds.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
import traceback
from collections import Counter
from contextlib import suppress
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.storage.store import Store, modality_of, settings_of, vectors_of
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Vector
from unisearch.errors import RowsGone
from unisearch.wiring import Rooms, open_rooms

KEPT, FILES = 6, 48  # generations at a time, files of each
MODALITIES = ("image", "audio")
PICTURES = sum(modality_of(seed) == "image" for seed in range(FILES))
MARGIN_S = 90
LOOKS = 3
PAUSE_S = 0.02  # a few processors for many readers: the writer needs its turn


def files_of(generation: int) -> dict[str, int]:
    """Name and number of each file of a generation; the next one has other numbers."""
    first = generation * FILES
    return {f"{generation}-{seed}": seed for seed in range(first, first + FILES)}


def write(folder: Path, newest: Synchronized[int], stop: Any, said: Queue[Any]) -> None:
    """Commits until told to stop. newest: raised after each commit"""
    try:
        store = Store(folder)
        done: Counter[str] = Counter()
        while not stop.is_set():
            generation = newest.value + 1
            store.add(files_of(generation), without=files_of(generation - KEPT))
            newest.value = generation
            done["commits"] += 1
            if generation % 4 == 0:
                store.snapshot()
                done["snapshots"] += 1
            if generation % 6 == 0:
                store.compact()
                done["compactions"] += 1
        store.close()
        said.put((None, done))
    except BaseException:
        said.put((traceback.format_exc(), Counter()))


def read(
    folder: Path,
    newest: Synchronized[int],
    answered: Synchronized[int],
    stop: Any,
    said: Queue[Any],
    number: int,
) -> None:
    """Asks until told to stop; an answer that no committed state explains is told.

    answered: raised after each answer
    """
    warned: list[str] = []
    logging.getLogger().handlers = [Ear(warned)]
    done: Counter[str] = Counter()
    try:
        engine = Engine(open_rooms(settings_of(folder)))
        while not stop.is_set():
            if done["answers"] % 40 == 39:  # as another command would
                engine.close()
                engine = Engine(open_rooms(settings_of(folder)))
            before = newest.value
            check_pictures(engine, before, newest)
            check_sounds(engine, before, newest, number)
            check_keys(engine)
            done["answers"] += 1
            with answered.get_lock():
                answered.value += 1
            time.sleep(PAUSE_S)
        engine.close()
        assert not warned, warned[:5]
        said.put((None, done))
    except BaseException:
        said.put((traceback.format_exc(), done))


class Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


def check_pictures(engine: Engine, before: int, newest: Synchronized[int]) -> None:
    """All pictures, searched exactly: whole generations in a row, none older than known."""
    found = ask(engine, query(0), "image", 2 * KEPT * PICTURES)
    counts = Counter(generation for generation, _ in found)
    last = max(counts)
    assert counts == {last - back: PICTURES for back in range(KEPT)}, counts
    # The commit after the last one that was told may be visible already.
    assert before <= last <= newest.value + 1


def check_sounds(engine: Engine, before: int, newest: Synchronized[int], number: int) -> None:
    """Some sounds, searched through snapshots and a tail: of one state, with right cosines, and
    what was just committed is found."""
    seed = before * FILES + 1 + 4 * (number % (FILES // 4))  # a sound
    vector = vectors_of(seed)[0].astype(np.float32)
    found = ask(engine, vector, "audio", 40)
    generations = {generation for generation, _ in found}
    assert max(generations) - min(generations) < KEPT
    assert max(generations) <= newest.value + 1
    assert min(generations) > before - KEPT
    for (_, other), cosine in found.items():
        rows = vectors_of(other).astype(np.float32)
        right = (rows @ vector / np.linalg.norm(vector)).max()
        assert abs(right - cosine) < 2e-3
    if newest.value - before < KEPT - 2:
        assert (before, seed) in found, "what was committed before is not found"


def check_keys(engine: Engine) -> None:
    """In one transaction rows and segments belong together, but for rows that are compacted away
    meanwhile: then a new look must do."""
    for _ in range(LOOKS):
        with suppress(RowsGone):
            compare_keys(engine.rooms)
            return
    compare_keys(engine.rooms)


def compare_keys(rooms: Rooms) -> None:
    with rooms.catalog.view() as view:
        states = view.partitions(rooms.space.id)
        for modality in MODALITIES:
            reader = rooms.partition(modality).at(
                states[modality], lambda name=modality: view.blocks(rooms.space.id, name)
            )
            assert np.array_equal(reader.keys(), view.segments(modalities=[modality]))


def query(seed: int) -> Any:
    return vectors_of(seed)[0].astype(np.float32)


def ask(engine: Engine, vector: Any, modality: str, k: int) -> dict[tuple[int, int], float]:
    """Cosine by (generation, number) of the hits."""
    unit = vector / np.linalg.norm(vector)
    hits = engine.search(Vector(unit, "image"), into=modality, k=k)
    names = [hit.path.rsplit(b"/")[-1].decode().split("-") for hit in hits]
    return {
        (int(generation), int(seed)): hit.similarity
        for (generation, seed), hit in zip(names, hits, strict=True)
    }


def run(folder: Path, readers: int, seconds: float, commits: int, answers: int) -> Counter[str]:
    """How much was done in at least that time and with so many commits and answers.

    Raises what a process complained about.
    """
    # A server without threads forks them; each has its own connections and maps.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.storage.test_concurrency", "faiss", "torch"])
    store = Store(folder)
    for generation in range(KEPT):
        store.add(files_of(generation))
    store.snapshot()
    store.close()
    newest, answered = context.Value("q", KEPT - 1), context.Value("q", 0)
    stop, said = context.Event(), context.Queue()
    children = [context.Process(target=write, args=(folder, newest, stop, said))]
    children += [
        context.Process(target=read, args=(folder, newest, answered, stop, said, number))
        for number in range(readers)
    ]
    for child in children:
        child.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until or newest.value < KEPT - 1 + commits or answered.value < answers:
        if not all(child.is_alive() for child in children):
            break
        time.sleep(0.05)
    stop.set()
    ends = [said.get(timeout=MARGIN_S) for _ in children]
    for child in children:
        child.join(MARGIN_S)
    assert [child.exitcode for child in children] == [0] * len(children)
    wrong = [error for error, _ in ends if error]
    assert not wrong, "\n".join(wrong)
    return sum((done for _, done in ends), Counter())


def test_readers_see_committed_states_while_another_process_writes(tmp_path: Path) -> None:
    done = run(tmp_path / "library", readers=3, seconds=2, commits=4, answers=9)

    print(dict(done))
    assert done["snapshots"] >= 1
    assert done["compactions"] >= 1
    assert done["answers"] >= 9


@pytest.mark.soak
def test_eight_readers_see_committed_states_for_a_minute(tmp_path: Path) -> None:
    done = run(tmp_path / "library", readers=8, seconds=60, commits=12, answers=100)

    print(dict(done))
    assert min(done["snapshots"], done["compactions"]) >= 2
    assert done["answers"] >= 100
