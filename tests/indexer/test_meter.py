"""What another process sees of the one that writes."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import Indexer, Progress
from indexer.desk import Desk
from indexer.handover import SOCKET_FILE
from indexer.look import look
from indexer.meter import Meter
from unisearch.cli.main import run as run_command
from unisearch.sockets import socket_path

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


def test_a_run_is_seen_while_it_goes_on(library: Library) -> None:
    library.fill()
    (library.media / "empty.png").touch()
    seen: list[dict[str, object] | None] = []

    def hook(progress: Progress) -> None:
        if sum(progress.done.values()) == 5:
            seen.append(look(library.path))

    library.run(progress=hook)

    facts = seen[-1]
    assert facts is not None
    assert facts["process"] == os.getpid()
    assert facts["run"]["total"] == {"3d": 1, "audio": 1, "image": 2, "text": 1}  # type: ignore[index]
    assert set(facts["queues"]) == {"files_being_read", "parts_to_encode", "files_to_commit"}  # type: ignore[call-overload]
    assert look(library.path) is None


def test_a_writer_that_waits_tells_what_it_did(library: Library, make: Make) -> None:
    library.fill()
    broken = library.media / "broken.png"
    broken.write_bytes(b"no picture")
    with Indexer(settings=library.settings) as indexer:
        indexer.run(library.media)
        make["text"](library.media / "later.txt", "It came later")
        (library.media / "rock.obj").unlink()
        indexer.run(library.media)

        facts = look(library.path)

    assert facts is not None
    assert facts["run"] is None
    assert facts["files"]["added"] == {"3d": 1, "audio": 1, "image": 1, "text": 2}
    assert facts["files"]["removed"] == {"all": 1}
    assert facts["failed"] == {"corrupt": 1}
    [failure] = facts["last_failures"]
    assert (failure["path"], failure["kind"]) == (str(broken), "corrupt")
    assert facts["delay_s"]["count"] == 1  # the others lay there before
    assert 0 <= facts["delay_s"]["p50"] < 60


def test_status_shows_the_writer(
    library: Library, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    monkeypatch.setenv("UNISEARCH_LIBRARY", str(library.path))
    with Indexer(settings=library.settings) as indexer:
        indexer.run(library.media)

        assert run_command(["status"]) == 0
        shown = capfd.readouterr().out
        assert run_command(["status", "--json"]) == 0
        writer = json.loads(capfd.readouterr().out)["writer"]

    assert f"writer   process {os.getpid()}, since" in shown
    assert "4 added" in shown
    assert writer["files"]["added"]["image"] == 1
    run_command(["status"])
    assert "writer  " not in capfd.readouterr().out


def test_who_does_not_answer_is_not_waited_for(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    monkeypatch.setattr("indexer.look.PATIENCE_S", 0.1)
    with socket.socket(socket.AF_UNIX) as deaf, socket_path(library.path, SOCKET_FILE) as path:
        deaf.bind(path)
        deaf.listen()

        assert look(library.path) is None


def test_a_run_beside_another_is_counted_and_not_shown() -> None:
    meter = Meter()
    assert meter.for_another() is meter
    meter.at(Progress({}, {"image": 9}, 0, 0, 1.0, b"/first"))
    meter.queues = {"files_to_commit": lambda: 5}

    beside = meter.for_another()
    beside.queues = {"files_to_commit": lambda: 0}
    beside.file("added", "text")
    beside.at(Progress({}, {"text": 1}, 0, 0, 1.0, b"/second"))
    beside.at(None)

    facts = meter.facts()
    assert facts["files"] == {"added": {"text": 1}}
    assert facts["run"]["path"] == "/first"
    assert facts["queues"] == {"files_to_commit": 5}


def test_a_run_that_ends_while_it_is_looked_at_is_shown_or_not() -> None:
    class Ends(Meter):
        """Whose run ends as soon as somebody has looked at it."""

        @property  # type: ignore[override]
        def _now(self) -> Progress | None:
            found, self.left = self.left, None
            return found

        @_now.setter
        def _now(self, now: Progress | None) -> None:
            self.left = now

    meter = Ends()
    meter.at(Progress({}, {"image": 9}, 0, 0, 1.0, b"/first"))

    assert [meter.facts()["run"] is None for _ in range(2)] == [False, True]


def test_a_mistake_in_what_is_told_does_not_silence_the_writer(tmp_path: Path) -> None:
    def wrong() -> dict[str, object]:
        raise AttributeError("of us")

    desk = Desk(tmp_path, wrong)
    assert look(tmp_path) is None

    desk._facts = lambda: {"process": 7}
    assert look(tmp_path) == {"process": 7}
    desk.close()


def test_delays_are_told_by_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    for seconds in range(100):
        meter._since = now - 200
        meter.file("added", "text", now - seconds)

    delays = meter.facts()["delay_s"]

    assert delays["count"] == 100
    assert delays["p50"] == pytest.approx(50, abs=2)
    assert delays["p99"] == pytest.approx(99, abs=2)
