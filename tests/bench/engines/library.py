"""A library of that many pictures, filled in bulk: files that are not there, vectors that are."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import numpy as np

from indexer.backgrounds import renew
from indexer.upkeep import Upkeep
from tests.bench.data import SEED, Mixture
from tests.bench.engines.base import Floats, blocks
from unisearch.catalog.open import Catalog
from unisearch.config import load_settings
from unisearch.records import GRID_VERSION, Modality, Prepared, Sample
from unisearch.spaces.base import Space
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.wiring import CATALOG_FILE, Rooms

MODALITY: Modality = "image"
#: The modality of the questions of each kind.
ASKING: dict[str, Modality] = {"same": "image", "cross": "text"}
REFERENCE_ROWS = 1_024
#: The folder that the files are said to lie in; it need not be there.
ROOT = b"/bench"


class BenchSpace(Space):
    """Encodes nothing. Its references are drawn like the questions, but are none of them."""

    name = "bench"
    id = "bench-1"
    modalities = ("text", "image")

    def __init__(self, folder: Path, dim: int) -> None:
        self.dim = dim
        self._references = references(folder, dim)

    @property
    def preparer(self) -> Callable[[Sample], Prepared]:
        raise NotImplementedError

    def encode_prepared(self, batch: object) -> Floats:
        raise NotImplementedError

    def reference(self, modality: Modality) -> Floats:
        return self._references[modality]


def references(folder: Path, dim: int) -> dict[Modality, Floats]:
    """Varied vectors of each modality; kept beside the library, for they take a while."""
    file = folder / f"reference-{dim}.npz"
    if not file.exists():
        mixture, numbers = Mixture(dim), np.random.default_rng(SEED + 1)
        image = mixture.same(REFERENCE_ROWS, numbers)
        np.savez(file, image=image, text=mixture.cross(REFERENCE_ROWS, numbers))
    with np.load(file) as arrays:
        return {"image": arrays["image"], "text": arrays["text"]}


@contextmanager
def opened(folder: Path, space: Space, write: bool = False) -> Iterator[Rooms]:
    """The rooms of the library there, with that space."""
    SPACES.setdefault(space.name, SpaceEntry(f"{__name__}:{type(space).__name__}"))
    settings = load_settings(library=folder, space=space.name, device="cpu")
    with Rooms(settings, Catalog.open(folder / CATALOG_FILE, write=write)) as rooms:
        rooms.space = space
        yield rooms


def fill(folder: Path, space: Space, rows: Floats, took: dict[str, float]) -> Iterator[int]:
    """Makes the library; how many rows are stored, now and then.

    took: gets the seconds of each part: catalogue, rows, index
    """
    start = time.perf_counter()
    Catalog.create(folder / CATALOG_FILE).close()
    names = [f"album {number // 1000:05}/picture {number:08}.jpg" for number in counted(rows)]
    put_items(folder / CATALOG_FILE, names)
    took["catalogue_s"] = time.perf_counter() - start
    with opened(folder, space, write=True) as rooms:
        start = time.perf_counter()
        for at, block in blocks(rows, 50_000):
            put_rows(rooms, at, block)
            yield at
        took["rows_s"] = time.perf_counter() - start
        start = time.perf_counter()
        with Upkeep(rooms) as upkeep:
            upkeep.finish()
        took["index_s"] = time.perf_counter() - start
    yield len(rows)


def counted(rows: Floats) -> range:
    """1 … len(rows): segments, contents and items."""
    return range(1, len(rows) + 1)


def put_rows(rooms: Rooms, at: int, block: Floats, modality: Modality = MODALITY) -> None:
    """Commits rows [at, at + len(block)) of the only or the newest modality.

    The keys of the first ones go on where those of the modality before ended.
    """
    space = rooms.space
    with rooms.catalog.write() as tx:
        tx.add_space(space.id, space.name, space.dim)
        partition = tx.partition(space.id, modality)
        before = sum(row.count for row in tx.all_partitions()) - at
        keys = np.arange(before + at + 1, before + at + 1 + len(block), dtype=np.int64)
        files = rooms.row_files(modality)
        sealed = files.append(partition.epoch, at, keys, block, tx.tail_block(partition))
        tx.commit_rows(partition, at + len(block), sealed)
        renew(tx, rooms.library, partition)


def put_items(
    catalog: Path,
    names: Sequence[str],
    modality: Modality = MODALITY,
    first: int = 1,
    texts: Sequence[str] = (),
) -> None:
    """Items, contents and segments of these files, numbered alike from `first` on.

    texts: the passage of each, none for what is no text
    By the statements themselves: one by one through the catalogue's own functions a million would
    take an hour.
    """
    numbered = list(enumerate(names, start=first))
    connection = sqlite3.connect(catalog, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT OR IGNORE INTO roots (id, path, whole) VALUES (1, ?, 1)", (ROOT,))
    connection.executemany(
        "INSERT INTO contents (id, digest, size_bytes, modality, grid_version, words)"
        f" VALUES (?, ?, 100000, '{modality}', {GRID_VERSION}, '')",
        ((number, number.to_bytes(32, "big")) for number, _ in numbered),
    )
    connection.executemany(
        "INSERT INTO items (id, root_id, rel_path, display, suffix, content_id, inode, device,"
        " size_bytes, mtime_ns, ctime_ns) VALUES (?, 1, ?, ?, ?, ?, ?, 1, 100000, 1, 1)",
        ((i, name.encode(), name, Path(name).suffix, i, i) for i, name in numbered),
    )
    connection.executemany(
        "INSERT INTO segments (id, content_id, ordinal, text, modality)"
        f" VALUES (?, ?, 0, ?, '{modality}')",
        ((i, i, text) for (i, _), text in zip_longest(numbered, texts, fillvalue="")),
    )
    connection.executemany(
        "INSERT INTO item_words (rowid, name, tags, words) VALUES (?, ?, '', '')", numbered
    )
    connection.execute("COMMIT")
    connection.close()
