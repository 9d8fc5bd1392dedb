from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer import pool as pools
from indexer.pool import Answer, Limits, Pool
from indexer.pools import Pools
from tests.indexer import tasks
from tests.workers import HandClock
from unisearch.errors import UnisearchError, Unreadable

LIMIT_S = 120.0
#: More than a file may take.
LATE_S = 61.0


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(Limits(2)) as pool:
        yield pool


def ends(
    pool: Pool, count: int, values: dict[int, list[object]] | None = None
) -> dict[int, Answer]:
    """The ends of so many jobs, with all their values; values: what came of them before"""
    values = {} if values is None else values
    found: dict[int, Answer] = {}
    while len(found) < count:
        answer = pool.take(LIMIT_S)
        assert answer is not None, "no answer"
        values.setdefault(answer.job, []).extend(answer.values)
        if answer.done:
            found[answer.job] = Answer(
                answer.job, values[answer.job], True, answer.result, answer.error
            )
    return found


def failure(
    pool: Pool,
    task: Callable[..., Iterator[object]],
    *arguments: object,
    late: Callable[[], object] = lambda: None,
) -> Unreadable:
    """Why that job failed; the jobs beside it must not. late: called when two have ended"""
    values: dict[int, list[object]] = {}
    before = pool.submit(b"good", tasks.count, 3)
    bad = pool.submit(b"bad", task, *arguments)
    after = pool.submit(b"good", tasks.count, 3)
    found = ends(pool, 2, values)
    late()
    found |= ends(pool, 1, values)
    assert found[before].values == found[after].values == [0, 1, 2]
    assert isinstance(found[bad].error, Unreadable)
    assert found[bad].error.path == "bad"
    return found[bad].error


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_values_come_in_order_and_the_result_at_the_end(pool: Pool) -> None:
    jobs = {pool.submit(b"", tasks.count, number): number for number in (0, 1, 5, 1_000)}

    found = ends(pool, len(jobs))

    for job, number in jobs.items():
        assert found[job].values == list(range(number))
        assert found[job].result == f"{number} values"
    assert pool.open_jobs == 0


def test_arrays_arrive_as_they_were_sent_and_may_be_written_to(pool: Pool) -> None:
    job = pool.submit(b"", tasks.arrays, 40, (256, 300))  # more than a message holds

    values = ends(pool, 1)[job].values

    assert [number for number, _ in values] == list(range(40))
    for number, array in values:
        assert array.shape == (256, 300)
        assert (array == number).all()
        array += 1


def test_an_error_of_the_job_arrives_as_it_was_raised(pool: Pool) -> None:
    bad, odd = pool.submit(b"", tasks.fail, b"a.png"), pool.submit(b"", tasks.odd)

    found = ends(pool, 2)

    assert isinstance(found[bad].error, Unreadable)
    assert str(found[bad].error) == "a.png: corrupt: made to fail"
    assert "Local: cannot be sent" in str(found[odd].error)
    assert len(pool.processes) == 2  # nothing died of it


@pytest.mark.parametrize(
    ("task", "how"),
    [(tasks.abort, "SIGABRT"), (tasks.crash, "SIGSEGV"), (tasks.leave, "exit code 3")],
)
def test_a_crash_is_the_failure_of_its_file_alone(
    pool: Pool, task: Callable[..., Iterator[int]], how: str
) -> None:
    error = failure(pool, task)

    assert (error.kind, error.transient) == ("crash", False)
    assert how in error.reason


def test_a_worker_that_is_killed_from_outside_fails_its_file_for_this_run(
    pool: Pool, tmp_path: Path
) -> None:
    pulse = tmp_path / "pulse"
    job = pool.submit(b"bad", tasks.hang, str(pulse))
    until(lambda: pulse.exists() and bool(pulse.read_text()))

    os.kill(int(pulse.read_text()), signal.SIGKILL)

    error = ends(pool, 1)[job].error
    assert isinstance(error, Unreadable)
    assert (error.kind, error.transient) == ("memory", True)


def test_a_job_that_hangs_is_ended_and_so_is_what_it_started(
    tmp_path: Path, clock: HandClock
) -> None:
    pulse = tmp_path / "pulse"

    def pass_time() -> None:
        clock.now_s += LATE_S

    def pass_time_with_a_child() -> None:
        until(lambda: pulse.exists() and bool(pulse.read_text()))
        clock.now_s += LATE_S

    with Pool(Limits(2)) as pool:
        error = failure(pool, tasks.hang, late=pass_time)
        other = failure(pool, tasks.have_child, str(pulse), late=pass_time_with_a_child)

        worker, child = map(int, pulse.read_text().split())
        until(lambda: not is_alive(worker) and not is_alive(child))
    assert (error.kind, error.reason) == ("timeout", "reading it took more than 60 s")
    assert other.kind == "timeout"


