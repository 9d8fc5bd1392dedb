"""A writer that is killed at any instant leaves a library that opens and is right."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.storage.store import Store, check, check_clean

CHANGES = ("add", "add", "add", "remove", "remove", "move", "compact", "snapshot")
#: A life ends so many lines of the log and so many seconds after its begin, at most.
MOST_LINES, LONGEST_S = 24, 0.02
MOST_FILES = 500


class Log:
    """What the writer is about to do and has done; kept outside the library, synced."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, entry: Any) -> None:
        os.write(self._handle, json.dumps(entry).encode() + b"\n")
        os.fsync(self._handle)


def work_until_killed(folder: Path, log_path: Path, reference: dict[str, int], seed: int) -> None:
    """One change after the other; each is told before and after."""
    chance = random.Random(seed)
    log = Log(log_path)
    store = Store(folder)
    log.write("ready")
    for number in range(10_000):
        what = chance.choice(CHANGES)
        after = dict(reference)
        if what == "add" or not reference:
            what, count = "add", chance.choice([1, 10, 60])
            first = chance.randrange(1, 3_000)
            files = {f"{seed}-{number}-{at}": first + at for at in range(count)}
            after.update(files)
        elif what == "remove":
            most = max(1, len(reference) // (2 if len(reference) > MOST_FILES else 8))
            names = chance.sample(sorted(reference), chance.randint(1, most))
            after = {name: seed for name, seed in reference.items() if name not in names}
        elif what == "move":
            old, new = chance.choice(sorted(reference)), f"{seed}-{number}-moved"
            after[new] = after.pop(old)
        log.write([what, after])
        if what == "add":
            store.add(files)
        elif what == "remove":
            store.remove(names)
        elif what == "move":
            store.move(old, new)
        elif what == "compact":
            store.compact()
        else:
            store.snapshot()
        log.write("done")
        reference = after


def possible(log_path: Path, reference: dict[str, int]) -> tuple[list[dict[str, int]], str]:
    """The states that the library may be in after the log's last line, and what was under way."""
    whole, _, _ = log_path.read_text().rpartition("\n")  # the last line may be torn
    entries = [json.loads(line) for line in whole.splitlines()]
    doing = "opening"
    after = reference
    for entry in entries:
        if entry in ("ready", "done"):
            reference, doing = after, "nothing"
        else:
            doing, after = entry
    return [reference, after], doing


def kill_again_and_again(folder: Path, kills: int) -> dict[str, int]:
    """What was under way at how many kills; the library is examined after each."""
    # Forked from a small server that has no threads; its children start at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.storage.test_kill", "faiss"])
    chance = random.Random(1)
    library = folder / "library"
    reference: dict[str, int] = {}
    during: dict[str, int] = {}
    first = Store(library)
    first.add({})
    first.close()
    for kill in range(kills):
        log = folder / f"{kill}.log"
        child = context.Process(target=work_until_killed, args=(library, log, reference, kill))
        child.start()
        lines = chance.randrange(MOST_LINES)
        while child.is_alive() and (not log.exists() or log.read_bytes().count(b"\n") < lines):
            time.sleep(0.001)
        time.sleep(chance.random() * LONGEST_S)
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL, "the writer ended by itself: see its traceback"

        states, doing = possible(log, reference)
        during[doing] = during.get(doing, 0) + 1
        reference = dict(check(library, *states))
        Store(library).close()
        check_clean(library)
        assert check(library, reference) == reference
    return during


def test_a_killed_writer_leaves_a_right_library(tmp_path: Path) -> None:
    during = kill_again_and_again(tmp_path, kills=15)

    assert len(during) > 2


@pytest.mark.soak
def test_hundreds_of_kills_leave_a_right_library(tmp_path: Path) -> None:
    during = kill_again_and_again(tmp_path, kills=300)

    print(during)
    assert {"add", "remove", "compact", "snapshot"} <= set(during)
