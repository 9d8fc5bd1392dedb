"""The roots of a library, read again only when somebody has written."""

from __future__ import annotations

from collections.abc import Hashable

from unisearch.catalog.rows import RootRow
from unisearch.config import Settings
from unisearch.errors import LibraryError, LibraryMissing
from unisearch.wiring import Rooms, open_rooms


class KnownRoots:
    """Reads the roots over a connection of its own. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rooms: Rooms | None = None
        self._mark: Hashable = None
        self._roots: list[RootRow] = []
        self._is_first = True

    def read(self) -> list[RootRow]:
        """The roots now; those last seen while the library cannot be read.

        The first call raises LibraryError for a library that is there and cannot be read.
        """
        is_first, self._is_first = self._is_first, False
        try:
            self._rooms = self._rooms or open_rooms(self._settings)
            # Not sizes and times of its files: two commits may leave them the same.
            mark = self._rooms.catalog.changes()
            if mark != self._mark:
                with self._rooms.catalog.view() as view:
                    self._roots, self._mark = view.roots(), mark
        except LibraryError as error:
            self.close()
            if is_first and not isinstance(error, LibraryMissing):
                raise
        return self._roots

    def close(self) -> None:
        """Let go of the connection."""
        rooms, self._rooms, self._mark = self._rooms, None, None
        if rooms is not None:
            rooms.close()