def test_a_job_may_take_long_as_long_as_values_come(clock: HandClock) -> None:
    with Pool(Limits(1)) as pool:
        job = pool.submit(b"", tasks.age, 8, 10.0)

        assert len(ends(pool, 1)[job].values) == 8


def test_a_large_file_may_take_longer(tmp_path: Path, clock: HandClock) -> None:
    files = [tmp_path / "small", tmp_path / "large"]
    with Pool(Limits(2)) as pool:
        small = pool.submit(b"small", tasks.wait_for, str(files[0]))
        large = pool.submit(b"large", tasks.wait_for, str(files[1]), grace_s=60.0)
        until(lambda: all(file.with_suffix(".begun").exists() for file in files))

        clock.now_s += LATE_S
        found = ends(pool, 1)
        files[1].touch()
        found |= ends(pool, 1)

    assert str(found[small].error) == "small: timeout: reading it took more than 60 s"
    assert found[large].values == ["here"]


def test_what_a_worker_said_while_we_were_held_up_comes_in_time(
    tmp_path: Path, clock: HandClock
) -> None:
    file = tmp_path / "file"
    with Pool(Limits(1)) as pool:
        job = pool.submit(b"", tasks.wait_for, str(file))
        until(file.with_suffix(".begun").exists)

        with clock.holding():
            file.touch()
            [child] = pool._children
            until(lambda: bool(select.select([child.line], [], [], 0)[0]))
            clock.now_s += LATE_S

        assert ends(pool, 1)[job].values == ["here"]


def test_the_time_that_a_worker_waits_for_us_is_not_its_own(clock: HandClock) -> None:
    with Pool(Limits(1)) as pool:
        job = pool.submit(b"", tasks.drip, 6, 0.0)
        until(lambda: pool._inbox.qsize() == 2)

        clock.now_s += LATE_S
        looks = clock.ticks
        until(lambda: clock.ticks >= looks + 2)

        assert ends(pool, 1)[job].error is None


def test_a_worker_sends_no_more_than_is_taken(pool: Pool) -> None:
    pool.submit(b"", tasks.drip, 50, 0.0)
    until(lambda: pool._inbox.qsize() >= 2)
    time.sleep(0.3)

    assert pool._inbox.qsize() == 2


def test_memory_has_a_limit() -> None:
    with Pool(Limits(2, memory_bytes=400 << 20)) as pool:
        fine = pool.submit(b"", tasks.eat, 20)
        assert ends(pool, 1)[fine].values == [20]

        bad = pool.submit(b"", tasks.eat, 2_000)
        after = pool.submit(b"", tasks.count, 3)
        found = ends(pool, 2)

    assert isinstance(found[bad].error, MemoryError)
    assert found[after].values == [0, 1, 2]


def test_a_worker_that_grew_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "GROWN_BYTES", 80 << 20)
    with Pool(Limits(1)) as pool:
        processes = []
        for megabytes in (1, 1, 160, 1):
            pool.submit(b"", tasks.keep, megabytes)
            [end] = ends(pool, 1).values()
            processes += end.values

    assert processes[0] == processes[1] == processes[2] != processes[3]


def test_a_dropped_job_is_not_heard_of_again(pool: Pool, tmp_path: Path) -> None:
    pulse = tmp_path / "pulse"
    stuck = pool.submit(b"", tasks.hang, str(pulse))
    until(lambda: pulse.exists() and bool(pulse.read_text()))
    queued = [pool.submit(b"", tasks.count, 3) for _ in range(5)]

    pool.drop(stuck)
    pool.drop(queued[-1])

    assert sorted(ends(pool, 4)) == queued[:4]
    until(lambda: not is_alive(int(pulse.read_text())))
    assert pool.take(0.3) is None


def test_closing_waits_for_no_job(tmp_path: Path) -> None:
    pulses = [tmp_path / "0", tmp_path / "1"]
    pool = Pool(Limits(2))
    for pulse in pulses:
        pool.submit(b"", tasks.hang, str(pulse))
    pool.submit(b"", tasks.count, 3)
    until(lambda: all(pulse.exists() and pulse.read_text() for pulse in pulses))
    processes = pool.processes

    pool.close()  # they hang for 600 s

    assert not any(map(is_alive, processes))


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_a_thread_that_comes_after_the_end_does_no_harm() -> None:
    pool = Pool(Limits(1))
    job = pool.submit(b"file", tasks.count, 3)
    pool.close()

    pool.drop(job)

    assert pool.open_jobs == 0


def test_small_values_that_are_kept_hold_no_descriptors(pool: Pool) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    jobs = [pool.submit(b"", tasks.arrays, 2, (64, 64)) for _ in range(50)]
    kept = ends(pool, 1)
    before = descriptors()
    kept |= ends(pool, 49)

    assert descriptors() <= before + 5
    assert len(kept) == len(jobs)
    for end in kept.values():
        assert [(number, array.sum()) for number, array in end.values] == [(0, 0), (1, 64 * 64)]


