"""Previews in a library's folder: stored, bounded in size, and removed with their content.

They may be lost at any time and cost no vector: nothing here waits for the disk, and what goes
wrong fails no file.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from unisearch.errors import LibraryError
from unisearch.index import durable
from unisearch.previews.make import Preview
from unisearch.previews.places import digest_of, place, places
from unisearch.wiring import PREVIEWS_FOLDER, Rooms

logger = logging.getLogger(__name__)

#: As many folders as two hexadecimal digits name. Digests are even, so each holds its share.
SHARES = 256
#: A folder that is full is emptied down to this share of its room.
KEPT = 0.9


class PreviewFolder:
    """The previews of a library; for the holder of the writer's lock.

    max_bytes: about as much as all of them may take; the oldest go first
    """

    def __init__(self, library: Path, max_bytes: int) -> None:
        self._folder = library / PREVIEWS_FOLDER
        self._room = max_bytes // SHARES  # of one folder
        self._held: dict[Path, int] = {}  # bytes in the folders that were looked into

    def put(self, digest: bytes, previews: Iterable[Preview]) -> bool:
        """Store the previews of a content; whether that worked."""
        try:
            for preview in previews:
                self._put(place(self._folder, digest, preview.kind), preview.data)
        except (LibraryError, OSError) as error:
            logger.debug("no preview stored: %s", error)
            return False
        return True

    def has_room(self, digest: bytes) -> bool:
        """Whether previews of that content would push out no others."""
        share = place(self._folder, digest, "still").parent
        return self._size_of(share) <= KEPT * self._room

    def _size_of(self, share: Path) -> int:
        if share not in self._held:
            self._held[share] = sum(size for _, size, _ in listed(share))
        return self._held[share]

    def _put(self, path: Path, data: bytes) -> None:
        held = self._size_of(path.parent) + len(data)
        durable.write_unsynced(path, data)
        self._held[path.parent] = held if held <= self._room else self._trim(path.parent, path)

    def _trim(self, folder: Path, newest: Path) -> int:
        """Remove the contents that are longest there; the bytes that are left."""
        sizes: dict[bytes | None, int] = defaultdict(int)
        ages: dict[bytes | None, int] = defaultdict(int)
        files: dict[bytes | None, list[Path]] = defaultdict(list)
        for path, size, mtime_ns in listed(folder):
            digest = digest_of(path)
            sizes[digest] += size
            ages[digest] = max(ages[digest], mtime_ns)
            files[digest].append(path)
        held = sum(sizes.values())
        for digest in sorted(sizes, key=lambda digest: (ages[digest], files[digest])):
            if held <= KEPT * self._room:
                break
            if digest != digest_of(newest):
                durable.unlink(files[digest], sync=False)
                held -= sizes[digest]
        return held


def remove_previews(library: Path, digests: Iterable[bytes]) -> None:
    """Remove the previews of contents, as far as there are any. No wait for the disk."""
    for digest in digests:
        held = places(library / PREVIEWS_FOLDER, digest).values()
        durable.unlink((path for path in held if path.exists()), sync=False)


def folder_of(rooms: Rooms) -> PreviewFolder:
    """The previews of a library, with the room that the settings give them."""
    return PreviewFolder(rooms.library, rooms.settings.previews.max_mb * 1024**2)


def listed(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """(path, bytes, mtime_ns) of the files in a folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stat = entry.stat(follow_symlinks=False)
                yield Path(entry.path), stat.st_size, stat.st_mtime_ns
    except FileNotFoundError:
        return
