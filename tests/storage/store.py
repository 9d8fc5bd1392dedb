"""A library that is written to directly, with vectors that a number decides, and its examination.

What it should hold is a plain dictionary: the number behind each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.backgrounds import renew
from indexer.compaction import compact, tidy
from indexer.encode import Draft
from indexer.store import put_drafts, settle
from unisearch.catalog.rows import PartitionRow, Span, Stat
from unisearch.catalog.write import Writing
from unisearch.config import Settings
from unisearch.index import durable
from unisearch.index.build import Job, build
from unisearch.index.halves import to_halves
from unisearch.index.plan import Rules, next_step
from unisearch.records import Modality
from unisearch.spaces.toy import DIM, ToySpace
from unisearch.wiring import Rooms, open_rooms, row_files, rules, snapshots

ROOT = b"/media"
SPACE = ToySpace()
#: So that a few hundred rows are enough for snapshots of every kind.
VECTORS = {"exact_rows": 150, "tail_rows": 60, "recall": 0.9, "gpu": "off"}

Reference = Mapping[str, int]


class Row(NamedTuple):
    """What the catalogue says of one live segment."""

    key: int
    seed: int
    ordinal: int
    modality: str


def settings_of(folder: Path) -> Settings:
    return Settings(library=folder, space="toy", vectors=VECTORS)


def modality_of(seed: int) -> Modality:
    return "image" if seed % 4 == 0 else "audio"


def digest_of(seed: int) -> bytes:
    return seed.to_bytes(16, "big")


@cache
def vectors_of(seed: int) -> NDArray[np.float16]:
    """The rows (n, dim) of the content of that number: one of a picture, up to 4 of a sound."""
    count = 1 if modality_of(seed) == "image" else 1 + seed // 4 % 4
    rows = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return to_halves(rows / np.linalg.norm(rows, axis=1, keepdims=True))


class Store:
    """A writer. Each change is one transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rooms = open_rooms(settings_of(folder), write=True)
        tidy(self.rooms)

    def add(self, files: Reference, without: Iterable[str] = ()) -> None:
        """New files, each with the content of its number; others go in the same transaction."""
        with self.rooms.catalog.write() as tx:
            root = tx.add_root(ROOT)
            drafts = {seed: _draft(seed) for seed in dict.fromkeys(files.values())}
            contents = put_drafts(tx, self.folder, [SPACE], drafts.values())
            for name, seed in files.items():
                tx.put_item(root, name.encode(), Stat(1, 1, seed, 1, 1), contents[drafts[seed]])
            self._remove(tx, without)
            settle(tx, self.folder)
            for partition in tx.all_partitions():
                renew(tx, self.folder, partition)

    def remove(self, names: Iterable[str]) -> None:
        """Forget files."""
        with self.rooms.catalog.write() as tx:
            self._remove(tx, names)
            settle(tx, self.folder)

    def move(self, old: str, new: str) -> None:
        """A file has another name."""
        with self.rooms.catalog.write() as tx:
            item = tx.known_files()[ROOT + b"/" + old.encode()].item
            tx.move_item(item, tx.add_root(ROOT), new.encode(), Stat(1, 1, 1, 1, 1))
            settle(tx, self.folder)

    def compact(self) -> None:
        """Drop all dead rows."""
        for partition in self._partitions():
            compact(self.rooms, partition, force=True)

    def snapshot(self) -> None:
        """Build every snapshot that is due."""
        for partition in self._partitions():
            while job := self._job(partition):
                build(job)

    def close(self) -> None:
        self.rooms.close()

    def _remove(self, tx: Writing, names: Iterable[str]) -> None:
        known = tx.known_files()
        tx.remove_items([known[ROOT + b"/" + name.encode()].item for name in names])

    def _partitions(self) -> list[PartitionRow]:
        with self.rooms.catalog.view() as view:
            return view.all_partitions()

    def _job(self, partition: PartitionRow) -> Job | None:
        folder = snapshots(self.folder, partition.space, partition.modality)
        files = row_files(self.folder, partition)
        with self.rooms.catalog.view() as view:
            state = view.partitions(partition.space)[partition.modality]
        chain = folder.chain(state.epoch, state.count, files.open(state.epoch, state.count).keys)
        wanted: Rules = rules(self.rooms.settings)
        step = next_step(state.count, chain, {}, wanted)
        if step is None:
            return None
        return Job(
            files=files, folder=folder.path, modality=partition.modality, epoch=state.epoch,
            count=state.count, dead=state.dead, step=step, kind="fast", recall=wanted.recall,
            queries={}, own_queries=16,
        )  # fmt: skip


