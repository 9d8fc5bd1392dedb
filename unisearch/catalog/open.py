"""The catalogue as a file: made, opened for reading or writing, and its transactions."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import quote

from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from unisearch.catalog.changes import Changes
from unisearch.catalog.place import refuse_network
from unisearch.catalog.readers import FileId, Readers, file_id
from unisearch.catalog.tables import FORMAT, FTS_TABLES
from unisearch.catalog.transaction import DeadRows
from unisearch.catalog.view import View
from unisearch.catalog.write import Writing
from unisearch.errors import (
    LibraryDamaged,
    LibraryError,
    LibraryLocked,
    LibraryMissing,
    LibraryTooNew,
    display,
)

logger = logging.getLogger(__name__)

_MOST_MAPPED_BYTES = 1 << 40  # SQLite takes as much of it as it was built for, mostly 2 GiB
_BUSY_S = 10.0  # only a migration or a backup keeps others out at all


class Catalog:
    """What is known of each item and segment, in one SQLite file. Threads may share it."""

    def __init__(self, path: Path, *, write: bool, immutable: bool = False) -> None:
        self.path = path = path.absolute()
        self.writable = write
        mode = "rwc" if write else "ro"
        connect = partial(_connect, path, f"mode={mode}{'&immutable=1' * immutable}")
        self._engine = _engine(connect)
        self._readers = Readers(path, lambda: _mapped(connect()))
        self._changes = Changes(path, connect)
        self._file: FileId | None = None

    @classmethod
    def create(cls, path: Path) -> Catalog:
        """A new, empty catalogue; an existing one is opened instead."""
        return cls(path, write=True)._checked()

    @classmethod
    def open(cls, path: Path, write: bool = False) -> Catalog:
        """The catalogue at that path; with `write` one of an older format is migrated first.

        Raises LibraryMissing, LibraryTooNew, LibraryDamaged when it is no catalogue, and
        LibraryError on a network file system.
        """
        file_id(path)
        refuse_network(path.parent)
        return cls(path, write=write, immutable=not write and _is_frozen(path))._checked()

    @contextmanager
    def view(self) -> Iterator[View]:
        """One read transaction: everything asked inside sees the same committed state.

        Where another library was put in this one's place, that one is read (see View.file).
        Raises LibraryMissing when none is there any more.
        """
        # Without SQLAlchemy, whose connections and transactions take longer than most questions.
        with self._errors():
            reader = self._readers.take()
            try:
                yield reader.begin()
            finally:
                self._readers.give_back(reader)

    def changes(self) -> Hashable:
        """Another value after each commit of any process, at the cost of microseconds.

        Raises as `view`.
        """
        with self._errors():
            return self._changes.number()

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """One write transaction: committed and durable on leaving, undone by an exception.

        Raises LibraryError when the library was moved away: the lock is held on another folder.
        """
        if file_id(self.path) != self._file:
            where = display(self.path.parent)
            raise LibraryError(f"{where}: another library lies there by now; run the same again")
        with self._errors(), self._engine.connect() as connection:
            connection = connection.execution_options(immediate=True)
            with connection.begin():
                # Dead rows of its own: what it sees may be undone.
                writing = Writing(_driver(connection.connection), connection, DeadRows())
                yield writing
                writing.check_settled()

    def scrub(self) -> None:
        """Write the file anew without what was deleted from it; its log and older copies go too.

        Raises LibraryLocked when another process keeps reading an older state.
        """
        with self._errors(), self._engine.connect() as connection:
            # Beside SQLAlchemy's transactions: neither VACUUM nor a checkpoint may run in one.
            raw = _driver(connection.connection)
            raw.execute("PRAGMA secure_delete = ON")
            for table in FTS_TABLES:  # a deleted word stays in their index until it is rebuilt
                raw.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
            raw.execute("VACUUM")
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        where = display(self.path.parent)
        if busy:
            raise LibraryLocked(
                f"{where}: forgotten, but a process still reads an older state: end it (or wait)"
                " and run the same again, so that nothing of it is left in the catalogue's log"
            )
        for copy in self.path.parent.glob(f"{self.path.name}.v*"):
            copy.unlink()

    def rest(self) -> None:
        """Close every connection that nobody uses; the next question opens one again."""
        self._engine.dispose()
        self._readers.drain()
        self._changes.close()

    def close(self) -> None:
        """Close every connection."""
        self._readers.close()
        self.rest()

    def _checked(self) -> Self:
        """This catalogue, if its format is ours; else no file of it stays open."""
        try:
            self._check_format()
        except BaseException:
            self.close()
            raise
        return self

    def _check_format(self) -> None:
        """Raise, or migrate, when the file's format is not ours."""
        with self._errors(), self._engine.connect() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            tables = int(
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
            )
        where = display(self.path.parent)
        if version > FORMAT:
            raise LibraryTooNew(
                f"{where}: library of format {version}, this unisearch knows {FORMAT}: upgrade it"
            )
        if version == 0 and tables:
            raise LibraryDamaged(f"{display(self.path)} is not a catalogue of unisearch")
        if version < FORMAT:
            self._migrate(version, where)
        self._file = file_id(self.path)

    def _migrate(self, version: int, where: str) -> None:
        from unisearch.catalog.migrate import keep_copy, upgrade

        if not self.writable:
            reason = f"of the older format {version}" if version else "empty"
            raise LibraryMissing(f"{where}: the library is {reason}; run 'unisearch index' once")
        if version:
            copy = keep_copy(self.path, version)
            logger.warning("%s: format %d becomes %d; copy: %s", where, version, FORMAT, copy)
        with self._errors(), self._engine.connect() as connection:
            # Kept in the file: readers then never wait for the writer. Not inside a transaction.
            raw = _driver(connection.connection)
            raw.execute("PRAGMA journal_mode = WAL")
            connection = connection.execution_options(immediate=True)
            with connection.begin():
                upgrade(connection)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What SQLite says, in our words."""
        try:
            yield
        except DBAPIError as error:
            raise _translated(error.orig, self.path) from error
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error


def _connect(path: Path, options: str) -> sqlite3.Connection:
    raw = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?{options}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA synchronous = FULL")
    except BaseException:
        raw.close()
        raise
    return raw


def _mapped(raw: sqlite3.Connection) -> sqlite3.Connection:
    """The same connection, reading pages where the system has them: a third faster than copies
    in SQLite's own cache, and no memory of each connection."""
    raw.execute(f"PRAGMA mmap_size = {_MOST_MAPPED_BYTES}")
    return raw


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        max_overflow=-1,
        pool_reset_on_return=None,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin in SQLite itself: Python's driver would begin too late for a steady view."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _driver(pooled: PoolProxiedConnection) -> sqlite3.Connection:
    """SQLite's own connection."""
    raw = pooled.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _is_frozen(path: Path) -> bool:
    """Whether the catalogue lies on read-only media, where no shared memory file can be made."""
    log = path.with_name(path.name + "-wal")
    if log.exists() or not hasattr(os, "statvfs"):
        return False
    frozen = bool(os.statvfs(path).f_flag & os.ST_RDONLY) or not os.access(path.parent, os.W_OK)
    if frozen:
        logger.warning("%s: read-only media; it must not change meanwhile", display(path.parent))
    return frozen


def _translated(error: BaseException | None, path: Path) -> LibraryError:
    text = " ".join(str(error).split())
    where = display(path)
    if "disk is full" in text:
        return LibraryError(f"{where}: no space left on device: free some space and run it again")
    if "readonly" in text:
        return LibraryError(f"{where}: no permission to write there, or read-only media")
    if "locked" in text or "busy" in text:
        return LibraryLocked(f"{where}: another process writes and does not answer")
    if isinstance(error, sqlite3.IntegrityError) or any(
        sign in text for sign in ("malformed", "not a database", "no such", "disk I/O")
    ):
        return LibraryDamaged(f"{where}: {text}; 'unisearch doctor' says more")
    return LibraryError(f"{where}: {text}")