def test_a_pool_has_no_more_workers_than_jobs(pool: Pool) -> None:
    assert pool.processes == []

    pool.submit(b"", tasks.count, 1)
    ends(pool, 1)

    assert len(pool.processes) == 1


def test_workers_can_be_there_before_the_first_job(pool: Pool) -> None:
    pool.start(5)

    until(lambda: len(pool.processes) == 2)


def test_workers_load_neither_the_network_nor_the_catalogue(pool: Pool) -> None:
    names = ("torch", "sqlalchemy", "pydantic", "unisearch.catalog.open", "trimesh")
    jobs = [pool.submit(b"", tasks.imported, name) for name in names]

    found = ends(pool, len(names))

    assert [found[job].values for job in jobs] == [[False]] * len(names)


def test_warnings_of_a_worker_are_logged_here(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    pool.submit(b"", tasks.warn, "a piece left out")

    ends(pool, 1)

    assert ("tests.worker", logging.WARNING, "a piece left out") in caplog.record_tuples


def test_workers_that_cannot_start_are_an_error_and_no_endless_wait(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.child._PROGRAM", "raise SystemExit(5)")
    pool.submit(b"", tasks.count, 1)

    with pytest.raises(UnisearchError, match=r"ended at its start \(code 5\)"):
        pool.take(LIMIT_S)


def test_workers_that_hang_at_their_start_are_ended_and_told(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.child._PROGRAM", "import time; time.sleep(600)")
    monkeypatch.setattr(pools, "_START_S", 0.1)
    pool.limits = Limits(2, timeout_s=0.2)
    pool.submit(b"", tasks.count, 1)

    with pytest.raises(UnisearchError, match=r"at its start \(it was not ready in time\)"):
        pool.take(LIMIT_S)


def test_two_runs_of_one_writer_use_the_same_workers_one_after_another() -> None:
    lender = Pools(Limits(1))
    processes = []
    for _ in range(2):
        with lender.lend() as pool:
            pool.submit(b"", tasks.count, 1)
            ends(pool, 1)
            processes += pool.processes
    with lender.lend() as first, lender.lend() as second:
        assert first is not second
    assert [first.works, second.works] == [False, True]  # one is kept for the next run
    lender.close()

    assert processes[0] == processes[1]
    assert not is_alive(processes[0])


PARENT = """
import sys, time
from pathlib import Path
from indexer.pool import Limits, Pool
from tests.indexer import tasks
from tests.workers import HandClock
pool = Pool(Limits(3))
pool.submit(b"", tasks.hang, sys.argv[1])
pool.submit(b"", tasks.have_child, sys.argv[2])
pool.submit(b"", tasks.drip, 10_000, 0.0)
while pool.take(1):
    time.sleep(0.05)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends workers that are stuck")
def test_workers_and_their_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    pulses = [tmp_path / "0", tmp_path / "1"]
    before = set(Path("/dev/shm").iterdir())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *map(str, pulses)])
    try:
        until(lambda: all(pulse.exists() and pulse.read_text() for pulse in pulses))
        processes = [int(word) for pulse in pulses for word in pulse.read_text().split()]
        assert all(map(is_alive, processes))
    finally:
        parent.kill()
        parent.wait()

    until(lambda: not any(map(is_alive, processes)))
    new = set(Path("/dev/shm").iterdir()) - before
    assert not [name for name in new if "unisearch" in name.name]


def test_ctrl_c_at_the_terminal_is_for_the_parent_alone(pool: Pool) -> None:
    job = pool.submit(b"", tasks.nap, 0.5)
    until(lambda: bool(pool.processes))
    [worker] = pool.processes
    until(lambda: bool(Path(f"/proc/{worker}/cmdline").read_bytes()))

    assert os.getpgid(worker) != os.getpgrp()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ProcessLookupError):
            time.sleep(0.2)
            os.kill(worker, number)

    assert ends(pool, 1)[job].values == ["before", "after"]


def test_while_nobody_waits_for_answers_a_core_is_left_to_who_takes_them(tmp_path: Path) -> None:
    mark = tmp_path / "go on"
    with Pool(Limits(2, beside=1)) as pool:
        pool.start(2)
        slow = pool.submit(b"", tasks.wait_for, str(mark))
        until(lambda: Path(f"{mark}.begun").exists())
        assert pool.busy == 1
        quick = pool.submit(b"", tasks.count, 3)
        until(lambda: sum(child.ready for child in pool._children) == 2)
        assert pool._is_enough()

        found = ends(pool, 1)
        mark.touch()

        assert found[quick].values == [0, 1, 2]
        assert ends(pool, 1)[slow].values == ["here"]
