"""One writer at a time: an exclusive lock on LIBRARY/writer.lock, gone with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unisearch.errors import LibraryError, LibraryLocked, display

LOCK_FILE = "writer.lock"


@contextmanager
def writer_lock(library: Path) -> Iterator[None]:
    """Hold the library for writing; its folder is made when there is none.

    Raises LibraryLocked, naming the process, when another one writes.
    """
    handle = _opened(library)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise LibraryLocked(
                f"{display(library)}: process {holder} writes and does not answer;"
                " stop it or wait until it is done"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        # The file stays: unlinking it would let two processes lock two files of one name.
        yield
    finally:
        os.close(handle)


def _opened(library: Path) -> int:
    try:
        library.mkdir(parents=True, exist_ok=True)
        return os.open(library / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LibraryError(f"{display(library)}: cannot write there: {error.strerror}") from error
