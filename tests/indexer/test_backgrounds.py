"""When the library's own background is drawn, and from what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer import Indexer, backgrounds
from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.rows import PartitionRow
from unisearch.wiring import open_rooms

from .conftest import Library

Make = dict[str, Callable[..., Path]]


def extent(count: int, dead: int = 0, epoch: int = 0) -> PartitionRow:
    return PartitionRow(1, "toy-1", 64, "image", epoch, count, dead)


def drawn(count: int, dead: int = 0, epoch: int = 0) -> BackgroundRow:
    return BackgroundRow(1, "toy-1", "image", 64, epoch, count, dead, 3, b"", min(count, 1024))


@pytest.mark.parametrize(
    ("now", "stored", "due"),
    [
        (extent(0), None, False),
        (extent(1), None, True),
        (extent(3, dead=3), None, False),
        (extent(199), drawn(100), False),
        (extent(200), drawn(100), True),
        (extent(100, dead=99), drawn(100), False),
        (extent(150, dead=50), drawn(100), True),
        (extent(90, epoch=1), drawn(100), True),
    ],
)
def test_it_is_drawn_again_when_as_much_changed_as_there_was(
    now: PartitionRow, stored: BackgroundRow | None, due: bool
) -> None:
    assert backgrounds.is_due(now, stored) is due


def test_each_live_row_is_drawn_about_equally_often_and_no_dead_one() -> None:
    dead = np.array([0, 1, 5, 2998, 2999], np.int64)
    times = np.zeros(3_000 + 300, int)

    for count in range(3_000, 3_300):
        times[backgrounds.live_places(extent(count), dead)] += 1

    assert times[dead].sum() == 0
    inner = np.delete(times[:3_000], dead)
    assert inner.min() > 60
    assert inner.max() < 140
    assert np.array_equal(
        backgrounds.live_places(extent(4), np.array([1], np.int64)), np.array([0, 2, 3])
    )


def test_kinds_are_counted_not_rows() -> None:
    numbers = np.random.default_rng(0)
    kinds = numbers.normal(size=(5, 64))
    rows = np.repeat(kinds, 20, axis=0) + 0.01 * numbers.normal(size=(100, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    assert backgrounds.count_kinds(rows.astype(np.float16)) == 5


def test_a_run_draws_one_of_each_modality_from_its_live_rows(library: Library) -> None:
    library.fill()

    library.run()

    live = library.live_rows()
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        found = {row.modality: view.background_sample(row) for row in view.backgrounds("toy-1")}
    assert sorted(found) == ["3d", "audio", "image", "text"]
    stored = {row.tobytes() for row in live.values()}
    assert {row.tobytes() for sample in found.values() for row in sample} == stored


def test_what_is_forgotten_can_be_taken_out_at_once(library: Library, make: Make) -> None:
    for seed in range(6):
        make["picture"](library.media / f"{seed}.png", seed)
    library.run()
    lost = library.item("0.png")
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        [segment] = view.segments(items=[lost.id])
    vector = library.live_rows()[int(segment)].tobytes()

    Indexer(settings=library.settings).forget(library.media / "0.png")
    with open_rooms(library.settings, write=True) as rooms, rooms.catalog.write() as tx:
        for partition in tx.all_partitions():
            backgrounds.renew(tx, library.path, partition, force=True)

    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        [row] = view.backgrounds()
        assert vector not in view.background_sample(row).tobytes()
        assert row.rows == 5


def test_the_last_file_takes_the_background_with_it(library: Library, make: Make) -> None:
    make["picture"](library.media / "only.png", 1)
    library.run()

    Indexer(settings=library.settings).forget(library.media / "only.png")

    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.backgrounds() == []
