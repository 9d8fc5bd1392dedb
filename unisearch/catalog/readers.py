"""Connections for views, kept open as long as the catalogue stays the same file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unisearch.catalog.transaction import DeadRows
from unisearch.catalog.view import View
from unisearch.errors import LibraryError, LibraryMissing, display

#: (device, inode): another one when a library was moved away and a new one made in its place.
FileId = tuple[int, int]


def file_id(path: Path | str) -> FileId:
    """Which file is there. Raises LibraryMissing, or LibraryError where that cannot be seen."""
    found = _stat(path)
    return found.st_dev, found.st_ino


def _stat(path: Path | str) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116 (on the way of every question)
    except (FileNotFoundError, NotADirectoryError):
        where = display(Path(path).parent)
        raise LibraryMissing(
            f"{where}: no library there; 'unisearch index PATH' makes one"
        ) from None
    except OSError as error:
        raise LibraryError(f"{display(path)}: cannot be opened: {error.strerror}") from error


@dataclass(frozen=True, eq=False)
class _State:
    """What the connections to one file share."""

    file: FileId
    dead: DeadRows = field(default_factory=DeadRows)


class Reader:
    """A connection for views, and what they remember as long as nobody commits."""

    def __init__(self, raw: sqlite3.Connection, state: _State, size_bytes: int) -> None:
        """size_bytes: of the file that is mapped, at least"""
        self.raw = raw
        self.file = state.file
        self.size_bytes = size_bytes
        self._dead = state.dead
        self._version = -1  # none that SQLite gives
        self._memory: dict[Any, Any] = {}

    def begin(self) -> View:
        """A read transaction."""
        self.raw.execute("BEGIN")
        version: int = self.raw.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version, self._memory = version, {}
        return View(self.raw, self._dead, self._memory, self.file)


class Readers:
    """The connections that wait for the next view. Threads may share it."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = str(path)  # a text: a Path takes three times as long to look at
        self._connect = connect
        self._idle: list[Reader] = []
        self._state: _State | None = None
        self._closed = False

    def take(self) -> Reader:
        """A connection to the file that is there now, for one thread until it is given back.

        Raises as `file_id`.
        """
        while True:
            found = _stat(self._path)
            file = found.st_dev, found.st_ino
            reader = self._waiting(file, found.st_size) or self._opened(file, found.st_size)
            if reader is not None:
                return reader

    def _waiting(self, file: FileId, size_bytes: int) -> Reader | None:
        """A connection to that file that was used before; others are closed."""
        while (reader := self._pop()) is not None:
            # Of a file that was cut, mapped pages are gone: touching them would end the process.
            if reader.file == file and reader.size_bytes <= size_bytes:
                reader.size_bytes = size_bytes
                return reader
            reader.raw.close()
        return None

    def _opened(self, file: FileId, size_bytes: int) -> Reader | None:
        """A new connection to that file; None when another one took its place meanwhile."""
        raw = self._connect()
        try:
            is_same = file_id(self._path) == file
        except BaseException:
            raw.close()
            raise
        if not is_same:
            raw.close()
            return None
        state = self._state
        if state is None or state.file != file:
            state = self._state = _State(file)
        return Reader(raw, state, size_bytes)

    def give_back(self, reader: Reader) -> None:
        """End the reader's transaction and keep it; one that is broken or too late is closed."""
        try:
            reader.raw.rollback()  # nothing to commit, and a damaged file refuses to
        except sqlite3.Error:
            reader.raw.close()
            raise
        self._idle.append(reader)
        if self._closed:  # looked at after the append: whoever comes second closes it
            self.drain()

    def close(self) -> None:
        """Close those that wait, and each of the others when it is given back."""
        self._closed = True
        self.drain()

    def drain(self) -> None:
        """Close those that wait."""
        while (reader := self._pop()) is not None:
            reader.raw.close()

    def _pop(self) -> Reader | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None
