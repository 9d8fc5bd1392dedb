"""Opening files that may be anything: every failure becomes Unreadable with the right kind."""

from __future__ import annotations

import errno
import io
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from unisearch.errors import FailureKind, UnisearchError, Unreadable, display
from unisearch.media.damage import damage

logger = logging.getLogger(__name__)

_BUFFER_BYTES = 128 * 1024

#: The system's errors that say something about the file's place. A decoder that is led to an
#: impossible place by damaged bytes raises the others. Every other one will pass.
_OF_THE_PLACE = frozenset(
    getattr(errno, name)
    for name in ("ENOENT", "ENOTDIR", "EACCES", "EPERM", "EISDIR", "ELOOP", "ENAMETOOLONG")
)
_OF_THE_CONTENT = frozenset(
    getattr(errno, name) for name in ("EINVAL", "EOVERFLOW", "EFBIG", "ESPIPE", "EBADF")
)


@contextmanager
def guarded(path: Path, wanted: str) -> Iterator[None]:
    """Whatever goes wrong inside comes out as Unreadable about `path`.

    wanted: what the file should be ('picture', '3D model', ...), for the reason. A decoder may
    raise anything on damaged bytes, so everything that is not ours counts as damage; what it
    says of it goes to the log.
    """
    try:
        yield
    except UnisearchError:
        raise
    except OSError as error:
        raise _of_system(error, path, wanted) from error
    except MemoryError as error:
        raise Unreadable(path, "memory", f"too little memory to read this {wanted}") from error
    except Exception as error:
        logger.debug("%s: %s: %s", display(path), type(error).__name__, error)
        raise Unreadable(path, "corrupt", damage(path, wanted, error)) from error


def checked_size(path: Path, max_bytes: int) -> int:
    """The size in bytes of a regular file that is neither empty nor larger than `max_bytes`.

    Raises Unreadable; devices and pipes are never opened, for reading them may not end.
    """
    with guarded(path, "file"):
        status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable(path, "unsupported", "this is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(path, "unsupported", "this is a device or a pipe, not a file")
    if status.st_size == 0:
        raise Unreadable(path, "corrupt", "the file is empty")
    if status.st_size > max_bytes:
        raise Unreadable(path, "too_large", f"{status.st_size:,} bytes, the limit is {max_bytes:,}")
    return status.st_size


@contextmanager
def opened(path: Path, max_bytes: int) -> Iterator[BinaryIO]:
    """The file, open for reading; raises Unreadable as checked_size does.

    Where the system failed to deliver bytes, that is raised when the block ends, whatever a
    decoder made of the bytes before.
    """
    checked_size(path, max_bytes)
    with guarded(path, "file"):
        source = _Watched(path)
    with io.BufferedReader(source, _BUFFER_BYTES) as file:
        try:
            yield cast(BinaryIO, file)
        except Exception:
            source.tell_failure(path)
            raise
        source.tell_failure(path)


class _Watched(io.RawIOBase):
    """A file's bytes, up to where the system fails to deliver them; remembers that it did."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", 0)
        self._failure: OSError | None = None

    def tell_failure(self, path: Path) -> None:
        """Raises Unreadable when the system failed to read."""
        if self._failure is not None:
            raise _of_system(self._failure, path, "file") from self._failure

    # The end is what every decoder can bear; pdfium would print what is raised in here.
    def readinto(self, buffer: Any) -> int | None:
        try:
            return self._file.readinto(buffer) if self._failure is None else 0
        except OSError as error:
            self._failure = error
            return 0

    def readall(self) -> bytes:  # the inherited one reads large files in small pieces
        try:
            return self._file.readall() if self._failure is None else b""
        except OSError as error:
            self._failure = error
            return b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, OverflowError):  # damaged bytes lead to no place: that is as the end
            return self._file.seek(0, os.SEEK_END)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The whole content; raises Unreadable as checked_size does."""
    with opened(path, max_bytes) as file, guarded(path, "file"):
        return file.read()


def _of_system(error: OSError, path: Path, wanted: str) -> Unreadable:
    """What an OSError says: decoders raise it for damage too, but then without an errno."""
    if isinstance(error, PermissionError):
        return Unreadable(path, "permission", "no permission to read the file")
    if error.errno is None:
        return Unreadable(path, "corrupt", damage(path, wanted, error))
    if error.errno in _OF_THE_CONTENT:
        reason = "it refers to a place in it that does not exist"
        return Unreadable(path, "corrupt", damage(path, wanted, reason))
    if error.errno not in _OF_THE_PLACE:
        kind: FailureKind = "memory" if error.errno == errno.ENOMEM else "crash"
        reason = f"the system cannot read it: {os.strerror(error.errno)}; the next run tries again"
        return Unreadable(path, kind, reason, transient=True)
    if not os.path.lexists(path):
        return Unreadable(path, "vanished", "the file is no longer there")
    return Unreadable(path, "corrupt", f"the system cannot open it: {os.strerror(error.errno)}")
