"""Several commands write to one library at the same time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer import Indexer, Progress, Report
from tests.e2e.commands import run
from unisearch.config import Settings

PATIENCE_S = 120


def texts(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"{folder.name} has {number}")
    return folder


def start(home: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """A command in a process of its own, committing often."""
    environment = {
        **os.environ,
        "UNISEARCH_SPACE": "toy",
        "UNISEARCH_LIBRARY": os.fspath(home / "library"),
        "UNISEARCH_INDEX__COMMIT_EVERY": "4",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "unisearch", *arguments],
        cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def settings(home: Path) -> Settings:
    return Settings(library=home / "library", space="toy")


def status(home: Path) -> Any:
    """What the library holds; the doctor is content."""
    given = {"space": "toy", "library": os.fspath(home / "library")}
    assert run("doctor", cwd=home, **given).code == 0
    return run("status", "--json", cwd=home, **given).json()


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_eight_commands_at_once_all_do_their_work(tmp_path: Path) -> None:
    folders = [texts(tmp_path / f"folder {number}", 25) for number in range(8)]

    processes = [start(tmp_path, "index", folder, "--json") for folder in folders]
    ends = [process.communicate(timeout=PATIENCE_S) for process in processes]

    assert [process.returncode for process in processes] == [0] * 8, ends
    assert [json.loads(out)["counts"]["added"] for out, _ in ends] == [25] * 8
    roots = status(tmp_path)["roots"]
    assert [root["items"] for root in roots] == [25] * 8


def test_ctrl_c_at_a_waiting_command_takes_its_job_back(tmp_path: Path) -> None:
    mine, other = texts(tmp_path / "mine", 3), texts(tmp_path / "other", 3)
    processes: list[subprocess.Popen[bytes]] = []
    said: list[bytes] = []

    def hook(now: Progress) -> None:
        if processes:
            return
        processes.append(start(tmp_path, "index", other))
        stderr = processes[0].stderr
        assert stderr is not None
        said.append(stderr.readline())
        processes[0].send_signal(signal.SIGINT)
        said.append(stderr.read())
        processes[0].wait(PATIENCE_S)

    report = Indexer(settings=settings(tmp_path)).run([mine], progress=hook)

    assert f"waiting for process {os.getpid()}" in said[0].decode()
    assert said[1] == b"unisearch: interrupted; run it again to go on\n"
    assert processes[0].returncode == 130
    assert report.added == 3
    assert [root["items"] for root in status(tmp_path)["roots"]] == [3]


def test_ctrl_c_at_the_first_command_leaves_the_others_to_themselves(tmp_path: Path) -> None:
    large, small = texts(tmp_path / "large", 1_000), texts(tmp_path / "small", 300)
    first = start(tmp_path, "index", large)
    until((tmp_path / "library" / "writer.sock").exists)
    reports: list[Report] = []
    told: list[bool] = []

    def hook(now: Progress) -> None:
        if sum(now.done.values()) and not told:
            told.append(True)  # once: the second Ctrl-C is another one
            first.send_signal(signal.SIGINT)

    def work() -> None:
        reports.append(Indexer(settings=settings(tmp_path)).run([small], progress=hook))

    second = threading.Thread(target=work, daemon=True)
    second.start()
    _, err = first.communicate(timeout=PATIENCE_S)
    second.join(PATIENCE_S)

    assert (first.returncode, err.count(b"\n")) == (130, 1)
    assert err.startswith(b"unisearch: interrupted")
    assert reports[0].added == 300
    items = {Path(root["path"]).name: root["items"] for root in status(tmp_path)["roots"]}
    assert items["small"] == 300
    assert items["large"] < 1_000
