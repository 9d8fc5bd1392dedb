from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, VectorError
from unisearch.index import partition as partition_module
from unisearch.index.build import Job, build
from unisearch.index.partition import Partition
from unisearch.index.plan import Rules, Step
from unisearch.index.reader import PartitionReader
from unisearch.index.rows import RowFiles
from unisearch.index.snapshot import SnapshotFolder
from unisearch.records import Block, PartitionState

UnitRows = Callable[..., NDArray[np.float32]]


class Stored:
    """A partition on the disk with what the catalogue would know of it."""

    def __init__(self, folder: Path, dim: int = 16, rules: Rules | None = None) -> None:
        self.files = RowFiles(folder / "vectors", "toy-1", "image", dim)
        self.snapshots = SnapshotFolder(folder / "index")
        self.rules = rules or Rules()
        self.blocks: dict[int, Block] = {}
        self.count = 0
        self.dead: list[int] = []

    def add(self, keys: Sequence[int] | NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        new = self.files.append(0, self.count, np.asarray(keys, np.int64), rows)
        self.blocks |= {block.block: block for block in new}
        self.count += len(keys)

    def partition(self) -> Partition:
        return Partition(self.files, self.snapshots, "image", self.rules)

    def at(self, partition: Partition | None = None) -> PartitionReader:
        state = PartitionState(0, self.count, np.array(sorted(self.dead), np.int64))
        return (partition or self.partition()).at(state, lambda: list(self.blocks.values()))

    def build(self, step: Step) -> None:
        job = Job(
            files=self.files,
            folder=self.snapshots.path,
            modality="image",
            epoch=0,
            count=self.count,
            dead=np.array(self.dead, np.int64),
            step=step,
            kind="fast",
            recall=0.95,
            queries={},
        )
        build(job)


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(tmp_path)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def test_a_reader_holds_the_live_rows(stored: Stored, unit_rows: UnitRows) -> None:
    rows = unit_rows(5)
    stored.add(range(10, 15), rows)
    stored.dead = [1]

    reader = stored.at()

    assert len(reader) == 4
    assert list(reader.keys()) == [10, 12, 13, 14]
    assert reader.search(rows[1:2], 1).keys[0, 0] != 11
    assert reader.search(rows[2:3], 1).keys.tolist() == [[12]]
    assert np.isnan(reader.scores(rows[:1], np.array([11, 99]))).all()
    assert reader.vectors(np.array([14, 13])) == pytest.approx(rows[[4, 3]], abs=1e-3)
    with pytest.raises(KeyError, match="11"):
        reader.vectors(np.array([10, 11]))


def test_what_was_committed_later_is_seen_by_a_later_reader_only(
    stored: Stored, unit_rows: UnitRows
) -> None:
    rows = unit_rows(4)
    stored.add([0, 1], rows[:2])
    partition = stored.partition()
    before = stored.at(partition)
    stored.add([2, 3], rows[2:])
    stored.dead = [0]

    after = stored.at(partition)

    assert list(before.keys()) == [0, 1]
    assert before.search(rows[3:], 4).keys[0].max() == 1
    assert list(after.keys()) == [1, 2, 3]
    assert after.search(rows[3:], 1).keys.tolist() == [[3]]


def test_equal_scores_are_ordered_by_key(stored: Stored, unit_rows: UnitRows) -> None:
    row = unit_rows(1)
    stored.add([3, 5, 8, 9], np.repeat(row, 4, axis=0))

    assert stored.at().search(row, 3).keys.tolist() == [[3, 5, 8]]


def test_only_allowed_keys_are_found(stored: Stored, unit_rows: UnitRows) -> None:
    rows = unit_rows(100)
    stored.add(range(100), rows)
    stored.dead = [5]
    reader = stored.at()

    few = reader.search(rows[:1], 10, reader.rows_among(np.array([3, 5, 777])))
    many = reader.search(rows[:1], 100, reader.rows_among(np.arange(20, 95)))
    none = reader.search(rows[:1], 10, reader.rows_among(np.array([], np.int64)))

    assert set(few.keys[0].tolist()) - {-1} == {3}
    assert set(many.keys[0].tolist()) - {-1} == set(range(20, 95))
    assert set(none.keys[0].tolist()) <= {-1}


def test_a_query_that_is_not_finite_is_refused(stored: Stored, unit_rows: UnitRows) -> None:
    stored.add([1], unit_rows(1))

    with pytest.raises(VectorError, match="not finite"):
        stored.at().search(np.full((1, 16), np.nan, np.float32), 1)
    with pytest.raises(VectorError, match="16 numbers"):
        stored.at().search(unit_rows(1, dim=8), 1)


def test_rows_that_are_lost_are_said_to_be(stored: Stored, unit_rows: UnitRows) -> None:
    stored.add([0, 1], unit_rows(2))
    partition = stored.partition()
    stored.at(partition)
    with stored.files.vectors_path(0).open("r+b") as file:
        file.truncate(40)

    with pytest.raises(LibraryDamaged, match="rows are lost"):
        stored.at(partition)


def test_a_damaged_block_gives_no_hit_but_one_warning(
    stored: Stored, unit_rows: UnitRows, caplog: pytest.LogCaptureFixture
) -> None:
    rows = unit_rows(5_000)
    stored.add(range(5_000), rows)
    flip(stored.files.vectors_path(0), 32 * 4_500 + 1)

    partition = stored.partition()
    reader = stored.at(partition)
    reader.search(rows[:3], 10)
    stored.at(partition)

    assert len(reader) == 4_096
    assert reader.search(rows[4_500:4_501], 10).keys.max() < 4_096
    assert np.isnan(reader.scores(rows[:1], np.array([4_999]))).all()
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "rows 4096 to 4999 are damaged" in warnings[0].getMessage()


BIG = Rules(exact_rows=1_000, tail_rows=400)


@pytest.fixture
def big(tmp_path: Path, unit_rows: UnitRows) -> Stored:
    stored = Stored(tmp_path, rules=BIG)
    stored.add(range(0, 12_000, 2), unit_rows(6_000))
    return stored


def exact(big: Stored, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    rows = big.files.open(0, big.count)
    cosines = queries @ rows.vectors.astype(np.float32).T
    cosines[:, big.dead] = -9
    return np.asarray(rows.keys[np.argsort(-cosines, axis=1, kind="stable")[:, :k]])


def share(found: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    pairs = zip(found.tolist(), true.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


def test_snapshot_deltas_and_tail_answer_together(big: Stored, unit_rows: UnitRows) -> None:
    big.build(Step("train", 0, 6_000))
    for start in (6_000, 6_500):
        big.add(range(2 * start, 2 * start + 500), unit_rows(500, seed=start))
        big.build(Step("delta", start, start + 500))
    big.add(range(20_000, 20_100), unit_rows(100, seed=9))
    big.dead = [*range(0, 7_000, 3)]
    queries = np.concatenate([unit_rows(60, seed=77), unit_rows(40, seed=6_500)])

    reader = big.at()
    found = reader.search(queries, 10, asking="image").keys

    assert reader.cover is not None
    assert reader.cover.stop == 7_000
    assert share(found, exact(big, queries, 10)) > 0.9
    assert not set(found.ravel().tolist()) & set(reader.rows.keys[big.dead].tolist())


def test_a_filter_of_many_survivors_is_searched_and_finds_k(
    big: Stored, unit_rows: UnitRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unisearch.index.reader.FEW", 500)
    big.build(Step("train", 0, 6_000))
    allowed = np.arange(0, 12_000, 6)
    queries = unit_rows(50, seed=5)

    reader = big.at()
    found = reader.search(queries, 10, reader.rows_among(allowed), asking="image").keys

    rows = big.files.open(0, 6_000).vectors[::3].astype(np.float32)
    true = allowed[np.argsort(-(queries @ rows.T), axis=1)[:, :10]]
    assert set(found.ravel().tolist()) <= set(allowed.tolist())
    assert share(found, true) > 0.9


@pytest.mark.parametrize("suffix", ["faiss", "json"])
def test_a_damaged_snapshot_means_a_warning_and_exact_answers(
    big: Stored, unit_rows: UnitRows, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    big.build(Step("train", 0, 6_000))
    flip(big.snapshots.path / f"1.{suffix}", 100)
    queries = unit_rows(20, seed=3)

    partition = big.partition()
    reader = big.at(partition)
    big.at(partition)

    assert reader.cover is None
    assert np.array_equal(reader.search(queries, 10).keys, exact(big, queries, 10))
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1


def test_a_snapshot_of_other_rows_is_not_used(big: Stored, unit_rows: UnitRows) -> None:
    big.build(Step("train", 0, 6_000))
    big.files.keys_path(0).unlink()
    big.files.vectors_path(0).unlink()
    big.count = 0
    big.add(range(1, 12_001, 2), unit_rows(6_000, seed=4))

    assert big.at().cover is None


def test_a_new_snapshot_is_taken_up_by_the_next_query(big: Stored) -> None:
    partition = big.partition()
    before = big.at(partition)
    big.build(Step("train", 0, 6_000))

    after = big.at(partition)
    big.snapshots.keep_only([])

    assert before.cover is None
    assert after.cover is not None
    assert big.at(partition).cover is None


def test_without_faiss_search_is_exact(
    big: Stored, unit_rows: UnitRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_module, "faiss_reads_halves", lambda: False)
    queries = unit_rows(20, seed=3)
    big.dead = [1, 2, 3]

    found = big.at().search(queries, 10).keys

    assert np.array_equal(found, exact(big, queries, 10))


def test_rows_on_a_device_answer_with_the_tail_and_join_it_when_it_is_long(
    big: Stored, unit_rows: UnitRows
) -> None:
    partition = Partition(big.files, big.snapshots, "image", BIG, gpu_rows=10_000, gpu="cpu")
    stops = []
    for number in range(4):
        reader = big.at(partition)
        assert reader.cover is not None
        stops.append(reader.cover.stop)
        queries = unit_rows(10, seed=number)
        assert np.array_equal(reader.search(queries, 10).keys, exact(big, queries, 10))
        big.add(np.arange(20_000, 20_200) + 200 * number, unit_rows(200, seed=90 + number))
        big.dead = [*range(number * 50)]

    assert stops == [6_000, 6_000, 6_000, 6_600]
