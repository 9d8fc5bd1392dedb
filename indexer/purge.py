"""Forgetting for good: nothing of what was forgotten is found below the library any more."""

from __future__ import annotations

from pathlib import Path

from indexer.compaction import compact, tidy
from unisearch.health.strays import orphans
from unisearch.index import durable
from unisearch.wiring import INDEX_FOLDER, PREVIEWS_FOLDER, VECTORS_FOLDER, Rooms


def purge(rooms: Rooms) -> None:
    """Erase what was forgotten before: its vectors with the indexes over them, its words and
    paths, copies of older catalogues, previews. Takes time in proportion to the library.

    Files are removed and written anew; what a disk, a file system with snapshots or a backup
    keeps of removed files is out of reach.
    Raises LibraryDamaged when rows beside the forgotten ones are damaged, and LibraryLocked when
    another process keeps reading an older state; both leave a library that is right.
    """
    tidy(rooms)
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
    for partition in partitions:
        compact(rooms, partition, force=True)
    known = {(partition.space, partition.modality) for partition in partitions}
    for top in (VECTORS_FOLDER, INDEX_FOLDER):  # of a first run that was killed
        for folder in (rooms.library / top).glob("*/*"):
            if (folder.parent.name, folder.name) not in known:
                _empty(folder)
    _drop_previews(rooms)
    rooms.catalog.scrub()


def _drop_previews(rooms: Rooms) -> None:
    """Those of nothing that is known; and all that were removed before do not come back."""
    durable.unlink(orphans(rooms))
    for folder in (rooms.library / PREVIEWS_FOLDER).glob("*"):
        if folder.is_dir():
            durable.sync_folder(folder)


def _empty(folder: Path) -> None:
    durable.unlink(path for path in folder.rglob("*") if not path.is_dir())
