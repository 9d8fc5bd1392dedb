"""Files in a library's folder that nothing refers to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from unisearch.catalog.rows import PartitionRow
from unisearch.index import durable
from unisearch.index.check import strays
from unisearch.previews.places import digest_of
from unisearch.wiring import (
    CATALOG_FILE,
    INDEX_FOLDER,
    LIBRARY_NAMES,
    PREVIEWS_FOLDER,
    VECTORS_FOLDER,
    Rooms,
    row_files,
    snapshots,
)

_COPY = re.compile(re.escape(CATALOG_FILE) + r"\.v\d+")
#: What systems put into every folder.
_NOT_OURS = frozenset({".DS_Store", "lost+found", "Thumbs.db"})


def left_behind(rooms: Rooms, partitions: Iterable[PartitionRow]) -> list[Path]:
    """Files of vectors and snapshots that belong to no partition, or to none of its epochs; and
    previews of what is not in the library.

    An interrupted writer leaves them; they are never read.
    """
    partitions = list(partitions)
    found = [
        path
        for partition in partitions
        for path in strays(row_files(rooms.library, partition), partition.epoch)
    ]
    homes = {row_files(rooms.library, partition).folder for partition in partitions}
    found += _elsewhere(rooms.library / VECTORS_FOLDER, homes)
    homes = {snapshots(rooms.library, one.space, one.modality).path for one in partitions}
    found += _elsewhere(rooms.library / INDEX_FOLDER, homes)
    return sorted({*found, *orphans(rooms), *unfinished(rooms.library)})


def orphans(rooms: Rooms) -> list[Path]:
    """Previews of contents that are not known any more, empty ones, and all that is none."""
    paths = list(_elsewhere(rooms.library / PREVIEWS_FOLDER, set()))
    # Later than the paths: the content of a preview that is put meanwhile is known by then.
    with rooms.catalog.view() as view:
        digests = view.digests()
    # An empty one is what a power cut left.
    return [path for path in paths if digest_of(path) not in digests or durable.size_of(path) == 0]


def unfinished(library: Path) -> list[Path]:
    """Snapshots under temporary names: a writer was killed while it wrote them."""
    return sorted(filter(durable.is_temporary, _elsewhere(library / INDEX_FOLDER, set())))


def unknown(library: Path) -> list[Path]:
    """What lies in the library's folder and is not of unisearch."""
    names = sorted(
        path for path in library.iterdir() if path.name not in {*LIBRARY_NAMES, *_NOT_OURS}
    )
    return [path for path in names if not _COPY.fullmatch(path.name)]


def copies(library: Path) -> list[Path]:
    """The catalogue as it was before each migration."""
    return sorted(path for path in library.iterdir() if _COPY.fullmatch(path.name))


def _elsewhere(top: Path, homes: set[Path]) -> Iterator[Path]:
    """The files below `top` that lie in none of these folders."""
    for folder, _, names in os.walk(top):
        if Path(folder) not in homes:
            yield from (Path(folder, name) for name in names if name not in _NOT_OURS)
