"""A bulk run that is killed again and again ends with the library of an undisturbed one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.config import Settings
from unisearch.wiring import open_rooms
from unisearch.world.concepts import CONCEPTS
from unisearch.world.library import make_library

COMMIT_EVERY, BATCH = 12, 8
#: Indexes a folder; each vector that is computed leaves a byte in a file of its own.
RUN = f"""
    import sys
    from pathlib import Path
    from indexer import Indexer
    from unisearch.config import Settings
    from unisearch.spaces.toy import ToySpace

    encode = ToySpace.encode_prepared

    def counted(self, batch):
        with Path(sys.argv[3]).open("ab") as file:
            file.write(b"." * len(batch))
        return encode(self, batch)

    if __name__ == "__main__":
        ToySpace.encode_prepared = counted
        index = {{"commit_every": {COMMIT_EVERY}, "batch": {BATCH}}}
        settings = Settings(library=Path(sys.argv[1]), space="toy", index=index)
        print("begins", flush=True)
        Indexer(settings=settings).run(Path(sys.argv[2]))
"""


class Bulk:
    """A folder of media, and runs over it into a library in processes of their own."""

    def __init__(self, folder: Path, concepts: int, per_concept: int) -> None:
        names = sorted(CONCEPTS)[:concepts]
        self.files = make_library(folder / "media", concepts=names, per_concept=per_concept)
        self.media = folder / "media"
        self.script = folder / "run.py"
        self.script.write_text(textwrap.dedent(RUN))
        self.encoded = folder / "encoded"

    def run(self, library: Path, life_s: float | None = None) -> int:
        """A run that is killed when it has lived so long; its exit status."""
        command = [sys.executable, self.script, library, self.media, self.encoded]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                return process.wait(life_s or 600)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()


def vectors(library: Path) -> Iterator[tuple[bytes, NDArray[np.float32]]]:
    """Each file of the library with the vectors of its segments."""
    with open_rooms(Settings(library=library, space="toy")) as rooms, rooms.catalog.view() as view:
        states = view.partitions("toy-1")
        readers = {
            name: rooms.partition(name).at(state, lambda name=name: view.blocks("toy-1", name))  # type: ignore[misc]
            for name, state in states.items()
        }
        for item in view.items():
            assert item.modality is not None
            yield item.path, readers[item.modality].vectors(view.segments(items=[item.id]))


def check_equal(library: Path, undisturbed: Path) -> int:
    """How many segments both have; raises where they differ."""
    found, wanted = dict(vectors(library)), dict(vectors(undisturbed))
    assert found.keys() == wanted.keys()
    for path, rows in wanted.items():
        assert found[path].shape == rows.shape
        assert np.abs(found[path] - rows).max() < 1e-3, path
    return sum(map(len, wanted.values()))


def kill_again_and_again(bulk: Bulk, folder: Path, kills: int, life_s: float) -> None:
    chance = random.Random(3)
    undisturbed = folder / "undisturbed"
    assert bulk.run(undisturbed) == 0
    bulk.encoded.unlink()

    library, killed, runs = folder / "library", 0, 0
    while killed < kills:
        library = folder / f"library{runs}"
        in_this = 0
        while (status := bulk.run(library, life_s * chance.random())) != 0:
            assert status == -signal.SIGKILL
            killed, in_this = killed + 1, in_this + 1
            if in_this > 12:  # killed often enough: let it come to its end
                assert bulk.run(library) == 0
                break
        segments = check_equal(library, undisturbed)
        # What a kill can cost: what was encoded, and waited for its commit or for its batch.
        most = segments + in_this * (COMMIT_EVERY + 2 * BATCH)
        assert segments <= bulk.encoded.stat().st_size <= most
        bulk.encoded.unlink()
        runs += 1


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, concepts=6, per_concept=1)

    kill_again_and_again(bulk, tmp_path, kills=3, life_s=0.9)


@pytest.mark.soak
def test_a_hundred_kills_of_bulk_runs_change_nothing(tmp_path: Path) -> None:
    bulk = Bulk(tmp_path, concepts=len(CONCEPTS), per_concept=1)

    kill_again_and_again(bulk, tmp_path, kills=100, life_s=3.0)
