"""A building that is killed goes on exactly where it was; the daemon builds when it has time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from indexer import Indexer
from tests.conftest import CHECKOUT
from tests.indexer.conftest import Library, picture, sound, text
from tests.indexer.test_building import healthy, rows_of, segments, states
from tests.indexer.watch.daemons import Daemon, until
from tests.second import second
from unisearch.wiring import open_rooms

__all__ = ["second"]
pytestmark = pytest.mark.usefixtures("second")

#: Adds a space and builds it; each vector that is computed leaves a byte in a file of its own.
#: It is killed so many seconds after the first of them, if any are given.
BUILD = """
    import os, signal, sys, threading, time
    from pathlib import Path
    from indexer import Indexer, building
    from tests.second import Second, register
    from unisearch.config import Settings

    encode = Second.encode_prepared
    end = threading.Timer(float(sys.argv[3]), lambda: os.kill(os.getpid(), signal.SIGKILL))
    end.daemon = True

    def counted(self, batch):
        if end.interval and end.ident is None:
            end.start()
        time.sleep(0.004 * len(batch))
        with Path(sys.argv[2]).open("ab") as file:
            file.write(b"." * len(batch))
        return encode(self, batch)

    if __name__ == "__main__":
        register()
        Second.encode_prepared = counted
        building.COMMIT_AFTER_S = 0.05
        with Indexer(settings=Settings(library=Path(sys.argv[1]), space="toy")) as indexer:
            indexer.add_space("second")
            indexer.build()
"""
HERE = {"PYTHONPATH": str(CHECKOUT)}
#: What a kill may cost: what waits for its commit behind a file that is still being read.
IN_FLIGHT = 4 * 16


def build_and_die(library: Library, encoded: Path, life_s: float = 0.0) -> int:
    """The exit status of a building that is killed when it has lived so long; 0: never."""
    script = library.path.parent / "build.py"
    script.write_text(textwrap.dedent(BUILD))
    command = [sys.executable, script, library.path, encoded, str(life_s)]
    return subprocess.run(command, env=os.environ | HERE, check=False).returncode


def kill_again_and_again(library: Library, kills: int, life_s: float) -> None:
    encoded = library.path.parent / "encoded"
    chance, killed = random.Random(5), 0
    before, items = library.live_rows(), library.items()
    while killed < kills and build_and_die(library, encoded, life_s * (0.1 + chance.random())) != 0:
        killed += 1
    assert killed == kills
    assert states(library)["second-1"] == "building"
    assert build_and_die(library, encoded) == 0

    assert states(library) == {"toy-1": "active", "second-1": "active"}
    assert library.items() == items
    rows = rows_of(library, "second-1")
    assert rows.keys() == before.keys()
    for segment, path in paths_of(library).items():
        if path.endswith((b".txt", b".png")):
            assert np.abs(rows[segment] + before[segment][::-1]).max() < 2e-3
    assert len(rows) <= encoded.stat().st_size <= len(rows) + killed * IN_FLIGHT
    healthy(library)


def paths_of(library: Library) -> dict[int, bytes]:
    """The file of each segment."""
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        hits = view.hits(view.segments().tolist())
    return {segment: hit.path for segment, hit in hits.items()}


def fill(library: Library, count: int) -> None:
    for number in range(count):
        text(library.media / f"{number}.txt", f"Story number {number}")
        picture(library.media / f"{number}.png", number)
    sound(library.media / "long.wav", 31, 1)
    library.run()


def test_a_building_that_is_killed_goes_on_exactly(library: Library) -> None:
    fill(library, 100)

    kill_again_and_again(library, kills=3, life_s=0.2)  # it takes 0.8 s at least


@pytest.mark.soak
def test_fifty_kills_of_a_building_change_nothing(library: Library) -> None:
    fill(library, 1_500)

    kill_again_and_again(library, kills=50, life_s=0.5)


class WithSecond(Daemon):
    """A daemon that knows the spaces of the tests."""

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.second", "watch", os.fspath(self.library.media)]
        command += ["--library", os.fspath(self.library.path), "--config", os.fspath(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, env=os.environ | HERE)


def test_the_daemon_goes_on_with_a_building_and_news_come_first(library: Library) -> None:
    fill(library, 30)
    with Indexer(settings=library.settings) as indexer:
        indexer.add_space("second")
    with WithSecond(library) as daemon:
        text(library.media / "new.txt", "A new story")
        until(lambda: "new.txt" in library.names())
        until(lambda: states(library)["second-1"] == "active")
        until(lambda: sorted(rows_of(library, "second-1")) == segments(library))
        added = subprocess.run(
            [*(sys.executable, "-m", "tests.second", "spaces", "add", "pictures", "--wait"),
             *("--library", library.path, "--config", daemon.config)],
            capture_output=True, check=False, env=os.environ | HERE,
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        assert b"pictures-1: active" in added.stderr
        assert daemon.end(signal.SIGTERM) == 0

    assert set(states(library).values()) == {"active"}
    healthy(library)
