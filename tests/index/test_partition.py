from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, UnknownName
from unisearch.index.partition import Partition
from unisearch.index.rows import RowFiles
from unisearch.index.table import BACKENDS
from unisearch.records import PartitionState

UnitRows = Callable[..., NDArray[np.float32]]


@pytest.fixture
def files(tmp_path: Path) -> RowFiles:
    return RowFiles(tmp_path, "toy-1", "image", 16)


def state(epoch: int, count: int, *dead: int) -> PartitionState:
    return PartitionState(epoch, count, np.array(dead, np.int64))


def test_a_partition_holds_the_live_rows(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(5)
    files.append(0, 0, np.arange(10, 15), rows)
    partition = Partition(files)

    partition.refresh(state(0, 4, 1))

    assert len(partition) == 3
    assert list(partition.keys()) == [10, 12, 13]
    assert partition.search(rows[2][None], k=1)[0][0].key == 12
    assert np.isnan(partition.scores(rows[:1], np.array([11, 14]))).all()
    assert partition.vectors(np.array([13])) == pytest.approx(rows[3][None], abs=1e-3)


def test_refresh_reads_only_new_rows(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(4)
    files.append(0, 0, np.arange(2), rows[:2])
    partition = Partition(files)
    partition.refresh(state(0, 2))
    files.append(0, 2, np.arange(2, 4), rows[2:])
    # What was read once is not looked at again: damage there goes unseen here.
    data = bytearray(files.keys_path(0).read_bytes())
    data[0] = 99
    files.keys_path(0).write_bytes(data)

    partition.refresh(state(0, 4, 1))

    assert list(partition.keys()) == [0, 2, 3]
    assert len(partition) == 3


def test_an_unchanged_state_opens_no_file(files: RowFiles, unit_rows: UnitRows) -> None:
    files.append(0, 0, np.arange(2), unit_rows(2))
    partition = Partition(files)
    partition.refresh(state(0, 2))
    files.keys_path(0).unlink()

    partition.refresh(state(0, 2, 0))

    assert list(partition.keys()) == [1]


def test_a_new_epoch_replaces_everything(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(4)
    files.append(0, 0, np.arange(4), rows)
    files.append(1, 0, np.array([3, 1]), rows[[3, 1]])
    partition = Partition(files)
    partition.refresh(state(0, 4, 0, 2))

    partition.refresh(state(1, 2))

    assert list(partition.keys()) == [1, 3]
    assert partition.search(rows[3][None], k=1)[0][0].key == 3


def test_a_row_written_anew_replaces_its_dead_one(files: RowFiles, unit_rows: UnitRows) -> None:
    old, new = unit_rows(2)
    files.append(0, 0, np.array([5]), old[None])
    partition = Partition(files)
    partition.refresh(state(0, 1))
    files.append(0, 1, np.array([5]), new[None])

    partition.refresh(state(0, 2, 0))

    fresh = Partition(files)
    fresh.refresh(state(0, 2, 0))
    for each in (partition, fresh):
        assert list(each.keys()) == [5]
        assert each.scores(new[None], np.array([5]))[0, 0] == pytest.approx(1, abs=1e-3)


def test_rows_that_are_lost_are_said_to_be(files: RowFiles, unit_rows: UnitRows) -> None:
    files.append(0, 0, np.arange(2), unit_rows(2))

    with pytest.raises(LibraryDamaged, match="rows are lost"):
        Partition(files).refresh(state(0, 3))


def test_the_backend_comes_from_the_table(files: RowFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BACKENDS, "flat")

    with pytest.raises(UnknownName, match="unknown index backend 'flat'"):
        Partition(files)
