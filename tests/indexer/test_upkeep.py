"""Snapshots are built beside the work, and what harms one never harms an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer
from indexer.upkeep import Upkeep
from unisearch.catalog.rows import Span, Stat
from unisearch.config import load_settings
from unisearch.records import Modality
from unisearch.wiring import Rooms, open_rooms, row_files, snapshots

DIM_OF_TOY = 64


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    settings = load_settings(
        library=tmp_path / "library",
        space="toy",
        vectors={"exact_rows": 1_000, "tail_rows": 300},
    )
    with open_rooms(settings, write=True) as rooms:
        yield rooms


def grow(rooms: Rooms, modality: Modality, count: int) -> NDArray[np.float32]:
    """Stores one content of so many segments with random vectors (n, dim)."""
    space = rooms.space
    with rooms.catalog.write() as tx:
        tx.add_space(space.id, space.name, space.dim)
        partition = tx.partition(space.id, modality)
        seed = partition.count + len(modality)
        rows = np.random.default_rng(seed).standard_normal((count, space.dim))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        content = tx.put_content(f"{modality}{seed}".encode(), count, modality, {})
        root = tx.add_root(b"/media")
        tx.put_item(root, f"{modality}{seed}.txt".encode(), Stat(seed, 1, 1, 1, 1), content)
        keys = tx.put_segments(content, [Span(None, None, "")] * count)
        files = row_files(rooms.library, partition)
        blocks = files.append(0, partition.count, keys, rows, tx.tail_block(partition))
        tx.commit_rows(partition, partition.count + count, blocks)
        tx.collect()
    return rows.astype(np.float32)


def stops(rooms: Rooms, modality: Modality = "text") -> list[int]:
    """Up to which row each valid snapshot goes."""
    with rooms.catalog.view() as view:
        state = view.partitions(rooms.space.id)[modality]
    keys = rooms.row_files(modality).open(state.epoch, state.count).keys
    folder = snapshots(rooms.library, rooms.space.id, modality)
    return [one.stop for one in folder.chain(state.epoch, state.count, keys)]


def test_small_partitions_get_no_snapshot(rooms: Rooms) -> None:
    grow(rooms, "text", 900)

    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    assert stops(rooms) == []


def test_a_grown_partition_gets_a_snapshot_deltas_and_training_anew(rooms: Rooms) -> None:
    seen = []
    for count in (1_200, 200, 300, 400, 400):
        grow(rooms, "text", count)
        with Upkeep(rooms) as upkeep:
            upkeep.finish()
        seen.append(stops(rooms))

    assert seen == [[1_200], [1_200], [1_200, 1_700], [1_200, 1_700, 2_100], [2_500]]


def test_the_effort_is_measured_for_each_modality_that_may_ask(rooms: Rooms) -> None:
    grow(rooms, "text", 1_500)
    grow(rooms, "audio", 300)

    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    [manifest] = snapshots(rooms.library, rooms.space.id, "text").manifests()
    assert set(manifest.efforts) == set(rooms.space.modalities)
    assert all((effort.recall or 0) >= 0.95 for effort in manifest.efforts.values())
    assert manifest.mix["audio"] == 300


def test_a_modality_that_became_common_is_measured_with_its_own_vectors(rooms: Rooms) -> None:
    grow(rooms, "text", 1_500)
    with Upkeep(rooms) as upkeep:
        upkeep.finish()
    grow(rooms, "audio", 300)

    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    manifests = snapshots(rooms.library, rooms.space.id, "text").manifests()
    assert [(one.generation, one.mix["audio"]) for one in manifests] == [(2, 300)]


def test_a_build_that_is_stopped_leaves_no_file_open(rooms: Rooms) -> None:
    grow(rooms, "text", 1_200)
    upkeep = Upkeep(rooms)
    upkeep.look()
    said = upkeep._errors
    assert said is not None

    upkeep.stop()

    assert said.closed
    assert stops(rooms) == []


def test_a_damaged_snapshot_is_built_anew(rooms: Rooms) -> None:
    grow(rooms, "text", 1_500)
    with Upkeep(rooms) as upkeep:
        upkeep.finish()
    file = snapshots(rooms.library, rooms.space.id, "text").file(1)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    folder = snapshots(rooms.library, rooms.space.id, "text")
    assert sorted(path.name for path in folder.path.iterdir()) == ["2.faiss", "2.json"]
    assert folder.problems() == {}


def test_a_build_that_is_stopped_leaves_a_library_that_builds_it_later(rooms: Rooms) -> None:
    grow(rooms, "text", 1_500)

    class Enough(Exception):
        pass

    def stop(what: str) -> None:
        assert what == "building the index of 1,500 text vectors"
        raise Enough

    with pytest.raises(Enough), Upkeep(rooms) as upkeep:
        upkeep.finish(stop)
    before = stops(rooms)
    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    assert before == []
    assert stops(rooms) == [1_500]


def test_a_build_that_fails_is_a_warning(rooms: Rooms, caplog: pytest.LogCaptureFixture) -> None:
    grow(rooms, "text", 1_500)
    folder = snapshots(rooms.library, rooms.space.id, "text").path
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"in the way")

    with Upkeep(rooms) as upkeep:
        upkeep.finish()

    assert "building the index of 1,500 text vectors failed" in caplog.text
    assert "Traceback" not in caplog.text


def test_an_indexing_run_leaves_its_snapshots_behind(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    words = [f"word{number}" for number in range(1_500)]
    (media / "long.txt").write_text(". ".join(f"{word} stands alone here" for word in words) + ".")
    settings = load_settings(
        library=tmp_path / "library", space="toy", vectors={"exact_rows": 100, "tail_rows": 50}
    )
    doing = set()

    Indexer(settings=settings).run(media, progress=lambda now: doing.add(now.doing))

    with open_rooms(settings) as rooms:
        [stop] = stops(rooms)
    assert stop > 100
    assert f"building the index of {stop:,} text vectors" in doing
