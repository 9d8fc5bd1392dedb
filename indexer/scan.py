"""Which files lie below a place. Nothing is opened, nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from unisearch.catalog.folders import relative
from unisearch.catalog.rows import Stat

#: Folders of systems, tools and version control; those with a leading dot are skipped anyway.
SYSTEM_FOLDERS = frozenset(
    (
        "node_modules",
        "__pycache__",
        "CVS",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        "@eaDir",
    )
)


@dataclass(frozen=True)
class Found:
    """A regular file."""

    path: bytes
    stat: Stat


@dataclass
class Scan:
    """A walk below one place, which may be a single file.

    ignore: globs of names, or of paths below the place
    skip: folders that are not entered (the library itself)
    unlisted: after the walk, folders and files that the system did not show, with its reason
    """

    place: bytes
    ignore: Sequence[str] = ()
    skip: frozenset[bytes] = frozenset()
    unlisted: dict[bytes, OSError] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Found]:
        """The files in the order of their names, folder by folder; symbolic links are left out."""
        try:
            status = os.lstat(self.place)
        except OSError as error:
            self.unlisted[self.place] = error
            return
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode):
                yield Found(self.place, stat_of(status))
            return
        folders = [self.place]
        while folders:
            inner = []
            for entry in self._entries(folders.pop()):
                found = self._look(entry)
                if isinstance(found, Found):
                    yield found
                elif found:
                    inner.append(found)
            folders += reversed(inner)

    def covers(self, path: bytes) -> bool:
        """Whether a file at that path would have been seen: its folder could be listed."""
        return not any(relative(place, path) is not None for place in self.unlisted)

    def _entries(self, folder: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(folder) as entries:
                wanted = [entry for entry in entries if not self._skipped(entry)]
        except OSError as error:
            self.unlisted[folder] = error
            return []
        return sorted(wanted, key=lambda entry: entry.name)

    def _look(self, entry: os.DirEntry[bytes]) -> Found | bytes | None:
        """A file, the path of a folder, or nothing that is wanted."""
        try:
            if entry.is_dir(follow_symlinks=False):
                return entry.path
            if entry.is_file(follow_symlinks=False):
                return Found(entry.path, stat_of(entry.stat(follow_symlinks=False)))
        except FileNotFoundError:  # gone since the folder was listed
            return None
        except OSError as error:
            self.unlisted[entry.path] = error
        return None

    def _skipped(self, entry: os.DirEntry[bytes]) -> bool:
        name = os.fsdecode(entry.name)
        if name.startswith(".") or name in SYSTEM_FOLDERS or entry.path in self.skip:
            return True
        rel_path = os.fsdecode(entry.path[len(self.place) :].lstrip(b"/"))
        return any(fnmatchcase(name, glob) or fnmatchcase(rel_path, glob) for glob in self.ignore)


def stat_of(status: os.stat_result) -> Stat:
    """What tells whether a file changed."""
    return Stat(
        _signed(status.st_ino),
        _signed(status.st_dev),
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _signed(number: int) -> int:
    """SQLite's integers end at 2^63 - 1; some file systems use all 64 bits."""
    return number - 2**64 if number >= 2**63 else number
