"""Stopping a run at any instant leaves a library that is right, and the next run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import Indexer, Progress

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]

KILLED = """
    import os, signal, sys
    from pathlib import Path
    import unisearch.index.durable as durable
    from unisearch.catalog.write import Writing
    from indexer import Indexer
    from unisearch.config import Settings

    library, media, where, count = *map(Path, sys.argv[1:3]), sys.argv[3], int(sys.argv[4])

    def dying(original, before):
        def call(*given, **named):
            global count
            count -= 1
            if before and count == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            done = original(*given, **named)
            if count == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        return call

    if where == "append":
        import unisearch.index.rows as rows
        rows.append = dying(rows.append, before=False)
    elif where == "fsync":
        os.fsync = dying(os.fsync, before=True)
    else:
        Writing.collect = dying(Writing.collect, before=False)
    settings = Settings(library=library, space="toy", index={"commit_every": 2})
    Indexer(settings=settings).run([media])
"""


def run_and_die(library: Library, where: str, count: int) -> int:
    code = textwrap.dedent(KILLED)
    arguments = [str(library.path), str(library.media), where, str(count)]
    return subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode


@pytest.mark.parametrize(
    ("where", "count"),
    [("append", 1), ("append", 4), ("fsync", 3), ("collect", 2)],
)
def test_a_killed_run_leaves_a_right_library_and_the_next_one_goes_on(
    library: Library, make: Make, where: str, count: int
) -> None:
    library.fill()
    make["text"](library.media / "a.txt", "An early text")
    make["text"](library.media / "zz" / "z.txt", "A late text")

    assert run_and_die(library, where, count) == -9

    committed = len(library.live_rows())
    report = library.run()
    assert report.added + report.unchanged == 6
    assert report.unchanged <= committed
    assert len(library.live_rows()) == 6


def test_a_kill_while_files_are_replaced_keeps_every_committed_row(
    library: Library, make: Make
) -> None:
    library.fill()
    library.run()
    before = library.live_rows()
    make["text"](library.media / "note.txt", "Other words")
    make["picture"](library.media / "photos" / "beach.png", 77)

    assert run_and_die(library, "collect", 1) == -9

    after = library.live_rows()
    assert before.keys() == after.keys()
    assert all((before[key] == after[key]).all() for key in before)
    assert library.run().updated == 2


def test_an_interrupted_run_keeps_what_it_has_and_goes_on_later(library: Library) -> None:
    library.fill()

    def interrupt(progress: Progress) -> None:
        if sum(progress.done.values()) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.run(progress=interrupt)

    assert len(library.live_rows()) == 3
    report = library.run()
    assert (report.added, report.unchanged) == (1, 3)


def test_an_interruption_inside_the_network_loses_only_unfinished_files(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()

    def encode(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("unisearch.spaces.toy.ToySpace.encode_prepared", encode)
        with pytest.raises(KeyboardInterrupt):
            library.run()

    assert library.live_rows() == {}
    assert library.run().added == 4


def test_a_reader_in_another_process_sees_each_commit(library: Library, make: Make) -> None:
    library.fill()
    code = """
        import sys
        from pathlib import Path
        from unisearch.config import Settings
        from unisearch.wiring import open_rooms

        rooms = open_rooms(Settings(library=Path(sys.argv[1]), space="toy"))
        partition = rooms.partition("image")
        for line in sys.stdin:
            with rooms.catalog.view() as view:
                state = view.partitions("toy-1")["image"]
                reader = partition.at(state, lambda: view.blocks("toy-1", "image"))
                print(reader.keys().tolist(), flush=True)
    """
    with Indexer(settings=library.settings) as indexer:
        indexer.run([library.media])
        command = [sys.executable, "-c", textwrap.dedent(code), str(library.path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None

            def ask() -> str:
                reader.stdin.write("\n")  # type: ignore[union-attr]
                reader.stdin.flush()  # type: ignore[union-attr]
                return reader.stdout.readline().strip()  # type: ignore[union-attr]

            first = ask()
            make["picture"](library.media / "second.png", 2)
            indexer.run([library.media])
            second = ask()
            indexer.forget(library.media / "photos")
            third = ask()
            reader.stdin.close()

    keys = [json.loads(answer) for answer in (first, second, third)]
    assert [len(found) for found in keys] == [1, 2, 1]
    assert keys[2] == keys[1][1:]
