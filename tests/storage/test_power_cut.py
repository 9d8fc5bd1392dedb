"""The power may go at any moment: whatever was not synced may be lost, and the library is right."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.storage.disk import Commit, Event, Recorder, after_power_cut
from tests.storage.store import Store, check, check_clean
from unisearch.errors import LibraryError
from unisearch.index import durable

Record = Callable[..., list[Event]]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Records the life of a library, made, filled, emptied in part, indexed and compacted."""

    def run(deaf: Callable[[str], bool] = lambda _: False) -> list[Event]:
        folder = tmp_path / "recorded"
        folder.mkdir()
        recorder = Recorder(folder, deaf)
        monkeypatch.setattr(durable, "disk", recorder)
        recorder.expected = {}
        with recorder.commits(monkeypatch):
            _live(Store(folder), recorder)
        monkeypatch.undo()
        shutil.rmtree(folder)
        return recorder.events

    return run


def _live(store: Store, recorder: Recorder) -> None:
    files: dict[str, int] = {}

    def add(first: int, count: int) -> None:
        new = {f"{number}.bin": number for number in range(first, first + count)}
        files.update(new)
        recorder.expected = dict(files)
        store.add(new)

    def remove(step: int) -> None:
        gone = sorted(files)[::step]
        for name in gone:
            del files[name]
        recorder.expected = dict(files)
        store.remove(gone)

    add(1, 30)
    add(31, 5)
    add(36, 120)
    store.snapshot()
    remove(3)
    store.compact()
    add(200, 40)
    store.snapshot()
    files["moved.bin"] = files.pop("31.bin")
    recorder.expected = dict(files)
    store.move("31.bin", "moved.bin")
    add(300, 60)
    store.snapshot()
    remove(2)
    store.compact()
    store.close()


def cases(events: list[Event], number: int) -> list[tuple[int, int]]:
    """(events, seed) of power cuts, spread over the run from its first commit on."""
    first = next(at for at, event in enumerate(events) if isinstance(event, Commit))
    ends = range(first + 1, len(events) + 1)
    chance = random.Random(7)
    if number < len(ends):
        return [(end, end) for end in sorted(chance.sample(ends, number))]
    return [(end, number * end + again) for end in ends for again in range(number // len(ends) + 1)]


def survive(events: list[Event], chosen: list[tuple[int, int]], folder: Path) -> int:
    """Examine the library after each of these power cuts, as a reader and as a writer."""
    for end, seed in chosen:
        library = folder / f"{end}-{seed}"
        expected = after_power_cut(events[:end], seed, library)
        check(library, expected)
        store = Store(library)
        check_clean(library)
        after = {**expected, "new.bin": 4_001, "more.bin": 4_002}
        store.add({"new.bin": 4_001, "more.bin": 4_002})
        store.close()
        check(library, after)
        shutil.rmtree(library)
    return len(chosen)


def test_a_power_cut_leaves_a_right_library(record: Record, tmp_path: Path) -> None:
    events = record()

    assert survive(events, cases(events, 60), tmp_path) == 60


@pytest.mark.parametrize("deaf_for", [".f16", ".keys", "folder"])
def test_a_disk_that_lies_about_syncs_is_found_out(
    record: Record, tmp_path: Path, deaf_for: str
) -> None:
    """The test itself is tested: without one of the syncs a library does not survive."""
    events = record(deaf=lambda what: what == deaf_for)

    with pytest.raises((AssertionError, LibraryError)):
        survive(events, cases(events, 60), tmp_path)


@pytest.mark.soak
def test_a_power_cut_at_every_moment_leaves_a_right_library(record: Record, tmp_path: Path) -> None:
    events = record()

    assert survive(events, cases(events, 1_000), tmp_path) >= 1_000
