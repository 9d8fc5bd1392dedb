from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, RowsGone, VectorError
from unisearch.index.halves import UNIT_TOLERANCE, to_halves
from unisearch.index.rows import BLOCK_ROWS, RowFiles

UnitRows = Callable[..., NDArray[np.float32]]


@pytest.fixture
def files(tmp_path: Path) -> RowFiles:
    return RowFiles(tmp_path, "toy-1", "image", 16)


def test_rows_come_back_in_the_order_they_were_added(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(5)

    files.append(0, 0, np.arange(3), rows[:3])
    files.append(0, 3, np.arange(3, 5), rows[3:])

    stored = files.open(0, 5)
    assert list(stored.keys) == [0, 1, 2, 3, 4]
    assert stored.vectors.dtype == np.float16
    assert np.abs(stored.vectors - rows).max() < 1e-3
    assert files.folder == files.folder.parents[1] / "toy-1" / "image"


def test_the_files_hold_plain_little_endian_numbers(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(2)

    files.append(3, 0, np.array([7, 258]), rows)

    assert (files.folder / "3.keys").read_bytes() == b"\x07" + bytes(7) + b"\x02\x01" + bytes(6)
    assert (files.folder / "3.f16").read_bytes() == rows.astype("<f2").tobytes()


def test_rows_behind_the_count_are_never_seen_and_are_overwritten(
    files: RowFiles, unit_rows: UnitRows
) -> None:
    rows = unit_rows(6)
    files.append(0, 0, np.arange(4), rows[:4])  # killed before its commit: only 2 count

    files.append(0, 2, np.array([70]), rows[5:])

    assert list(files.open(0, 3).keys) == [0, 1, 70]
    assert files.keys_path(0).stat().st_size == 3 * 8
    assert files.vectors_path(0).stat().st_size == 3 * 16 * 2


@pytest.mark.parametrize("suffix", ["keys", "f16"])
def test_a_file_shorter_than_the_count_is_damage_and_stays_as_it_is(
    files: RowFiles, unit_rows: UnitRows, suffix: str
) -> None:
    files.append(0, 0, np.arange(4), unit_rows(4))
    path = files.folder / f"0.{suffix}"
    os.truncate(path, path.stat().st_size - 1)
    before = path.read_bytes()

    with pytest.raises(LibraryDamaged, match="rows are lost"):
        files.append(0, 4, np.array([9]), unit_rows(1))
    with pytest.raises(LibraryDamaged, match="rows are lost"):
        files.open(0, 4)

    assert path.read_bytes() == before


def test_a_missing_file_is_damage_or_an_epoch_that_was_left(files: RowFiles) -> None:
    with pytest.raises(RowsGone, match="is missing: 4 rows"):
        files.open(0, 4)


def test_nothing_is_written_when_a_vector_is_wrong(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(3)
    broken, long = rows.copy(), rows.copy()
    broken[1, 0] = np.nan
    long[2] *= 1.01

    with pytest.raises(VectorError, match="vector 1 of 3 is not finite"):
        files.append(0, 0, np.arange(3), broken)
    with pytest.raises(VectorError, match="vector 2 of 3 is not of unit length"):
        files.append(0, 0, np.arange(3), long)
    with pytest.raises(VectorError, match="16 numbers"):
        files.append(0, 0, np.arange(3), rows[:, :8])

    assert not files.folder.exists()


def test_each_block_has_a_checksum_of_its_own(files: RowFiles, unit_rows: UnitRows) -> None:
    rows = unit_rows(2 * BLOCK_ROWS + 10)

    first = files.append(0, 0, np.arange(BLOCK_ROWS + 5), rows[: BLOCK_ROWS + 5])
    rest = np.arange(BLOCK_ROWS + 5, len(rows))
    second = files.append(0, BLOCK_ROWS + 5, rest, rows[BLOCK_ROWS + 5 :])

    assert [(block.block, block.rows) for block in first] == [(0, BLOCK_ROWS), (1, 5)]
    assert [(block.block, block.rows) for block in second] == [(1, BLOCK_ROWS), (2, 10)]
    assert files.verify(0, len(rows), [first[0], *second]) == []


@pytest.mark.parametrize("suffix", ["keys", "f16"])
def test_a_flipped_bit_is_found_in_its_block(
    files: RowFiles, unit_rows: UnitRows, suffix: str
) -> None:
    count = BLOCK_ROWS + 100
    blocks = files.append(0, 0, np.arange(count), unit_rows(count))
    path = files.folder / f"0.{suffix}"
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)

    assert files.verify(0, count, blocks) == [1]
    assert files.verify(0, count, blocks[:1]) == [1]
    with pytest.raises(LibraryDamaged, match="differ from their checksum"):
        files.append(0, count, np.array([9_999]), unit_rows(1), tail=blocks[1])


def test_a_lost_file_damages_every_block(files: RowFiles, unit_rows: UnitRows) -> None:
    blocks = files.append(0, 0, np.arange(10), unit_rows(10))
    files.vectors_path(0).unlink()

    assert files.verify(0, 10, blocks) == [0]


def test_find_gives_the_rows_of_keys(files: RowFiles, unit_rows: UnitRows) -> None:
    files.append(0, 0, np.array([2, 5, 7, 9]), unit_rows(4))

    assert list(files.find(0, 3, np.array([100, 7, 2, 9, 7, -1]))) == [0, 2]
    assert list(files.find(0, 0, np.array([2]))) == []


@pytest.mark.parametrize(
    ("keys", "told"), [([9, 10], "key 9 is not above 9"), ([12, 11], "key 11 is not above 12")]
)
def test_a_key_that_is_not_above_the_last_one_is_refused(
    files: RowFiles, unit_rows: UnitRows, keys: list[int], told: str
) -> None:
    blocks = files.append(0, 0, np.array([4, 9]), unit_rows(2))

    with pytest.raises(VectorError, match=told):
        files.append(0, 2, np.array(keys), unit_rows(2), blocks[0])

    assert files.keys_path(0).stat().st_size == 2 * 8
    assert files.append(0, 2, np.array([10]), unit_rows(1), blocks[0])[0].rows == 3


def test_rows_behind_the_count_are_cut_off(files: RowFiles, unit_rows: UnitRows) -> None:
    files.append(0, 0, np.arange(4), unit_rows(4))

    assert files.cut(0, 3) is True
    assert files.cut(0, 3) is False
    assert files.cut(0, 9) is False

    assert list(files.open(0, 3).keys) == [0, 1, 2]
    assert files.vectors_path(0).stat().st_size == 3 * 16 * 2


def test_stored_files_are_told_by_epoch(files: RowFiles, unit_rows: UnitRows) -> None:
    files.append(0, 0, np.arange(2), unit_rows(2))
    files.append(12, 0, np.arange(2), unit_rows(2))
    (files.folder / "notes.txt").write_text("not ours")

    assert files.stored() == {
        epoch: [files.vectors_path(epoch), files.keys_path(epoch)] for epoch in (0, 12)
    }


@given(st.integers(3, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_rounding_keeps_sparse_and_dense_rows_at_unit_length(
    dim: int, filled: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows = np.zeros((8, dim), np.float32)
    rows[:, : min(filled, dim)] = random.choice([1.0, -1.0], (8, min(filled, dim)))
    rows[4:] *= random.random((4, dim)) + 0.01
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    halves = to_halves(rows)

    lengths = np.linalg.norm(halves.astype(np.float64), axis=1)
    assert np.abs(lengths - 1).max() <= UNIT_TOLERANCE
    assert (np.sum(halves.astype(np.float64) * rows, axis=1) > 0.9995).all()


def test_rows_can_be_asked_for_in_advance_wherever_they_lie(
    tmp_path: Path, unit_rows: UnitRows
) -> None:
    files = RowFiles(tmp_path, "toy-1", "image", 16)
    rows = unit_rows(5_000)
    files.append(0, 0, np.arange(5_000), rows)

    files.open(0, 0).fetch([range(10)])
    for count in (1, 4_097, 5_000):
        stored = files.open(0, count)
        stored.expect_scattered()
        stored.fetch([range(0), range(4_096), range(4_096, 8_192), range(3, 5), range(9_999)])

        assert stored.vectors == pytest.approx(rows[:count], abs=1e-3)
        with pytest.raises(ValueError, match="read-only"):
            stored.vectors[:] = 0
