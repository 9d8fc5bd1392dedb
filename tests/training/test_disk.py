"""A disk without room costs training one line, before the work where that can be known."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unisearch.errors import UnisearchError
from unisearch.training import pool
from unisearch.training.corpus import read_corpus
from unisearch.training.disk import UNFINISHED, check_room, put
from unisearch.training.pool import Sizes, build_pool, plan_pool
from unisearch.training.split import split_corpus
from unisearch.training.starter import Plan, train

SMALL = Sizes(3, 3, 3, ("dog", "bell"))


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """The system refuses to write files above that size, also for processes started here."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(folder: Path) -> list[str]:
    """The names of all files below the folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    put(tmp_path / "folder" / "a", b"old")

    with largest_file(1_000), pytest.raises(UnisearchError, match="larger than allowed") as told:
        put(tmp_path / "folder" / "a", bytes(2_000))

    assert str(told.value).startswith(f"{tmp_path / 'folder'}: ")
    assert files(tmp_path) == ["a"]
    assert (tmp_path / "folder" / "a").read_bytes() == b"old"


def test_room_is_asked_for_at_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "yet", 1)

    with pytest.raises(UnisearchError, match=r"are needed and .* are free"):
        check_room(tmp_path / "not" / "yet", 10**18)
    (tmp_path / "file").touch()
    with pytest.raises(UnisearchError, match="is no folder"):
        check_room(tmp_path / "file", 1)


def test_training_refuses_before_it_writes_when_the_disk_has_less_room_than_it_needs(
    corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    full = shutil.disk_usage(tmp_path)._replace(free=100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: full)

    with pytest.raises(UnisearchError, match="are needed and 100 MB are free"):
        train(corpus_folder, tmp_path / "out", tmp_path / "cache", Plan(1.0, sizes=SMALL),
              resume=True, progress=said.append)  # fmt: skip

    assert "to be written at most, 100 MB free there" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_what_the_pool_will_take_is_foretold(corpus_folder: Path, tmp_path: Path) -> None:
    corpus = read_corpus(corpus_folder)
    plan = plan_pool(corpus, split_corpus(corpus), tmp_path, SMALL)
    foretold = plan.missing_bytes()
    assert list(tmp_path.iterdir()) == []

    build_pool(plan, progress=lambda line: None)

    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 0.8 * foretold < written <= foretold
    assert all(task.path.stat().st_size <= task.size_bytes for task in plan.tasks)
    assert plan.missing_bytes() == 0


def test_a_disk_that_fills_meanwhile_is_told_and_nothing_unfinished_stays(
    corpus_folder: Path, tmp_path: Path
) -> None:
    with largest_file(60_000), pytest.raises(UnisearchError) as told:
        train(corpus_folder, tmp_path / "out", tmp_path / "cache", Plan(1.0, sizes=SMALL),
              resume=True, progress=lambda line: None)  # fmt: skip

    assert str(told.value).startswith(f"{tmp_path / 'cache' / 'pool'}: ")
    assert not [name for name in files(tmp_path) if name.endswith(UNFINISHED)]


def test_what_a_killed_run_left_unfinished_is_dropped(corpus_folder: Path, tmp_path: Path) -> None:
    left = tmp_path / "cache" / "pool" / f"x.npz{UNFINISHED}"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")

    with largest_file(60_000), pytest.raises(UnisearchError):
        train(corpus_folder, tmp_path / "out", tmp_path / "cache", Plan(1.0, sizes=SMALL),
              resume=True, progress=lambda line: None)  # fmt: skip

    assert not left.exists()


def test_progress_is_told_all_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    todo = [pool.Task(tmp_path / str(at), 10_000_000, pool.parts.junk, ()) for at in range(4)]

    monkeypatch.setattr(pool, "SHOW_EVERY_S", 0.0)
    pool._follow(iter([10_000_000] * 4), todo, said.append)

    assert len(said) == 4
    assert said[1].startswith("pool: 2 of 4 parts made, 20 MB of 40 MB, about 0 min left")


def test_ctrl_c_at_a_terminal_is_one_line_although_all_processes_get_it(
    corpus_folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "unisearch", "train", "starter", "--corpus", corpus_folder,
               "--out", tmp_path / "out"]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        lines = [run.stderr.readline() for _ in range(2)]
        while run.poll() is None and not [*tmp_path.rglob("pool/*")]:  # the others are at work
            time.sleep(0.01)

        os.killpg(run.pid, signal.SIGINT)
        lines += run.stderr.readlines()

    assert run.returncode == 130
    assert "to be written at most" in lines[0]
    assert "parts are there" in lines[1]
    assert [line for line in lines[2:] if not line.startswith("pool: ")] == [
        "unisearch: interrupted; run it again to go on\n"
    ]
    assert not [name for name in files(tmp_path) if name.endswith(UNFINISHED)]
