"""All writes, fsyncs, renames and unlinks of rows, keys and snapshots: what returned survives
a power cut.

The functions here are built of the few calls of `Disk`; a test puts a recorder in its place
(`durable.disk`). Every OSError of theirs becomes one LibraryError that says what to do.
"""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from unisearch.errors import NO_ROOM, LibraryDamaged, LibraryError, display

_BUFFER = 1 << 20
_TEMPORARY = re.compile(r"\.\d+\.tmp$")
_ADVICE = {
    **NO_ROOM,
    errno.EROFS: "the file system is read-only: mount it writable or copy the library",
    errno.EACCES: "no permission to write there: ask its owner, or take another --library",
    errno.EPERM: "no permission to write there: ask its owner, or take another --library",
}


class Disk:
    """The calls that change files; nothing else in this room does."""

    def open(self, path: Path, *, new: bool = False) -> int:
        """A handle for writing; the file is made when it is missing, and emptied with `new`."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        return os.open(path, flags | (os.O_TRUNC if new else 0), 0o644)

    def write(self, handle: int, offset: int, data: bytes | memoryview) -> None:
        """All of the data at that offset."""
        os.lseek(handle, offset, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file there."""
        os.ftruncate(handle, size)

    def sync(self, handle: int) -> None:
        """The file's bytes and length are on the disk on return."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """`new` names the file from now on, at once; whatever it named before is gone."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """The name is gone; no error when it was."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """One folder, whose parent is there."""
        path.mkdir(exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """The names in the folder are on the disk on return."""
        if not hasattr(os, "O_DIRECTORY"):  # a system that cannot open folders
            return
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


disk = Disk()


def append(path: Path, offset: int, data: bytes) -> bool:
    """Write `data` at `offset`, dropping whatever lay behind it; True when the file is new.

    The data is on the disk on return; a new file's name only after `sync_folder`.
    Raises LibraryDamaged for a file shorter than `offset` (zeros would pass for rows), and
    LibraryError when the system refuses.
    """
    with _told(path), _opened(path) as (handle, new):
        size = os.fstat(handle).st_size
        if size < offset:
            raise LibraryDamaged(f"{display(path)} has {size} bytes of {offset}: rows are lost")
        disk.truncate(handle, offset)
        disk.write(handle, offset, data)
        disk.sync(handle)
    return new


def cut(path: Path, size: int) -> bool:
    """Drop what lies behind `size` bytes; whether there was anything. Never makes a file longer."""
    if not path.exists() or path.stat().st_size <= size:
        return False
    with _told(path), _opened(path) as (handle, _):
        disk.truncate(handle, size)
        disk.sync(handle)
    return True


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """The whole file at once: readers see the old one or the new one, also after a power cut.

    write: called once with a binary file that only writes (FAISS: PyCallbackIOWriter(file.write))
    What it wrote goes to a temporary name in the same folder (made when missing), to the disk,
    and then to its own name. When anything fails there, the old file stays and no other is left.
    Raises LibraryError when the system refuses; what `write` raises passes through.
    """
    make_folder(path.parent)
    with _told(path):
        with _taking_the_place_of(path) as handle:
            sink: io.RawIOBase = _Sink(handle)
            with io.BufferedWriter(sink, _BUFFER) as file:
                write(cast(BinaryIO, file))
            disk.sync(handle)
        disk.sync_folder(path.parent)


def write_unsynced(path: Path, data: bytes) -> None:
    """The whole file at once for readers, but not for a power cut, which may leave an empty one.

    For what may be lost: it costs no wait for the disk. The folder is made when it is missing.
    Raises LibraryError when the system refuses.
    """
    make_folder(path.parent, sync=False)
    with _told(path), _taking_the_place_of(path) as handle:
        disk.write(handle, 0, data)


@contextmanager
def _taking_the_place_of(path: Path) -> Iterator[int]:
    """A handle of a new file, which in the end gets this name; not when anything fails before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = disk.open(temporary, new=True)
        try:
            yield handle
        finally:
            disk.close(handle)
        disk.rename(temporary, path)
    except BaseException:
        disk.unlink(temporary)
        raise


def is_temporary(path: Path) -> bool:
    """Whether `write_atomically` was interrupted there; the writer may remove such a file."""
    return path.name.startswith(".") and _TEMPORARY.search(path.name) is not None


def listed(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none, or it was removed at this moment."""
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208 (lists at once)
    except (FileNotFoundError, NotADirectoryError):
        return []


def size_of(path: Path) -> int | None:
    """In bytes, in one look: a writer may remove the file at any moment. None when it is gone."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def unlink(paths: Iterable[Path], *, sync: bool = True) -> None:
    """Remove files, missing ones included; with `sync` they do not come back after a power cut."""
    folders: dict[Path, None] = {}
    for path in paths:
        with _told(path):
            disk.unlink(path)
        folders[path.parent] = None
    for folder in folders if sync else ():
        if folder.exists():
            sync_folder(folder)


def make_folder(path: Path, *, sync: bool = True) -> None:
    """Create the folder and its missing parents; with `sync` their names are on the disk then."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    with _told(path):
        for folder in reversed(missing):
            disk.make_folder(folder)
            if sync:
                disk.sync_folder(folder.parent)


def drop_cache(path: Path) -> None:
    """Have the next look at the file read the disk, where the system can be asked for that."""
    if not hasattr(os, "posix_fadvise") or not path.exists():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Make the folder's names durable."""
    with _told(path):
        disk.sync_folder(path)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, bool]]:
    """(handle for writing, whether the file is new)."""
    new = not path.exists()
    handle = disk.open(path)
    try:
        yield handle, new
    finally:
        disk.close(handle)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system says, in one line with the folder and what to do."""
    try:
        yield
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        reason = _ADVICE.get(error.errno or 0, f"cannot be written: {said}")
        raise LibraryError(f"{display(path.parent)}: {reason}") from error


class _Sink(io.RawIOBase):
    """A file that grows through `disk`; closing it leaves the handle open."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        size = len(data)
        disk.write(self._handle, self._at, data)
        self._at += size
        return size
