"""Whether anybody committed to a catalogue since the last look, without a look at its tables."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable
from pathlib import Path

from unisearch.catalog.readers import FileId, file_id


class Changes:
    """Threads may share one. close() lets go of its connection."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path, self._connect = path, connect
        self._lock = threading.Lock()
        self._raw: sqlite3.Connection | None = None
        self._file: FileId | None = None

    def number(self) -> Hashable:
        """Another value after each commit of whatever process, and for another file in its place.

        Only values of the same Changes compare. Raises LibraryMissing, and sqlite3.Error.
        """
        with self._lock:
            file = file_id(self._path)
            if self._raw is None or file != self._file:
                self._close()
                self._raw, self._file = self._connect(), file
            # A connection of our own: SQLite counts the commits of all others.
            return file, self._raw.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._raw is not None:
            self._raw.close()
            self._raw = None
