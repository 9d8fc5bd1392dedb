"""The roots of a library, read again only when somebody has written."""

from __future__ import annotations

import os
from contextlib import suppress

from unisearch.catalog.rows import RootRow
from unisearch.config import Settings
from unisearch.errors import LibraryError, LibraryMissing
from unisearch.wiring import CATALOG_FILE, Rooms, open_rooms

_Mark = tuple[tuple[int, int, int], ...]


class KnownRoots:
    """Reads the roots over a connection of its own. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rooms: Rooms | None = None
        self._mark: _Mark | None = None
        self._roots: list[RootRow] = []
        self._is_first = True

    def read(self) -> list[RootRow]:
        """The roots now; those last seen while the library cannot be read.

        The first call raises LibraryError for a library that is there and cannot be read.
        """
        is_first, self._is_first = self._is_first, False
        mark = self._written()
        if mark != self._mark:
            try:
                self._rooms = self._rooms or open_rooms(self._settings)
                with self._rooms.catalog.view() as view:
                    self._roots, self._mark = view.roots(), mark
            except LibraryError as error:
                self.close()
                if is_first and not isinstance(error, LibraryMissing):
                    raise
        return self._roots

    def close(self) -> None:
        """Let go of the connection."""
        rooms, self._rooms = self._rooms, None
        if rooms is not None:
            rooms.close()

    def _written(self) -> _Mark:
        """What changes with every commit: the sizes and times of the catalogue's files."""
        files = []
        for name in (CATALOG_FILE, CATALOG_FILE + "-wal"):
            with suppress(OSError):
                status = os.stat(self._settings.library / name)  # noqa: PTH116
                files.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(files)
