"""An engine that stays open: threads share it while others write, and its library may change."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.storage.store import ROOT, Store, settings_of, vectors_of
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term, Vector
from unisearch.errors import LibraryMissing
from unisearch.records import Hit
from unisearch.wiring import open_rooms

KEPT = {f"kept{n}.png": 4 * n for n in range(12)}
CHANGES, GROUP = 16, 5


def group(number: int) -> dict[str, int]:
    """Files that come together and go together."""
    first = 1000 * (number + 1)
    return {f"group{number}-{n}.png": first + 4 * n for n in range(GROUP)}


def names(hits: tuple[Hit, ...] | list[Hit]) -> frozenset[str]:
    return frozenset(hit.path.removeprefix(ROOT + b"/").decode() for hit in hits)


def like(seed: int) -> Term:
    return Term(Vector(vectors_of(seed)[0].astype(np.float32), "image"))


#: What is committed at some moment.
STATES = {frozenset({*KEPT, *group(number)}) for number in range(CHANGES)}


class Asking(threading.Thread):
    """Asks questions of every kind until it is told to stop, or an answer is wrong."""

    def __init__(self, engine: Engine, item: int, first: int, stop: threading.Event) -> None:
        super().__init__()
        self.engine, self.item, self.first, self.stop = engine, item, first, stop
        self.answers = 0
        self.wrong: object = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.ask((self.first + self.answers) % 3)
                self.answers += 1
        except BaseException as error:
            self.wrong = error

    def ask(self, kind: int) -> None:
        match kind:
            case 0:
                hits = self.engine.ask([like(0), like(4)], k=99, names=False).hits
                assert names(hits) in STATES
                assert {hit.path for hit in hits[:2]} == {
                    ROOT + b"/kept0.png",
                    ROOT + b"/kept1.png",
                }
            case 1:
                hits = self.engine.ask([like(8)], k=99, where="path:kept", names=False).hits
                assert names(hits) == frozenset(KEPT)
                assert hits[0].path == ROOT + b"/kept2.png"
            case _:
                found = names(self.engine.search(self.item, k=99))
                assert found | {"kept3.png"} in STATES
                assert "kept3.png" not in found


def wait_for(threads: list[Asking], answers: int) -> None:
    """Until that many questions were answered, so that they and the changes meet."""
    while sum(thread.answers for thread in threads) < answers:
        if not all(thread.is_alive() for thread in threads):
            return
        time.sleep(0.001)


def test_each_answer_to_several_threads_is_of_one_committed_state(tmp_path: Path) -> None:
    store = Store(tmp_path / "library")
    store.add({**KEPT, **group(0)})
    stop = threading.Event()
    with Engine(open_rooms(settings_of(tmp_path / "library"))) as engine:
        with engine.rooms.catalog.view() as view:
            item = view.known_files()[ROOT + b"/kept3.png"].item
        threads = [Asking(engine, item, first, stop) for first in range(4)]
        for kind, thread in enumerate(threads):
            thread.ask(kind % 3)  # what is opened once takes longer than all that follows
        for thread in threads:
            thread.start()

        for number in range(1, CHANGES):
            wait_for(threads, 6 * number)
            store.add(group(number), without=group(number - 1))
            if number % 6 == 0:
                store.compact()
        wait_for(threads, 6 * CHANGES)
        stop.set()
        for thread in threads:
            thread.join()

        assert [thread.wrong for thread in threads] == [None] * 4
        assert names(engine.ask([like(0)], k=99, names=False).hits) == {*KEPT, *group(CHANGES - 1)}
    store.close()


def test_a_library_that_took_the_place_of_another_is_asked(tmp_path: Path) -> None:
    library = tmp_path / "library"
    store = Store(library)
    store.add(KEPT | {"sound": 13})
    store.close()
    with Engine(open_rooms(settings_of(library))) as engine:
        assert names(engine.ask([like(0)], into="image", k=99, names=False).hits) == set(KEPT)

        library.rename(tmp_path / "away")
        with pytest.raises(LibraryMissing, match="no library there"):
            engine.ask([like(0)], names=False)
        other = Store(library)
        other.add({**group(3), "sound": 29})
        other.close()

        pictures = engine.ask([like(0)], into="image", k=99, names=False).hits
        sounds = engine.ask([like(0)], into="audio", names=False).hits
    assert names(pictures) == set(group(3))
    assert names(sounds) == {"sound"}
