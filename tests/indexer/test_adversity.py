"""What happens to a computer while it indexes loses nothing, and has nothing embedded twice."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer
from tests.indexer import tasks
from tests.indexer.conftest import Library, picture, text
from tests.indexer.test_building import healthy
from unisearch.errors import LibraryError
from unisearch.records import Prepared
from unisearch.spaces.toy import ToySpace


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many parts were embedded, batch by batch."""
    counts: list[int] = []
    encode = ToySpace.encode_prepared

    def counted(self: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        counts.append(len(batch))
        return encode(self, batch)

    monkeypatch.setattr(ToySpace, "encode_prepared", counted)
    return counts


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, os.fspath(place)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", os.fspath(place)], check=True)


def small_disk(megabytes: int) -> tuple[str, ...]:
    return ("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs")


def test_a_worker_that_is_killed_costs_its_file_one_run_and_no_other_anything(
    library: Library, encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.flow.decode", tasks.decode_as_told)
    for number in range(12):
        picture(library.media / f"{'shot' if number % 4 == 2 else 'good'}-{number}.png", number)

    first, second = library.run(), library.run()

    assert (first.added, len(first.failed)) == (9, 3)
    assert all("shot" in os.fsdecode(failure.path) for failure in first.failed)
    assert (second.added, second.failed) == (3, [])
    assert sum(encoded) == len(library.live_rows()) == 12
    healthy(library)


def test_a_disk_that_fills_during_a_run_keeps_what_was_committed_and_the_next_run_goes_on(
    library: Library, encoded: list[int]
) -> None:
    for number in range(60):
        picture(library.media / f"{number}.png", number)
    index = library.settings.index.model_copy(update={"commit_every": 8})
    with mounted(library.path, *small_disk(2)):
        library.settings = library.settings.model_copy(update={"index": index})
        library.run(library.media / "0.png")
        filler = library.path / "filler"
        filler.write_bytes(bytes(os.statvfs(library.path).f_bavail * 4_096 - 300_000))

        with pytest.raises(LibraryError, match="no space left on device: free some space"):
            library.run()

        kept, spent = len(library.live_rows()), sum(encoded)
        filler.unlink()
        assert library.run().added == 60 - kept
        assert 0 < kept < 60
        assert sum(encoded) <= 60 + (spent - kept)
        assert len(library.live_rows()) == 60
        healthy(library)


def test_a_drive_that_is_unmounted_and_mounted_again_is_as_it_was(
    library: Library, tmp_path: Path, encoded: list[int]
) -> None:
    store = tmp_path / "store"
    with mounted(store, *small_disk(4)):
        picture(store / "beach.png", 1)
        text(store / "deep" / "note.txt", "The lighthouse stands on a rock")
        with mounted(library.media, "--bind", os.fspath(store)):
            library.run()
            before, items = library.live_rows(), library.items()

        without = library.run()

        assert without.removed == 0
        assert ["not mounted" in failure.message for failure in without.failed] == [True]
        assert library.items() == items
        with mounted(library.media, "--bind", os.fspath(store)):
            again = library.run()
    assert (again.unchanged, again.added, again.failed) == (2, 0, [])
    assert library.items() == items
    assert sum(encoded) == len(before) == len(library.live_rows())


def test_a_clock_that_is_set_back_by_a_day_misses_no_change(
    library: Library, encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    with Indexer(settings=library.settings) as indexer:
        indexer.run(library.media)
        set_back(monkeypatch, 86_400)
        note = text(library.media / "note.txt", "The lighthouse stands on a hill")
        new = picture(library.media / "new.png", 5)
        for path in (note, new):
            os.utime(path, (time.time(), time.time()))

        report = indexer.run(library.media)

        assert (report.added, report.updated, report.unchanged) == (1, 1, 3)
        assert indexer.run(library.media).unchanged == 5
        delays = indexer.meter.facts()["delay_s"].values()
        assert all(delay is None or delay >= 0 for delay in delays)
    assert sum(encoded) == 6
    assert len(library.live_rows()) == 5
    healthy(library)


def set_back(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """From now on the clock of the day shows less; the one that counts seconds goes on."""
    shown: Callable[[], float] = time.time
    shown_ns: Callable[[], int] = time.time_ns
    monkeypatch.setattr(time, "time", lambda: shown() - seconds)
    monkeypatch.setattr(time, "time_ns", lambda: shown_ns() - seconds * 10**9)
