"""A daemon beside storms of changes: nothing is embedded twice; in the end all is as on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer import Indexer
from tests.indexer.churn import Churn, Tree
from tests.indexer.test_kill_run import check_equal
from unisearch.config import Settings
from unisearch.errors import LibraryMissing
from unisearch.wiring import open_rooms

#: Each vector that is computed leaves a byte in a file.
WATCH = """
    import os
    from pathlib import Path
    from unisearch.spaces.toy import ToySpace

    encode = ToySpace.encode_prepared

    def counted(self, batch):
        with Path(os.environ["ENCODED"]).open("ab") as file:
            file.write(b"." * len(batch))
        return encode(self, batch)

    if __name__ == "__main__":
        ToySpace.encode_prepared = counted
        from unisearch.__main__ import main
        main()
"""
#: Asks until its stdin ends; prints how many answers came.
ASK = """
    import sys, threading
    from pathlib import Path
    from unisearch.config import Settings
    from unisearch.engine.engine import Engine
    from unisearch.wiring import open_rooms

    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    answers = 0
    with Engine(open_rooms(Settings(library=Path(sys.argv[1]), space="toy"))) as engine:
        print("begins", flush=True)
        while not ended.wait(0.05):
            hits = engine.search("words of 7", k=5)
            assert all(hit.path for hit in hits)
            answers += 1
    print(answers)
"""


class Watched:
    """A folder, its library, and the process that watches it."""

    def __init__(self, folder: Path) -> None:
        self.media, self.library = folder / "media", folder / "library"
        self.media.mkdir()
        self.settings = Settings(library=self.library, space="toy")
        self.encoded = folder / "encoded"
        self.said = folder / "said"
        self.script = folder / "watch.py"
        self.script.write_text(textwrap.dedent(WATCH))

    @contextmanager
    def watching(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, which must end well and soon after SIGTERM."""
        environment = {**os.environ, "ENCODED": os.fspath(self.encoded), "UNISEARCH_SPACE": "toy"}
        command = [sys.executable, self.script, "watch", self.media, "--library", self.library]
        with self.said.open("ab") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0, self.said.read_text()
        finally:
            process.kill()
            process.wait()

    def items(self) -> dict[bytes, tuple[int, int | None]]:
        """(item, content) by path."""
        try:
            with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
                return {item.path: (item.id, item.content) for item in view.items()}
        except LibraryMissing:
            return {}

    def wait_until(self, right: Callable[[], bool], limit_s: float) -> None:
        end = time.monotonic() + limit_s
        while not right():
            assert time.monotonic() < end, self.said.read_text()[-2_000:]
            time.sleep(0.2)

    def is_in_step(self) -> bool:
        """Whether the library holds the files of the folder, and no others."""
        there = {os.fsencode(path) for path in self.media.rglob("*") if path.is_file()}
        return self.items().keys() == there

    def fresh(self) -> Path:
        """A library that was made of the folder as it is now."""
        library = self.library.with_name("fresh")
        settings = self.settings.model_copy(update={"library": library})
        Indexer(settings=settings).run(self.media)
        return library

    def said_amiss(self) -> list[str]:
        """What the daemon said of errors."""
        lines = self.said.read_text().splitlines()
        return [line for line in lines if "error" in line.lower() or "Traceback" in line]


def rename_storm(folder: Path, files: int, folders: int, events: int, limit_s: float) -> None:
    watched = Watched(folder)
    tree = Tree(watched.media, files, folders)
    with watched.watching():
        watched.wait_until(lambda: len(watched.items()) == files, limit_s)
        for number, _ in enumerate(tree.moves(events)):
            if number % 50 == 0:
                time.sleep(0.01)
        watched.wait_until(watched.is_in_step, limit_s)
        time.sleep(1)

    assert watched.encoded.stat().st_size == files, "something was embedded again"
    assert watched.said_amiss() == []
    assert check_equal(watched.library, watched.fresh()) == files


def test_a_storm_of_renames_embeds_nothing_again(tmp_path: Path) -> None:
    rename_storm(tmp_path, files=60, folders=6, events=600, limit_s=200)


@pytest.mark.soak
def test_a_hundred_thousand_renames_embed_nothing_again(tmp_path: Path) -> None:
    rename_storm(tmp_path, files=5_000, folders=100, events=100_000, limit_s=900)


def soak(folder: Path, seconds: float, per_second: float, limit_s: float) -> None:
    watched = Watched(folder)
    churn = Churn(watched.media)
    churn.go_on(0.5, 1_000)
    ask = [sys.executable, "-c", textwrap.dedent(ASK), watched.library]
    with watched.watching() as daemon:
        watched.wait_until(lambda: len(watched.items()) > 0, limit_s)
        with subprocess.Popen(ask, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
            assert asking.stdout is not None
            assert asking.stdout.readline() == b"begins\n"
            held = [held_by(daemon.pid)]
            done = 0
            for _ in range(4):
                done += churn.go_on(seconds / 4, per_second)
                if len(held) == 1:  # what later ones are compared with: it has read every kind
                    watched.wait_until(watched.is_in_step, limit_s)
                held.append(held_by(daemon.pid))
            watched.wait_until(watched.is_in_step, limit_s)
            answers = int(asking.communicate(timeout=120)[0])
        time.sleep(3)
        held.append(held_by(daemon.pid))
    print(f"{done} changes, {answers} answers, (MB, descriptors): {held}")

    assert answers > 0
    assert watched.said_amiss() == []
    assert held[-1][1] <= held[1][1] + 8, f"descriptors: {held}"
    assert held[-1][0] <= 1.3 * held[1][0] + 30, f"memory: {held}"
    assert check_equal(watched.library, watched.fresh()) > 0


def held_by(process: int) -> tuple[int, int]:
    """(anonymous memory in MB, descriptors) of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    memory = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(memory.split()[1]) // 1_024, len(list(Path(f"/proc/{process}/fd").iterdir()))


def test_a_restless_folder_ends_as_a_fresh_index_of_it(tmp_path: Path) -> None:
    soak(tmp_path, seconds=3, per_second=50, limit_s=200)


@pytest.mark.soak
def test_half_an_hour_of_changes_ends_as_a_fresh_index(tmp_path: Path) -> None:
    soak(tmp_path, seconds=1_800, per_second=50, limit_s=600)
