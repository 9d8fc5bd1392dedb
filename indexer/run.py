"""The writer of a library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from indexer.compaction import tidy
from indexer.foresee import Foresight, foresee_first
from indexer.lock import writer_lock
from indexer.places import place_of, refuse_own, resolve
from indexer.report import Report
from indexer.store import settle
from indexer.work import ProgressHook, Work
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import RootRow
from unisearch.catalog.write import Writing
from unisearch.config import Settings, load_settings
from unisearch.errors import LibraryMissing, UnisearchError, display
from unisearch.wiring import CATALOG_FILE, Rooms, check_folder, open_rooms

AnyPath = Path | str | bytes


class Indexer:
    """Writes to one library. As a context manager it holds the writer's lock from the first call
    that writes to the end, and otherwise during each call.

    library: the folder, else the configured one; the first `run` makes it
    Every call but a dry run raises LibraryLocked while another process writes.
    """

    def __init__(
        self, library: Path | str | None = None, *, settings: Settings | None = None
    ) -> None:
        settings = settings or load_settings()
        if library is not None:
            settings = settings.model_copy(update={"library": Path(library)})
        self.settings = settings
        self._rooms: Rooms | None = None
        self._held = ExitStack()
        self._keeps = False
        self._locked = False

    def run(
        self,
        paths: Iterable[AnyPath] | AnyPath,
        *,
        dry_run: bool = False,
        retry: bool = False,
        progress: ProgressHook | None = None,
    ) -> Report:
        """Bring the library in step with these files and folders; unreadable files are reported.

        dry_run: count what would happen and write nothing
        retry: try unchanged files that failed before again (a new package, a raised limit)
        progress: called after each file
        Raises UnisearchError for a path that does not exist or lies in the library, LibraryError
        for a folder that cannot become one and ForeignSpace for a library of another space.
        KeyboardInterrupt passes through after what is encoded was stored.
        """
        places = resolve([paths] if isinstance(paths, AnyPath) else paths)
        check_folder(self.settings.library)
        refuse_own(places, self.settings.library)
        if dry_run:
            return self._foresee(places, retry)
        with self._writing() as rooms:
            return Work(rooms, progress, retry).over(places)

    def forget(self, path: AnyPath) -> int:
        """Drop what is at and below a path from the library; how many files it knew there,
        those that could not be read included.

        The files stay as they are, and a later run over them finds them again.
        """
        place = os.path.realpath(os.fsencode(path))
        with self._changing() as tx:
            roots, known = tx.roots(), tx.known_files(place)
            failed = {failure.path for failure in tx.failures(place)}
            for at in (place_of(roots, path) for path in failed):
                if at is not None:
                    tx.clear_failure(at.root, at.rel_path)
            tx.remove_items(file.item for file in known.values())
            tx.drop_empty_roots()
            return len(failed | known.keys())

    def tag(self, items: Sequence[int], add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
        """Put words on items and take others off; how many items changed.

        Raises UnisearchError for an id that the library does not have, and then changes none.
        """
        with self._changing() as tx:
            for item in items:
                if tx.item(item) is None:
                    raise UnisearchError(f"item:{item}: the library has no such item")
            return sum(tx.tag(item, add, remove) for item in items)

    def remove_root(self, path: AnyPath) -> int:
        """Drop a root and all its items from the library; how many there were.

        Raises UnisearchError when that folder is no root.
        """
        place = os.path.realpath(os.fsencode(path))
        with self._changing() as tx:
            for root in tx.roots():
                if root.path == place:
                    return tx.remove_root(root.id)
        raise UnisearchError(
            f"{display(path)} is not an indexed folder; see 'unisearch roots list'"
        )

    def relocate(self, old: AnyPath, new: AnyPath) -> int:
        """A root's folder was moved: look for its items below `new`; how many there are.

        Raises UnisearchError when `old` is no root, `new` no folder, or another root is there.
        """
        before, after = (os.path.realpath(os.fsencode(path)) for path in (old, new))
        if not os.path.isdir(after):  # noqa: PTH112 (paths are bytes)
            raise UnisearchError(f"{display(new)}: no such folder")
        with self._changing() as tx:
            roots = {root.path: root for root in tx.roots()}
            if before not in roots:
                raise UnisearchError(f"{display(old)} is not an indexed folder")
            for path, other in roots.items():
                if path != before and _overlap(roots[before], after, other):
                    raise UnisearchError(f"{display(new)}: {display(path)} is indexed already")
            tx.move_root(roots[before].id, after)
            return roots[before].items

    def close(self) -> None:
        """Let go of the lock and the library."""
        self._held.close()
        if self._rooms is not None:
            self._rooms.close()
            self._rooms = None

    def __enter__(self) -> Self:
        self._keeps = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self, create: bool = True) -> Iterator[Rooms]:
        """The opened rooms, with the lock held; they stay open for the next call."""
        if not create and not (self.settings.library / CATALOG_FILE).exists():
            raise LibraryMissing(f"{display(self.settings.library)}: no library there")
        with ExitStack() as this_call:
            if not self._locked:
                keeper = self._held if self._keeps else this_call
                keeper.enter_context(writer_lock(self.settings.library))
                self._locked = True
                keeper.callback(self._unlocked)
            if self._rooms is None:
                self._rooms = open_rooms(self.settings, write=True)
                tidy(self._rooms)
            yield self._rooms

    def _unlocked(self) -> None:
        self._locked = False

    @contextmanager
    def _changing(self) -> Iterator[Writing]:
        """One transaction on an existing library; rows that died are marked at its end."""
        with self._writing(create=False) as rooms, rooms.catalog.write() as tx:
            yield tx
            settle(tx, rooms.library)

    def _foresee(self, places: Sequence[bytes], retry: bool) -> Report:
        try:
            rooms = open_rooms(self.settings)
        except LibraryMissing:
            return foresee_first(places, self.settings.index.ignore)
        with rooms:
            return Foresight(rooms, retry).over(places)


def _overlap(root: RootRow, after: bytes, other: RootRow) -> bool:
    """Whether some path would belong to both roots when the first lies at `after`."""
    inside = other.whole and relative(other.path, after) is not None
    around = root.whole and relative(after, other.path) is not None
    return inside or around or other.path == after
