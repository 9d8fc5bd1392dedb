"""Ctrl-C at any time: one line, code 130, and the same command goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.commands import run
from unisearch.world.library import make_library

PATIENCE_S = 120
COMMIT_EVERY, TOY_DIM = 8, 64


def start(folder: Path) -> subprocess.Popen[bytes]:
    """`unisearch index media` in a process of its own, committing often."""
    environment = {
        **os.environ,
        "UNISEARCH_SPACE": "toy",
        "UNISEARCH_LIBRARY": os.fspath(folder / "library"),
        "UNISEARCH_INDEX__COMMIT_EVERY": str(COMMIT_EVERY),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "unisearch", "index", "media"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def rows(folder: Path) -> int:
    """Bytes of vectors that are stored by now."""
    return sum(path.stat().st_size for path in (folder / "library").rglob("*.f16"))


def interrupted(folder: Path) -> tuple[int, bytes]:
    """(exit code, stderr) of a run that is stopped as soon as it has committed something more.

    Rows are appended before they are committed: the second batch tells that the first one was.
    """
    two_batches = rows(folder) + 2 * COMMIT_EVERY * 2 * TOY_DIM
    process = start(folder)
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and rows(folder) < two_batches and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, err


def finish(folder: Path) -> tuple[int, int]:
    """(files that the last run added, files that were there before it); the doctor is content."""
    given = {"space": "toy", "library": os.fspath(folder / "library")}
    counts = run("index", "media", "--json", cwd=folder, **given).json()["counts"]
    assert run("doctor", cwd=folder, **given).code == 0
    return counts["added"], counts["unchanged"]


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    for number in range(1_500):
        (tmp_path / "media" / f"{number}.txt").write_text(f"fox number {number}")

    code, err = interrupted(tmp_path)
    added, unchanged = finish(tmp_path)

    assert code == 130
    assert err.count(b"\n") == 1
    assert err.startswith(b"unisearch: interrupted")
    assert added + unchanged == 1_500
    assert unchanged > 0
    assert added > 0


@pytest.mark.soak
def test_a_large_library_survives_being_stopped_again_and_again(tmp_path: Path) -> None:
    made = make_library(tmp_path / "media", per_concept=6)

    codes = []
    while not codes or codes[-1] == 130:
        codes.append(interrupted(tmp_path)[0])
    added, unchanged = finish(tmp_path)

    assert set(codes) == {130, 0}
    assert codes.count(130) > 5
    assert added + unchanged == len(made)
