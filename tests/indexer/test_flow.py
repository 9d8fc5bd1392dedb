"""A run whose files are decoded by workers: what comes out, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Progress
from indexer.pools import workers_of
from tests.indexer import tasks
from tests.workers import HandClock
from unisearch.media.read import read
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms, read_options

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of a file is told by its name."""
    monkeypatch.setattr("indexer.flow.decode", tasks.decode_as_told)


def with_index(library: Library, **settings: object) -> None:
    index = library.settings.index.model_copy(update=settings)
    library.settings = library.settings.model_copy(update={"index": index})


def test_vectors_and_facts_equal_those_of_files_read_here(library: Library, make: Make) -> None:
    for number in range(12):
        make["picture"](library.media / f"{number}.png", number)
        make["sound"](library.media / f"{number}.wav", 3 * number + 1, number)
        make["model"](library.media / f"{number}.obj", number + 1)
        make["text"](library.media / f"{number}.txt", f"Story number {number}")
    long = ". ".join(f"Sentence {number} of a long text" for number in range(3_000))
    (library.media / "long.txt").write_text(long)
    with_index(library, workers=2, batch=7, commit_every=20)

    report = library.run()

    assert (report.added, report.failed) == (49, [])
    space, rows = ToySpace(), library.live_rows()
    options = read_options(library.settings, space)
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        for item in view.items():
            reading = read(Path(os.fsdecode(item.path)), options)
            parts = list(reading.parts)
            segments = view.segments(items=[item.id])
            stored = np.stack([rows[int(segment)] for segment in segments])
            assert np.abs(space.encode([part.sample for part in parts]) - stored).max() < 1e-3
            hits = view.hits(segments.tolist())
            assert [hits[int(key)].start_s for key in segments] == [part.start_s for part in parts]
            for name, value in reading.facts.items():
                assert item.facts[name] == pytest.approx(value)


def when(clock: HandClock, done: int, mark: Path | None = None) -> Callable[[Progress], None]:
    """A hook of a run: when so many files are done and the mark is there, the rest is late."""

    def hook(now: Progress) -> None:
        if sum(now.done.values()) == done and (mark is None or mark.exists()):
            clock.now_s += 61.0

    return hook


@pytest.mark.usefixtures("told")
def test_files_that_end_their_worker_fail_alone_and_are_not_tried_again(
    library: Library, make: Make, clock: HandClock
) -> None:
    for number in range(6):
        make["picture"](library.media / f"good-{number}.png", number)
    for number, name in enumerate(("abort", "hang", "eat")):
        make["picture"](library.media / f"{name}.png", 100 + number)
    with_index(library, workers=2)

    first, second = library.run(progress=when(clock, 8)), library.run()

    found = [(failure.path.rsplit(b"/")[-1], failure.kind) for failure in first.failed]
    assert found == [(b"abort.png", "crash"), (b"eat.png", "memory"), (b"hang.png", "timeout")]
    assert (first.added, second.added, second.unchanged) == (6, 0, 6)
    assert [failure.known for failure in second.failed] == [True] * 3
    assert len(library.live_rows()) == 6


@pytest.mark.usefixtures("told")
def test_what_ends_a_worker_once_all_parts_were_read_costs_the_preview_alone(
    library: Library, make: Make, clock: HandClock
) -> None:
    for number, name in enumerate(("good", "late-abort", "late-hang")):
        make["picture"](library.media / f"{name}.png", number)
    make["sound"](library.media / "late-abort.wav", 25, 1)
    with_index(library, workers=2)

    late = when(clock, 3, library.media / "late-hang.png.mark")

    first, second = library.run(progress=late), library.run()

    assert (first.added, first.failed, first.no_preview) == (4, [], 3)
    assert (second.added, second.unchanged) == (0, 4)
    assert len(library.live_rows()) > 4  # a sound has several


