from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged
from unisearch.index import durable
from unisearch.index.compact import copy_live
from unisearch.index.rows import BLOCK_ROWS, RowFiles
from unisearch.records import PartitionState

UnitRows = Callable[..., NDArray[np.float32]]
COUNT = 5 * BLOCK_ROWS + 100


@pytest.fixture
def files(tmp_path: Path) -> RowFiles:
    return RowFiles(tmp_path, "toy-1", "image", 16)


def state_of(dead: NDArray[np.int64], count: int = COUNT) -> PartitionState:
    return PartitionState(0, count, dead.astype(np.int64))


def test_a_new_epoch_holds_the_live_rows_bit_by_bit(files: RowFiles, unit_rows: UnitRows) -> None:
    blocks = files.append(0, 0, np.arange(COUNT) * 3, unit_rows(COUNT))
    random = np.random.default_rng(1)
    dead = np.sort(random.choice(COUNT, COUNT // 3, replace=False))
    dead = np.union1d(dead, np.arange(BLOCK_ROWS, 2 * BLOCK_ROWS))  # a block without a live row

    count, sealed = copy_live(files, state_of(dead), blocks, epoch=7)

    live = np.delete(np.arange(COUNT), dead)
    old, new = files.open(0, COUNT), files.open(7, count)
    assert count == len(live)
    assert np.array_equal(new.keys, old.keys[live])
    assert new.vectors.tobytes() == old.vectors[live].tobytes()
    assert files.verify(7, count, sealed) == []
    assert files.keys_path(7).stat().st_size == 8 * count


def test_a_partition_whose_rows_are_all_dead_becomes_empty(
    files: RowFiles, unit_rows: UnitRows
) -> None:
    blocks = files.append(0, 0, np.arange(10), unit_rows(10))

    assert copy_live(files, state_of(np.arange(10), 10), blocks, epoch=1) == (0, [])

    assert list(files.stored()) == [0]


@pytest.mark.parametrize("suffix", ["keys", "f16"])
def test_damage_is_never_copied_as_right(files: RowFiles, unit_rows: UnitRows, suffix: str) -> None:
    blocks = files.append(0, 0, np.arange(COUNT), unit_rows(COUNT))
    path = files.folder / f"0.{suffix}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)

    with pytest.raises(LibraryDamaged, match="block 2 differs from its checksum"):
        copy_live(files, state_of(np.arange(5)), blocks, epoch=1)


def test_rows_without_a_checksum_are_not_copied(files: RowFiles, unit_rows: UnitRows) -> None:
    blocks = files.append(0, 0, np.arange(COUNT), unit_rows(COUNT))

    with pytest.raises(LibraryDamaged, match="block 4 differs from its checksum"):
        copy_live(files, state_of(np.arange(5)), [*blocks[:4], blocks[5]], epoch=1)


class Forgetful(durable.Disk):
    """A disk that says yes and keeps something else."""

    def sync(self, handle: int) -> None:
        self.write(handle, 5, b"\x01")
        super().sync(handle)


def test_what_the_disk_did_not_keep_is_noticed_before_the_old_epoch_goes(
    files: RowFiles, unit_rows: UnitRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = files.append(0, 0, np.arange(10), unit_rows(10))
    monkeypatch.setattr(durable, "disk", Forgetful())

    with pytest.raises(LibraryDamaged, match="did not keep"):
        copy_live(files, state_of(np.arange(5), 10), blocks, epoch=1)
