"""Opening files that may be anything: every failure becomes Unreadable with the right kind."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from unisearch.errors import FailureKind, UnisearchError, Unreadable
from unisearch.media.signature import looks_like

#: What stands in the first bytes is enough to tell every format that we know.
HEAD_BYTES = 512


@contextmanager
def guarded(path: Path, wanted: str) -> Iterator[None]:
    """Whatever goes wrong inside comes out as Unreadable about `path`.

    wanted: what the file should be ('picture', '3D model', ...), for the reason. A decoder may
    raise anything on damaged bytes, so everything that is not ours counts as damage.
    """
    try:
        yield
    except UnisearchError:
        raise
    except OSError as error:
        raise Unreadable(path, _kind_of(error, path), _text_of(error, path, wanted)) from error
    except MemoryError as error:
        raise Unreadable(path, "memory", f"too little memory to read this {wanted}") from error
    except Exception as error:
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


def opened(path: Path, max_bytes: int) -> BinaryIO:
    """The file, open for reading; raises Unreadable as checked_size does."""
    checked_size(path, max_bytes)
    with guarded(path, "file"):
        return path.open("rb")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The whole content; raises Unreadable as checked_size does."""
    with opened(path, max_bytes) as file, guarded(path, "file"):
        return file.read()


def damage(path: Path, wanted: str, error: Exception | str) -> str:
    """The reason for a file that its decoder refused: what it looks like instead, when known."""
    other = foreign(path, wanted)
    if other:
        return f"not a {wanted}: its content looks like {other}"
    # Decoders put their own numbers and the path into the whole text of an OSError.
    detail = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"damaged or not a {wanted}: {detail}"[:300]


def broken(path: Path, wanted: str, reason: str) -> Unreadable:
    """The refusal of a file that holds nothing to use: for `reason`, unless it is another kind."""
    other = foreign(path, wanted)
    return Unreadable(path, "corrupt", damage(path, wanted, reason) if other else reason)


def foreign(path: Path, wanted: str) -> str | None:
    """What the first bytes announce, when that is another kind of file than `wanted`."""
    try:
        with path.open("rb") as file:
            found = looks_like(file.read(HEAD_BYTES))
    except OSError:
        return None
    return found.name if found and found.kind != wanted else None


def _kind_of(error: OSError, path: Path) -> FailureKind:
    """Decoders raise OSError for damage too: only the system's own errors carry an errno."""
    if isinstance(error, PermissionError):
        return "permission"
    if error.errno and not os.path.lexists(path):
        return "vanished"
    return "corrupt"


def _text_of(error: OSError, path: Path, wanted: str) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read the file"
    if _kind_of(error, path) == "vanished":
        return "the file is no longer there"
    return damage(path, wanted, error)