def check(folder: Path, *expected: Reference) -> Reference:
    """Examine the library; which of the expected states it is in.

    Each row is found by its key with its exact vector, none is there twice, and searches answer
    as a comparison with every vector does.
    """
    with open_rooms(settings_of(folder)) as rooms:
        found = check_catalogue(rooms, *expected)
        for modality in ("image", "audio"):
            _check_partition(rooms, modality)
    return found


def check_catalogue(rooms: Rooms, *expected: Reference) -> Reference:
    """Which of the expected states the items are in; the catalogue agrees with itself."""
    with rooms.catalog.view() as view:
        assert view.problems() == []
    rows = _query(
        rooms,
        "SELECT i.rel_path, c.digest FROM items i JOIN contents c ON c.id = i.content_id",
    )
    found = {name.decode(): int.from_bytes(digest, "big") for name, digest in rows}
    assert found in expected, f"{len(found)} items are none of the expected states"
    return found


def check_clean(folder: Path) -> None:
    """Nothing that an interrupted writer left is there any more."""
    with open_rooms(settings_of(folder)) as rooms, rooms.catalog.view() as view:
        for partition in view.all_partitions():
            files = row_files(folder, partition)
            sizes = {path.name: path.stat().st_size for path in files.folder.glob("*")}
            wanted = {
                f"{partition.epoch}.f16": partition.count * DIM * 2,
                f"{partition.epoch}.keys": partition.count * 8,
            }
            assert sizes == (wanted if sizes or partition.count else {})
    assert not [path for path in folder.rglob("*") if durable.is_temporary(path)]


def _check_partition(rooms: Rooms, modality: Modality) -> None:
    rows = [row for row in _rows(rooms) if row.modality == modality]
    with rooms.catalog.view() as view:
        state = view.partitions(SPACE.id).get(modality)
        if state is None:
            assert rows == []
            return
        blocks = view.blocks(SPACE.id, modality)
        rooms.__dict__["space"] = SPACE  # without loading torch
        partition = rooms.partition(modality)
        assert partition.files.verify(state.epoch, state.count, blocks) == []
        reader = partition.at(state, lambda: blocks)
    keys = np.array([row.key for row in rows], np.int64)
    assert reader.keys().tolist() == keys.tolist()
    vectors = np.array([vectors_of(row.seed)[row.ordinal] for row in rows], np.float16)
    if not len(keys):
        return
    assert np.array_equal(reader.vectors(keys), vectors.astype(np.float32))
    _check_search(reader, keys, vectors.astype(np.float32), modality)


def _check_search(
    reader: object, keys: NDArray[np.int64], vectors: NDArray[np.float32], modality: str
) -> None:
    """Beside every vector; where a snapshot answers, each must still find itself and no other's
    cosine may be wrong."""
    asked = np.random.default_rng(len(keys)).choice(len(keys), min(20, len(keys)), replace=False)
    k = min(5, len(keys))
    queries = vectors[asked] / np.linalg.norm(vectors[asked], axis=1, keepdims=True)
    nearest = reader.search(queries, k, asking=modality)  # type: ignore[attr-defined]
    cosines = queries @ vectors.T
    best = -np.sort(-cosines, axis=1)[:, :k]
    places = np.searchsorted(keys, nearest.keys)
    assert np.isin(nearest.keys, keys).all()
    assert all(len(set(row)) == k for row in nearest.keys.tolist())
    assert np.abs(np.take_along_axis(cosines, places, axis=1) - nearest.scores).max() < 2e-3
    assert (nearest.keys[:, 0] == keys[asked]).mean() >= (1.0 if reader.cover is None else 0.9)  # type: ignore[attr-defined]
    found = (nearest.scores >= best[:, -1:] - 2e-3).mean()
    assert found >= (1.0 if reader.cover is None else 0.7)  # type: ignore[attr-defined]


def _rows(rooms: Rooms) -> list[Row]:
    """The live segments, by key."""
    rows = _query(
        rooms,
        "SELECT s.id, c.digest, s.ordinal, c.modality FROM segments s"
        " JOIN contents c ON c.id = s.content_id ORDER BY s.id",
    )
    return [Row(key, int.from_bytes(digest, "big"), *rest) for key, digest, *rest in rows]


def _query(rooms: Rooms, statement: str) -> list[Any]:
    with rooms.catalog.view() as view:
        return list(view._run(statement))


def _draft(seed: int) -> Draft:
    vectors = vectors_of(seed)
    spans = [Span(None, None, "")] * len(vectors)
    kind = modality_of(seed)
    rows, spaces = {SPACE.id: {kind: [vectors]}}, {SPACE.id: frozenset(SPACE.modalities)}
    return Draft(digest_of(seed), seed, kind, spans=spans, spaces=spaces, vectors=rows)
