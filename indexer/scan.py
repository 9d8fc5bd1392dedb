"""Which files lie below a place. Nothing is opened, nothing is written."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from indexer import ignore
from indexer.marks import keeps_inodes
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import Stat
from unisearch.media.read import modality_of
from unisearch.media.sidecar import base_of

#: Folders of systems, tools and version control; those with a leading dot are skipped anyway.
SYSTEM_FOLDERS = frozenset(
    (
        b"node_modules",
        b"__pycache__",
        b"CVS",
        b"$RECYCLE.BIN",
        b"System Volume Information",
        b"lost+found",
        b"@eaDir",
    )
)


class Found(NamedTuple):
    """A regular file. firm: its file system keeps inode numbers, so that they tell files apart."""

    path: bytes
    stat: Stat
    firm: bool = True

    def seems(self, before: Stat) -> bool:
        """Whether nothing was written since then, as far as the file system tells."""
        return self.stat.same_file(before) if self.firm else self.stat.same_size_and_time(before)


_Rules = ignore.Ignored | None


@dataclass
class Scan:
    """A walk below one place, which may be a single file.

    ignore: globs of names, or of paths below `top`
    skip: folders that are not entered (the library itself)
    top: the place or a folder above it, from which on files named .unisearchignore hold
    only_words: texts that stand beside a picture, a sound or a model are no files of their own
    unlisted: after the walk, folders and files that the system did not show, with its reason
    beside: after the walk, texts that may say what another file shows
    left_out: after the walk, how many files and folders globs and such files left out
    """

    place: bytes
    ignore: Sequence[str] = ()
    skip: frozenset[bytes] = frozenset()
    top: bytes = b""
    only_words: bool = False
    unlisted: dict[bytes, OSError] = field(default_factory=dict)
    left_out: int = 0
    beside: dict[bytes, Found] = field(default_factory=dict)
    _firm: dict[int, bool] = field(default_factory=dict)  # by device

    def __iter__(self) -> Iterator[Found]:
        """The files in the order of their names, folder by folder; symbolic links are left out."""
        try:
            status = os.lstat(self.place)
            is_folder = stat.S_ISDIR(status.st_mode)
            rules = self._rules_above() if is_folder else None
        except OSError as error:
            self.unlisted[self.place] = error
            return
        if not is_folder:
            if stat.S_ISREG(status.st_mode) and not self._only_words(self.place):
                yield self._found(self.place, status)
            return
        folders = [(self.place, rules)]
        while folders:
            inner = []
            entries, rules = self._entries(*folders.pop())
            names = [entry.name for entry in entries]
            alone = not any(map(_can_be_described, {name[name.rfind(b".") :] for name in names}))
            described = () if alone or not self.only_words else _described(names)
            for entry in entries:
                found = self._look(entry)
                if isinstance(found, Found):
                    base = None if alone else base_of(entry.name)
                    if base is not None:
                        self.beside[found.path] = found
                    if base is None or base not in described:
                        yield found
                elif found:
                    inner.append((found, rules))
            folders += reversed(inner)

    def covers(self, path: bytes) -> bool:
        """Whether a file at that path would have been seen: its folder could be listed."""
        return not any(relative(place, path) is not None for place in self.unlisted)

    def wants(self, path: bytes) -> bool:
        """Whether the walk would come to that path below the place, if a file were there.

        Raises OSError when that cannot be seen.
        """
        rules = self._rules_above()
        for folder, inner in _steps(self.place, path):
            rules = ignore.ignored_in(folder, rules)
            name = os.path.basename(inner)  # noqa: PTH119 (bytes)
            if self._hidden(name, inner) or self._left_out(name, inner, rules, inner != path):
                return False
        return True

    def _only_words(self, path: bytes) -> bool:
        """Whether that single file is one of the texts that are no files of their own."""
        base = base_of(os.path.basename(path)) if self.only_words else None  # noqa: PTH119 (bytes)
        if base is None:
            return False
        try:
            with os.scandir(os.path.dirname(path)) as entries:  # noqa: PTH120 (bytes)
                return base in _described(entry.name for entry in entries)
        except OSError:
            return False

    def _rules_above(self) -> _Rules:
        """Those of the folders from the top down to before the place."""
        rules: _Rules = None
        for folder, _ in _steps(self.top or self.place, self.place):
            rules = ignore.ignored_in(folder, rules)
        return rules

    def _entries(self, folder: bytes, rules: _Rules) -> tuple[list[os.DirEntry[bytes]], _Rules]:
        """What is wanted of a folder, by name, and the rules that hold in it."""
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
            if any(entry.name == ignore.NAME for entry in entries):
                rules = ignore.ignored_in(folder, rules)
        except OSError as error:
            self.unlisted[folder] = error
            return [], rules
        wanted = [entry for entry in entries if not self._hidden(entry.name, entry.path)]
        if rules is not None or self._globs is not None:
            kept = [entry for entry in wanted if not self._left_out_entry(entry, rules)]
            self.left_out += len(wanted) - len(kept)
            wanted = kept
        wanted.sort(key=lambda entry: entry.name)
        return wanted, rules

    def _look(self, entry: os.DirEntry[bytes]) -> Found | bytes | None:
        """A file, the path of a folder, or nothing that is wanted."""
        try:
            if entry.is_dir(follow_symlinks=False):
                return entry.path
            if entry.is_file(follow_symlinks=False):
                return self._found(entry.path, entry.stat(follow_symlinks=False))
        except FileNotFoundError:  # gone since the folder was listed
            return None
        except OSError as error:
            self.unlisted[entry.path] = error
        return None

    def _found(self, path: bytes, status: os.stat_result) -> Found:
        found = stat_of(status)
        firm = self._firm.get(found.device)
        if firm is None:
            firm = self._firm[found.device] = keeps_inodes(path)
        return Found(path, found, firm)

    def _hidden(self, name: bytes, path: bytes) -> bool:
        return name.startswith(b".") or name in SYSTEM_FOLDERS or path in self.skip

    def _left_out_entry(self, entry: os.DirEntry[bytes], rules: _Rules) -> bool:
        try:
            is_folder = rules is not None and entry.is_dir(follow_symlinks=False)
        except OSError:
            return False  # told when it is looked at
        return self._left_out(entry.name, entry.path, rules, is_folder)

    def _left_out(self, name: bytes, path: bytes, rules: _Rules, is_folder: bool) -> bool:
        if self._globs is not None:
            rel_path = os.fsdecode(path[len(self.top or self.place) :].lstrip(b"/"))
            if self._globs.match(os.fsdecode(name)) or self._globs.match(rel_path):
                return True
        return rules is not None and rules.leaves_out(path, is_folder)

    @cached_property
    def _globs(self) -> re.Pattern[str] | None:
        return re.compile("|".join(map(translate, self.ignore))) if self.ignore else None


def _described(names: Iterable[bytes]) -> set[bytes]:
    """What the names of texts begin with that belong to one of these files; see sidecar.py."""
    found: set[bytes] = set()
    for name in names:
        base, suffix = os.path.splitext(name)  # noqa: PTH122 (bytes)
        if _can_be_described(suffix):
            found |= {name, base}
    return found


@lru_cache(1_000)
def _can_be_described(suffix: bytes) -> bool:
    return modality_of(Path("a" + os.fsdecode(suffix))) not in (None, "text")


def _steps(above: bytes, path: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(folder, what lies in it) from `above` down to `path`; none when they are the same."""
    at = len(above.rstrip(b"/"))
    while at < len(path):
        end = path.find(b"/", at + 1)
        end = len(path) if end < 0 else end
        yield path[:at] or b"/", path[:end]
        at = end


def stat_of(status: os.stat_result) -> Stat:
    """What tells whether a file changed."""
    inode, device = status.st_ino, status.st_dev
    if inode > _MOST or device > _MOST:
        inode, device = _signed(inode), _signed(device)
    return Stat(inode, device, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


#: SQLite's integers end here; some file systems use all 64 bits.
_MOST = 2**63 - 1


def _signed(number: int) -> int:
    return number - 2**64 if number > _MOST else number
