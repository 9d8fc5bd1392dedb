"""What the daemon does step by step, here without a process and signals of its own."""

from __future__ import annotations

import errno
import os
import select
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from indexer.watch import daemon as module
from indexer.watch.daemon import Daemon
from indexer.watch.hints import Hint, Hints, Patience
from indexer.watch.known import KnownRoots
from tests.indexer.conftest import Library, text
from tests.indexer.watch.daemons import until
from unisearch.wiring import open_rooms

Start = Callable[..., Daemon]


@pytest.fixture
def start(library: Library) -> Iterator[Start]:
    """Makes a daemon over these paths, which the test lets step."""
    made: list[Daemon] = []
    watch = library.settings.watch.model_copy(update={"quiet_s": 0.05, "min_free_mb": 0})
    settings = library.settings.model_copy(update={"watch": watch})

    def begin(*paths: Path) -> Daemon:
        made.append(Daemon(paths, lambda _: settings))
        made[-1]._look_around()
        return made[-1]

    yield begin
    for one in made:
        one._end()


def steps_until(daemon: Daemon, holds: Callable[[], object]) -> None:
    def step() -> object:
        daemon._try_step()
        return holds()

    until(step)


def failing_once(error: Exception, then: Callable[..., Any]) -> Callable[..., Any]:
    left = [error]

    def call(*args: Any) -> Any:
        if left:
            raise left.pop()
        return then(*args)

    return call


def test_a_disk_that_cannot_be_asked_for_its_space_is_waited_for(
    library: Library,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    library.run(text(library.media / "a" / "cow.txt", "A cow moos").parent)
    monkeypatch.setattr(module, "_SPACE_S", 0.0)
    usage = failing_once(OSError(errno.EIO, "Input/output error"), shutil.disk_usage)
    monkeypatch.setattr(shutil, "disk_usage", usage)
    daemon = start()

    text(library.media / "a" / "owl.txt", "An owl hoots")

    steps_until(daemon, lambda: library.names() == ["cow.txt", "owl.txt"])
    assert "cannot be looked at (Input/output error): indexing waits" in caplog.text


def test_an_error_between_two_runs_is_told_and_waited_out(
    library: Library,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    library.run(text(library.media / "a" / "cow.txt", "A cow moos").parent)
    monkeypatch.setattr("indexer.watch.backoff.FIRST_S", 0.2)
    error = OSError(errno.ESTALE, "Stale file handle")
    monkeypatch.setattr(Indexer, "make_way", failing_once(error, Indexer.make_way))
    daemon = start()
    daemon._tick_at = 0.0

    text(library.media / "a" / "owl.txt", "An owl hoots")

    steps_until(daemon, lambda: library.names() == ["cow.txt", "owl.txt"])
    assert caplog.text.count("Stale file handle") == 1


@pytest.mark.parametrize("asked", [(), ("a/deep",), ("a/deep", "b")])
def test_all_that_the_hourly_look_comes_to_is_compared_by_content(
    asked: tuple[str, ...], library: Library, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    text(library.media / "a" / "deep" / "cow.txt", "A cow moos")
    text(library.media / "b" / "owl.txt", "An owl hoots")
    library.run(library.media / "a", library.media / "b")
    runs: list[tuple[bytes, bool]] = []
    refresh = Indexer.refresh

    def noted(self: Indexer, places: list[bytes], *, thorough: bool, **options: Any) -> Any:
        runs.extend((place, thorough) for place in places)
        return refresh(self, places, thorough=thorough, **options)

    daemon = start(*(library.media / name for name in asked))
    steps_until(daemon, lambda: daemon._hints.next_at() is None)
    monkeypatch.setattr(Indexer, "refresh", noted)
    waiting, due = [], daemon._hints.due

    def one_at_a_time() -> list[bytes]:
        waiting.extend(due())
        return [waiting.pop()] if waiting else []

    monkeypatch.setattr(daemon._hints, "due", one_at_a_time)
    daemon._rescan_at = 0.0

    steps_until(daemon, lambda: daemon._hints.next_at() is None and runs and not waiting)
    text(library.media / "a" / "deep" / "cow.txt", "A cow moos again")
    steps_until(daemon, lambda: runs[-1][0].endswith(b".txt"))

    wholes = [bytes(library.media / name) for name in asked or ("a", "b")]
    assert sorted(runs[:-1]) == [(path, True) for path in wholes]
    assert runs[-1] == (bytes(library.media / "a" / "deep" / "cow.txt"), False)


def test_what_is_written_does_not_wait_for_what_was_to_be_looked_at_later(
    library: Library, start: Start
) -> None:
    library.run(text(library.media / "a" / "cow.txt", "A cow moos").parent)
    daemon = start()
    folder = bytes(library.media / "a")
    patience = Patience(quiet_s=0.05, settle_s=2.0)
    daemon._hints = Hints(patience, time.monotonic, lambda _: None)
    daemon._tick_at = time.monotonic() + 60
    daemon._take(Hint(folder + b"/slow.txt", "seen"))  # looked at again after 2 s
    daemon._signals.wait(0)
    assert daemon._pause_s() > 1

    daemon._take(Hint(folder + b"/new.txt", "written"))

    assert select.select([daemon._signals._wake[0]], [], [], 0)[0]
    assert daemon._pause_s() < 1


def test_roots_are_read_again_though_the_files_seem_as_they_were(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.run(text(library.media / "a" / "cow.txt", "A cow moos").parent)
    with open_rooms(library.settings, write=True) as writing:
        known = KnownRoots(library.settings)
        before = [root.path for root in known.read()]
        stat, seen = os.stat, dict[str, os.stat_result]()
        monkeypatch.setattr(
            os, "stat", lambda path, **more: seen.setdefault(os.fspath(path), stat(path, **more))
        )  # as in the same tick of the clock
        known.read()

        with writing.catalog.write() as tx:
            tx.add_root(b"/media/new")

        assert [root.path for root in known.read()] == sorted([*before, b"/media/new"])
        monkeypatch.undo()
        known.close()
