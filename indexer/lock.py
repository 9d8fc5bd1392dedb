"""One writer at a time: an exclusive lock on LIBRARY/writer.lock, gone with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from unisearch.errors import LibraryError, display

LOCK_FILE = "writer.lock"
#: Held by the process that watches the library's folders, whether it writes or not.
WATCH_FILE = "watch.lock"


def take_lock(library: Path, name: str = LOCK_FILE) -> int | None:
    """The lock as a file descriptor that holds it until it is closed; None when another has it.

    The library's folder is made when there is none. Raises LibraryError when that fails.
    """
    handle = _opened(library, name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise LibraryError(f"{display(library)}: cannot be locked: {error.strerror}") from error
    # The file stays for good: unlinking it would let two processes lock two files of one name.
    return handle


def holder_of(library: Path, name: str = LOCK_FILE) -> int | None:
    """The process that took the lock last, None when the file does not say."""
    try:
        text = (library / name).read_bytes()[:20].decode("ascii", "replace").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def cpu_ticks(process: int) -> int | None:
    """The processor time that a process has used; None where that does not show."""
    try:
        status = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return None
    fields = status[status.rindex(b")") + 2 :].split()  # after the name, which may hold anything
    return int(fields[11]) + int(fields[12])  # utime, stime: proc(5)


def _opened(library: Path, name: str) -> int:
    try:
        library.mkdir(parents=True, exist_ok=True)
        return os.open(library / name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LibraryError(f"{display(library)}: cannot write there: {error.strerror}") from error
