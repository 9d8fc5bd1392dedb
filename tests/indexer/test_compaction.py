"""Compaction drops dead rows and nothing else; a writer clears away what a killed one left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Indexer, compaction
from indexer.compaction import compact, is_due
from unisearch.catalog.rows import PartitionRow
from unisearch.errors import LibraryDamaged, LibraryError
from unisearch.index import durable
from unisearch.wiring import open_rooms, row_files

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


@pytest.fixture
def half_dead(library: Library, make: Make) -> Library:
    """A library of ten pictures, five of which are forgotten."""
    for number in range(10):
        make["picture"](library.media / f"{number}.png", number)
    library.run()
    for number in range(0, 10, 2):
        (library.media / f"{number}.png").unlink()
    library.run()
    return library


def compact_all(library: Library, *, force: bool = True) -> list[bool]:
    with open_rooms(library.settings, write=True) as rooms:
        with rooms.catalog.view() as view:
            partitions = view.all_partitions()
        return [compact(rooms, partition, force=force) for partition in partitions]


def files_of(library: Library) -> list[str]:
    return sorted(path.name for path in (library.path / "vectors").rglob("*.*") if path.is_file())


def test_live_rows_stay_as_they_are_and_dead_ones_go(half_dead: Library) -> None:
    before = half_dead.live_rows()

    assert compact_all(half_dead) == [True]

    after = half_dead.live_rows()
    assert list(after) == list(before)
    assert all((before[key] == after[key]).all() for key in before)
    assert files_of(half_dead) == ["1.f16", "1.keys"]
    assert (half_dead.path / "vectors/toy-1/image/1.keys").stat().st_size == 5 * 8
    with open_rooms(half_dead.settings) as rooms, rooms.catalog.view() as view:
        state = view.partitions("toy-1")["image"]
        assert (state.epoch, state.count, len(state.dead)) == (1, 5, 0)
        [background] = view.backgrounds("toy-1")
        assert (background.epoch, background.rows) == (1, 5)


def test_a_compacted_library_takes_new_files_and_forgets_old_ones(
    half_dead: Library, make: Make
) -> None:
    compact_all(half_dead)
    make["picture"](half_dead.media / "new.png", 77)

    assert half_dead.run().added == 1

    assert len(half_dead.live_rows()) == 6
    (half_dead.media / "1.png").unlink()
    assert half_dead.run().removed == 1
    assert len(half_dead.live_rows()) == 5
    assert compact_all(half_dead) == [True]
    assert len(half_dead.live_rows()) == 5


def test_a_partition_that_lost_everything_becomes_empty(library: Library, make: Make) -> None:
    make["picture"](library.media / "only.png", 1)
    library.run()
    Indexer(settings=library.settings).forget(library.media)

    assert compact_all(library) == [True]

    assert files_of(library) == []
    assert library.run().added == 1
    assert len(library.live_rows()) == 1


def test_without_dead_rows_nothing_is_written(library: Library, make: Make) -> None:
    make["picture"](library.media / "only.png", 1)
    library.run()

    assert compact_all(library) == [False]

    assert files_of(library) == ["0.f16", "0.keys"]


@pytest.mark.parametrize(
    ("count", "dead", "due"),
    [(100, 100, False), (3_000, 999, False), (3_000, 1_000, True), (10_000, 1_999, False),
     (10_000, 2_000, True)],
)  # fmt: skip
def test_a_fifth_of_the_rows_and_a_thousand_must_be_dead(count: int, dead: int, due: bool) -> None:
    assert is_due(PartitionRow(1, "toy-1", 16, "image", 0, count, dead)) is due


def test_few_dead_rows_are_left_alone(half_dead: Library) -> None:
    assert compact_all(half_dead, force=False) == [False]


def test_a_partition_with_damage_stays_as_it_is(
    half_dead: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = half_dead.path / "vectors/toy-1/image/0.f16"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(compaction, "DEAD_ROWS", 1)

    with pytest.raises(LibraryDamaged, match="block 0 differs"):
        compact_all(half_dead, force=True)
    with caplog.at_level(logging.WARNING):
        assert compact_all(half_dead, force=False) == [False]

    assert "not compacted" in caplog.text
    assert path.read_bytes() == data
    assert files_of(half_dead) == ["0.f16", "0.keys"]


def test_rows_that_died_during_the_copy_keep_the_old_epoch(
    half_dead: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = compaction.copy_live

    def slow(*given: object) -> object:
        done = copied(*given)  # type: ignore[arg-type]
        with open_rooms(half_dead.settings, write=True) as rooms, rooms.catalog.write() as tx:
            [partition] = tx.all_partitions()
            tx.bury(partition, np.array([1]))
        return done

    monkeypatch.setattr(compaction, "copy_live", slow)

    with pytest.raises(LibraryError, match="changed meanwhile"):
        compact_all(half_dead)

    assert "0.f16" in files_of(half_dead)


def test_a_writer_drops_what_a_killed_one_left(half_dead: Library) -> None:
    before = half_dead.live_rows()
    with open_rooms(half_dead.settings) as rooms, rooms.catalog.view() as view:
        [partition] = view.all_partitions()
        files = row_files(half_dead.path, partition)
        rows = np.array(files.open(0, 10).vectors)
    files.append(0, 10, np.arange(100, 110), rows)  # not committed
    files.append(1, 0, np.arange(10), rows)  # never switched to
    snapshots = half_dead.path / "index" / "toy-1" / "image"
    snapshots.mkdir(parents=True)
    (snapshots / ".3.faiss.4711.tmp").write_bytes(b"half of it")
    (snapshots / "2.json").write_bytes(b"{}")

    half_dead.run()

    assert files_of(half_dead) == ["0.f16", "0.keys"]
    assert files.keys_path(0).stat().st_size == 10 * 8
    assert files.vectors_path(0).stat().st_size == rows.nbytes
    assert not (snapshots / ".3.faiss.4711.tmp").exists()
    after = half_dead.live_rows()
    assert all((before[key] == after[key]).all() for key in before)


def test_where_committed_rows_are_missing_a_writer_removes_nothing(
    half_dead: Library, caplog: pytest.LogCaptureFixture
) -> None:
    folder = half_dead.path / "vectors/toy-1/image"
    (folder / "0.f16").rename(folder / "1.f16")

    with caplog.at_level(logging.WARNING):
        half_dead.run()

    assert "is missing: 10 rows are lost" in caplog.text
    assert files_of(half_dead) == ["0.keys", "1.f16"]


def test_a_full_disk_keeps_the_old_epoch(
    half_dead: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(durable.Disk):
        def write(self, handle: int, offset: int, data: bytes | memoryview) -> None:
            super().write(handle, offset, data[:10])
            raise OSError(28, "No space left on device")

    before = half_dead.live_rows()
    with monkeypatch.context() as patch:
        patch.setattr(durable, "disk", Full())
        with pytest.raises(LibraryError, match="no space left on device: free some space"):
            compact_all(half_dead)

    assert files_of(half_dead) == ["0.f16", "0.keys"]
    assert list(half_dead.live_rows()) == list(before)
    assert compact_all(half_dead) == [True]
