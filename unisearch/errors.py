"""Everything that unisearch raises on purpose.

UnisearchError
├── UsageError            the question itself is malformed (exit code 2)
│   └── UnknownName       a name that no table knows; offers the nearest one
├── BadSetting            a setting in the configuration is wrong
├── MissingExtra          an optional package is not installed
├── Unreadable            one file cannot be read; `kind` says why
├── WeightsError          weights are missing, damaged or of another model
├── VectorError           a vector is not finite, not of unit length, or its key is not new
├── ServerError           a server does not answer, or does not let us in
└── LibraryError          the library as a whole cannot be used
    ├── LibraryMissing    there is none at that place
    ├── LibraryLocked     another process writes and does not answer
    ├── LibraryTooNew     written by a newer unisearch
    ├── ForeignSpace      its vectors belong to another space
    └── LibraryDamaged    what is stored contradicts itself
        └── RowsGone      a file of rows is not there: look its epoch up again, once
"""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable, Mapping
from typing import Literal

FailureKind = Literal[
    "corrupt", "unsupported", "too_large", "timeout", "crash", "memory", "vanished", "permission"
]


class UnisearchError(Exception):
    """Root of the tree; its text is one line that says what, where and what to do.

    question: which one of several that were asked together it is about, from 0 on
    """

    question: int | None = None

    def __str__(self) -> str:
        told = self._told()
        return told if self.question is None else numbered(self.question, told)

    def _told(self) -> str:
        return super().__str__()


class UsageError(UnisearchError):
    """The caller asked something that has no meaning."""


class UnknownName(UsageError):
    """A name that no table knows; names the nearest known one."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        near = difflib.get_close_matches(name, self.known, n=1, cutoff=0.7) or [
            known for known in self.known if len(name) > 2 and known.startswith(name)
        ]
        hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(self.known)}"
        super().__init__(f"unknown {what} '{name}'{hint}")


class BadSetting(UnisearchError):
    """A setting is wrong; names the file and the setting."""


class MissingExtra(UnisearchError):
    """An optional package is not installed or does not start; names the extra that brings it."""

    def __init__(self, name: str, extras: Iterable[str], reason: str = "") -> None:
        """reason: what is the matter with a package that is there."""
        self.name = name
        self.extras = tuple(extras)
        ways = " or ".join(f"pip install 'unisearch[{extra}]'" for extra in self.extras)
        super().__init__(
            f"'{name}' needs extra packages: {ways}" + (f"; {reason}" if reason else "")
        )


class Unreadable(UnisearchError):
    """One file cannot be read.

    path: the file; kind: one of FailureKind; reason: one line without the path
    transient: the system failed, not the file: it is tried again in the next run
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike[str],
        kind: FailureKind,
        reason: str,
        *,
        transient: bool = False,
    ) -> None:
        # A file name may hold newlines and bytes that are no UTF-8: shown escaped, on one line.
        self.path = os.fsdecode(path)
        self.kind: FailureKind = kind
        self.reason = _printable(" ".join(reason.split()))
        self.transient = transient
        super().__init__(self.path, kind, self.reason)

    def _told(self) -> str:
        return f"{display(self.path)}: {self.kind}: {self.reason}"


class WeightsError(UnisearchError):
    """Weights are missing, damaged or of another model."""


class VectorError(UnisearchError):
    """A vector is not finite, not of unit length, or its key is not new."""


class ServerError(UnisearchError):
    """A server does not answer, or does not let us in."""


class LibraryError(UnisearchError):
    """The library as a whole cannot be used."""


class LibraryMissing(LibraryError):
    """There is no library at that place."""


class LibraryLocked(LibraryError):
    """Another process writes to the library and does not answer."""


class LibraryTooNew(LibraryError):
    """The library was written by a newer unisearch."""


class ForeignSpace(LibraryError):
    """The library's vectors belong to another space."""


class LibraryDamaged(LibraryError):
    """What is stored contradicts itself."""


class RowsGone(LibraryDamaged):
    """A file of rows is not there.

    Also seen by a reader that looked its epoch up before a compaction and opens it after;
    one new look tells the two apart.
    """


def numbered(question: int, text: str) -> str:
    """What is told of one of several questions, by its place from 0 on."""
    return f"questions.{question}: {text}"


#: What to do about a disk that takes no more.
NO_ROOM: Mapping[int, str] = {
    errno.ENOSPC: "no space left on device: free some space and run it again",
    errno.EDQUOT: "the disk quota is used up: free some space and run it again",
    errno.EFBIG: "the file would be larger than allowed (ulimit -f, or the file system's limit)",
}


def refused(place: str | bytes | os.PathLike[str], error: OSError) -> str:
    """'PLACE: why, and what to do', of a system that does not let us write there."""
    other = f"cannot be written: {(error.strerror or str(error)).lower()}"
    return f"{display(place)}: {NO_ROOM.get(error.errno or 0, other)}"


def display(path: str | bytes | os.PathLike[str]) -> str:
    """The path as text on one line: bytes that are no UTF-8 and control characters are escaped."""
    return _printable(os.fsencode(path).decode("utf-8", "backslashreplace"))


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
