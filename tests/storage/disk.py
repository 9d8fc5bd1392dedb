"""A disk that records what it is told, and what it may hold after the power went at some moment.

Model: a write, a cut or a change of names is sure to be there once its file (or its folder) was
synced; until then any of them may be missing, whatever came after it. A write is torn at
sectors of 512 bytes, a rename is not. A commit of the catalogue is sure on return: SQLite keeps
it (WAL, synchronous=FULL), so the catalogue is a copy of what was committed last.
"""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from unisearch.catalog.open import Catalog
from unisearch.catalog.write import Writing
from unisearch.index.durable import Disk
from unisearch.wiring import CATALOG_FILE

SECTOR = 512


class Write(NamedTuple):
    """data None: the file is cut at the offset."""

    file: int
    offset: int
    data: bytes | None


class Synced(NamedTuple):
    file: int


class Name(NamedTuple):
    """A name in a folder, both by path; file None: the name is gone. took: the name before."""

    folder: Path
    name: str
    file: int | None
    took: str | None = None


class SyncedNames(NamedTuple):
    folder: Path


class Commit(NamedTuple):
    """The catalogue from now on, and what the library should hold."""

    catalog: bytes
    expected: Any


Event = Write | Synced | Name | SyncedNames | Commit


class Recorder(Disk):
    """Does what it is told and notes it. Files keep their number when they are renamed.

    deaf: syncs of files or folders for which this holds are forgotten, as on a disk that lies
    """

    def __init__(self, root: Path, deaf: Callable[[str], bool] = lambda _: False) -> None:
        self.events: list[Event] = []
        self.expected: Any = None
        self._root = root
        self._deaf = deaf
        self._files: dict[Path, int] = {}
        self._handles: dict[int, int] = {}
        self._paths: dict[int, Path] = {}
        self._count = 0

    def open(self, path: Path, *, new: bool = False) -> int:
        known = path.exists()
        handle = super().open(path, new=new)
        if not known:
            self._files[path] = self._next()
            self._note(Name(self._place(path.parent), path.name, self._files[path]))
        elif new:
            self._note(Write(self._files[path], 0, None))
        self._handles[handle], self._paths[handle] = self._files[path], path
        return handle

    def write(self, handle: int, offset: int, data: bytes | memoryview) -> None:
        super().write(handle, offset, data)
        self._note(Write(self._handles[handle], offset, bytes(data)))

    def truncate(self, handle: int, size: int) -> None:
        super().truncate(handle, size)
        self._note(Write(self._handles[handle], size, None))

    def sync(self, handle: int) -> None:
        super().sync(handle)
        if not self._deaf(self._paths[handle].suffix):
            self._note(Synced(self._handles[handle]))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self._files[new] = self._files.pop(old)
        self._note(Name(self._place(new.parent), new.name, self._files[new], took=old.name))

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        if self._files.pop(path, None) is not None:
            self._note(Name(self._place(path.parent), path.name, None))

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._note(Name(self._place(path.parent), path.name, -1))

    def sync_folder(self, path: Path) -> None:
        super().sync_folder(path)
        if not self._deaf("folder"):
            self._note(SyncedNames(self._place(path)))

    @contextmanager
    def commits(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Note each commit of the catalogue with what is expected after it."""
        original, recorder = Catalog.write, self

        @contextmanager
        def write(catalog: Catalog) -> Iterator[Writing]:
            with original(catalog) as tx:
                yield tx
            with closing(sqlite3.connect(catalog.path)) as base:
                recorder._note(Commit(base.serialize(), recorder.expected))

        with patch.context() as inner:
            inner.setattr(Catalog, "write", write)
            yield

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _place(self, path: Path) -> Path:
        return path.relative_to(self._root)

    def _note(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Survivor:
    """What is on the disk after some events, and what may be."""

    chance: random.Random
    #: Share of the unsynced changes that are lost.
    lost: float
    catalog: bytes = b""
    expected: Any = None
    _kept: dict[int, list[Write]] = field(default_factory=lambda: defaultdict(list))
    _waiting: dict[int, list[Write]] = field(default_factory=lambda: defaultdict(list))
    _names: dict[Path, list[Name]] = field(default_factory=lambda: defaultdict(list))
    _waiting_names: dict[Path, list[Name]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: Event) -> None:
        match event:
            case Write(file, offset, data):
                self._waiting[file] += _sectors(file, offset, data)
            case Synced(file):
                self._kept[file] += self._waiting.pop(file, [])
            case Name(folder):
                self._waiting_names[folder].append(event)
            case SyncedNames(folder):
                self._names[folder] += self._waiting_names.pop(folder, [])
            case Commit(catalog, expected):
                self.catalog, self.expected = catalog, expected

    def build(self, root: Path) -> None:
        """Write a folder as it may be found when the power is back."""
        root.mkdir()
        (root / CATALOG_FILE).write_bytes(self.catalog)
        self._build_folder(root, Path())

    def _build_folder(self, root: Path, folder: Path) -> None:
        names: dict[str, int] = {}
        for name in [*self._names[folder], *self._some(self._waiting_names[folder])]:
            if name.took is not None:
                names.pop(name.took, None)
            if name.file is None:
                names.pop(name.name, None)
            else:
                names[name.name] = name.file
        for name, file in names.items():
            if file == -1:
                (root / folder / name).mkdir()
                self._build_folder(root, folder / name)
            else:
                (root / folder / name).write_bytes(self._content(file))

    def _content(self, file: int) -> bytes:
        content = bytearray()
        for write in [*self._kept[file], *self._some(self._waiting[file])]:
            if write.data is None:
                del content[write.offset :]
                continue
            content.extend(bytes(max(0, write.offset - len(content))))
            content[write.offset : write.offset + len(write.data)] = write.data
        return bytes(content)

    def _some(self, changes: list[Any]) -> list[Any]:
        return [change for change in changes if self.chance.random() >= self.lost]


def after_power_cut(events: list[Event], seed: int, root: Path) -> Any:
    """Build the folder as it may be when the power goes behind these events; what is expected."""
    chance = random.Random(seed)
    survivor = Survivor(chance, chance.choice([0.0, 0.1, 0.5, 0.9, 1.0]))
    for event in events:
        survivor.take(event)
    survivor.build(root)
    return survivor.expected


def _sectors(file: int, offset: int, data: bytes | None) -> list[Write]:
    if data is None:
        return [Write(file, offset, None)]
    cuts = [0, *range(SECTOR - offset % SECTOR, len(data), SECTOR), len(data)]
    return [
        Write(file, offset + start, data[start:stop])
        for start, stop in pairwise(cuts)
        if stop > start
    ]
