from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, RowsGone, VectorError
from unisearch.index import partition as partition_module
from unisearch.index.build import Job, build
from unisearch.index.partition import Partition
from unisearch.index.plan import Rules, Step
from unisearch.index.reader import PartitionReader
from unisearch.index.rows import RowFiles
from unisearch.index.snapshot import Manifest, SnapshotFolder
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


@pytest.mark.parametrize("suffix", ["faiss", "json"])
def test_a_damaged_snapshot_is_told_once_however_often_the_library_changes(
    big: Stored, unit_rows: UnitRows, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    big.build(Step("train", 0, 6_000))
    flip(big.snapshots.path / f"1.{suffix}", 100)
    partition = big.partition()
    for number in range(4):
        big.add([50_000 + number], unit_rows(1, seed=number))
        assert big.at(partition).cover is None

    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1


def test_a_snapshot_of_other_rows_is_not_used_and_told_once(
    big: Stored, unit_rows: UnitRows, caplog: pytest.LogCaptureFixture
) -> None:
    big.build(Step("train", 0, 6_000))
    big.files.keys_path(0).unlink()
    big.files.vectors_path(0).unlink()
    big.count = 0
    big.add(range(1, 12_001, 2), unit_rows(6_000, seed=4))
    partition = big.partition()

    assert big.at(partition).cover is None
    big.add([20_000], unit_rows(1, seed=5))
    assert big.at(partition).cover is None
    [told] = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert "is of other rows; answers stay exact" in told


@pytest.mark.parametrize("k", [20, 100, 400, 3_000])
def test_as_many_hits_come_as_are_asked_for(tmp_path: Path, unit_rows: UnitRows, k: int) -> None:
    """Rows in tight heaps: those of the nearest lists are fewer than k."""
    stored = Stored(tmp_path, rules=BIG)
    heaps = np.repeat(unit_rows(200, seed=1), 30, axis=0) + 0.05 * unit_rows(6_000, seed=2)
    rows = heaps / np.linalg.norm(heaps, axis=1, keepdims=True)
    stored.add(range(6_000), rows)
    stored.build(Step("train", 0, 6_000))
    reader = stored.at()
    assert reader.cover is not None

    found = reader.search(rows[:8], k).keys

    assert found.min() >= 0
    assert share(found, exact(stored, rows[:8], k)) > 0.85


def test_more_than_all_rows_may_be_asked_for(stored: Stored, unit_rows: UnitRows) -> None:
    stored.add(range(10), unit_rows(10))
    reader = stored.at()

    found = reader.search(unit_rows(2, seed=1), 2**40, among=reader.rows_among(np.arange(5)))

    assert np.sort(found.keys, axis=1).tolist() == [[-1] * 5 + [0, 1, 2, 3, 4]] * 2


def test_a_damaged_key_hides_no_row_of_another_block(
    tmp_path: Path, unit_rows: UnitRows, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Stored(tmp_path, rules=Rules(exact_rows=100))
    rows = unit_rows(12_500)
    stored.add(range(12_500), rows)
    data = bytearray(stored.files.keys_path(0).read_bytes())
    data[8 * 6_000 + 5] ^= 0x40  # in the second of four blocks
    stored.files.keys_path(0).write_bytes(data)
    sound = np.array([5, 4_000, 9_000, 12_499])

    reader = stored.at()

    assert not np.isnan(reader.scores(rows[:1], sound)).any()
    assert reader.rows_among(sound).tolist() == sound.tolist()
    assert reader.search(rows[9_000:9_001], 1).keys.tolist() == [[9_000]]
    assert np.isnan(reader.scores(rows[:1], np.array([6_000, 8_191]))).all()
    assert "rows 4096 to 8191 are damaged" in caplog.text


def test_a_new_snapshot_is_taken_up_by_the_next_query(big: Stored) -> None:
    partition = big.partition()
    before = big.at(partition)
    big.build(Step("train", 0, 6_000))

    after = big.at(partition)
    big.snapshots.keep_only([])

    assert before.cover is None
    assert after.cover is not None
    assert big.at(partition).cover is None


def test_a_snapshot_that_is_superseded_while_it_is_read_is_no_damage(
    big: Stored, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    big.build(Step("train", 0, 6_000))
    verify = SnapshotFolder._verify

    def superseded(folder: SnapshotFolder, manifest: Manifest) -> None:
        verify(folder, manifest)
        folder.keep_only([])

    monkeypatch.setattr(SnapshotFolder, "_verify", superseded)

    reader = big.at()

    assert reader.cover is None
    assert caplog.text == ""


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


def test_an_older_view_of_rows_on_a_device_sees_its_own_rows(
    big: Stored, unit_rows: UnitRows
) -> None:
    partition = Partition(big.files, big.snapshots, "image", BIG, gpu_rows=10_000, gpu="cpu")
    old = PartitionState(0, 6_000, np.empty(0, np.int64))
    blocks = list(big.blocks.values())
    big.add(np.arange(20_000, 20_600), unit_rows(600, seed=9))
    newer = big.at(partition)

    older = partition.at(old, lambda: blocks)

    queries = unit_rows(20, seed=9)
    assert older.search(queries, 10).keys.max() < 20_000
    assert newer.search(queries, 10).keys.max() >= 20_000
    assert big.at(partition).cover is newer.cover  # the copy on the device is kept


def test_without_room_on_the_device_search_goes_on_beside_it(
    big: Stored, unit_rows: UnitRows, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def full(*given: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate\nmore")

    monkeypatch.setattr("unisearch.index.torch_scan.TorchScan.__init__", full)
    partition = Partition(big.files, big.snapshots, "image", BIG, gpu_rows=10_000, gpu="cuda")
    queries = unit_rows(5, seed=3)

    for _ in range(2):
        monkeypatch.setattr(partition, "_made_of", None)
        found = big.at(partition).search(queries, 10).keys
        assert np.array_equal(found, exact(big, queries, 10))

    [told] = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert told == "image vectors stay off the GPU: CUDA out of memory. Tried to allocate"


def test_a_look_at_an_epoch_that_is_gone_leaves_the_newer_reader_guarded(
    stored: Stored, unit_rows: UnitRows
) -> None:
    rows = unit_rows(5_000)
    stored.add(range(5_000), rows)
    partition = stored.partition()
    sealed = stored.files.append(1, 0, np.arange(5_000), rows)
    for path in stored.files.paths(0):
        path.unlink()
    new = PartitionState(1, 5_000, np.empty(0, np.int64))
    partition.at(new, lambda: sealed)
    with pytest.raises(RowsGone):
        stored.at(partition)

    with stored.files.vectors_path(1).open("r+b") as file:
        file.truncate(4_096)

    with pytest.raises(LibraryDamaged):  # and not the end of the process
        partition.at(new, lambda: sealed)