@pytest.mark.usefixtures("told")
def test_the_same_content_is_read_once_however_many_files_have_it(
    library: Library, make: Make
) -> None:
    first = make["picture"](library.media / "noted-0.png", 1)
    for number in range(1, 20):
        shutil.copyfile(first, library.media / f"noted-{number}.png")

    report = library.run()

    assert report.added == 20
    assert len(library.live_rows()) == 1
    assert [path.read_text() for path in library.media.glob("*.read")] == ["x"]


@pytest.mark.usefixtures("told")
def test_a_copy_is_read_for_itself_when_the_file_that_was_read_failed(
    library: Library, make: Make
) -> None:
    first = make["picture"](library.media / "abort.png", 1)
    shutil.copyfile(first, library.media / "fine.png")
    shutil.copyfile(first, library.media / "fine too.png")

    report = library.run()

    assert [failure.path for failure in report.failed] == [bytes(first)]
    assert report.added == 2
    assert len(library.live_rows()) == 1


@pytest.mark.usefixtures("told")
def test_a_slow_file_does_not_hold_up_the_others(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.batch.COMMIT_AFTER_S", 0.1)
    make["picture"](library.media / "slow-2.0-a.png", 0)
    for number in range(5):
        make["picture"](library.media / f"z{number}.png", 1 + number)
    (library.media / "zz.png").write_bytes(b"no picture")
    with_index(library, workers=2)
    there: list[int] = []

    def look(progress: Progress) -> None:
        if progress.done.get("image", 0) == 6:
            with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
                there.append(len(view.items()))

    report = library.run(progress=look)

    assert there[-1] == 5  # long before the slow one
    assert report.added == 6


@pytest.mark.usefixtures("told")
def test_failures_are_told_in_the_order_of_the_files(
    library: Library, make: Make, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.batch.COMMIT_AFTER_S", 0.1)
    make["picture"](library.media / "a" / "hang.png", 1)
    for name in ("b", "c", "d"):
        (library.media / f"{name}.png").write_bytes(b"no picture")
    with_index(library, workers=2)

    report = library.run(progress=when(clock, 3))

    names = [failure.path.rsplit(b"/")[-1] for failure in report.failed]
    assert names == [b"b.png", b"c.png", b"d.png", b"hang.png"]


def test_texts_alone_start_no_worker(library: Library, make: Make) -> None:
    from indexer.holder import Pools

    for number in range(5):
        make["text"](library.media / f"{number}.txt", f"Story number {number}")
    started: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.pool.Child", started.append)
        patch.setattr("indexer.holder.Pools", Pools.__mro__[1])
        assert library.run().added == 5

    assert started == []


def test_the_number_of_workers_leaves_a_core_for_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for cores in (1, 2, 8, 64):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, n=cores: range(n), raising=False)
        found.append(workers_of(0))

    assert found == [1, 2, 7, 16]
    assert workers_of(3) == 3


STOPPED = """
    import signal, sys, time
    from pathlib import Path
    import indexer.flow
    from indexer import Indexer
    from tests.indexer import tasks
    from unisearch.config import Settings

    def told(progress):
        print("done", sum(progress.done.values()), flush=True)

    indexer.flow.decode = tasks.decode_as_told
    # Who starts us in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings = Settings(library=sys.argv[1], space="toy", index={"workers": 2, "timeout_s": 600})
    try:
        Indexer(settings=settings).run(Path(sys.argv[2]), progress=told)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def test_ctrl_c_stores_what_was_read_and_waits_for_no_worker(
    library: Library, make: Make, tmp_path: Path
) -> None:
    for number in range(4):
        make["picture"](library.media / f"good-{number}.png", number)
    for number in range(6):
        make["picture"](library.media / f"hang-{number}.png", 50 + number)
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(STOPPED))
    command = [sys.executable, str(script), str(library.path), str(library.media)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, "."]))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "done 4\n":
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()  # a worker hangs for 600 s
        process.wait(timeout=60)

    assert rest.endswith("stopped\n")
    assert library.names() == [f"good-{number}.png" for number in range(4)]
    for path in library.media.glob("hang-*"):
        path.rename(path.with_name(path.name.replace("hang", "more")))
    assert library.run().added == 6
