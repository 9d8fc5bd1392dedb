"""Hints from inotify: every folder below the watched ones has a watch of its own."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Protocol

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from indexer.ignore import NAME as IGNORE_FILE
from indexer.scan import SYSTEM_FOLDERS
from indexer.watch.hints import Hint
from unisearch.catalog.folders import relative

_IN = InotifyConstants
_WANTED = Mask(
    reduce(
        or_,
        (
            *(_IN.IN_CLOSE_WRITE, _IN.IN_CREATE, _IN.IN_DELETE, _IN.IN_ATTRIB),
            *(_IN.IN_MOVED_FROM, _IN.IN_MOVED_TO, _IN.IN_DELETE_SELF),
            *(_IN.IN_ONLYDIR, _IN.IN_DONT_FOLLOW, _IN.IN_EXCL_UNLINK),
        ),
    )
)


class NoWatches(OSError):
    """The system gives no more watches; errno says which limit was reached."""


class Source(Protocol):
    """What is used of watchdog's InotifyFD."""

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor: ...

    def remove_callbacks(self, callbacks: list[tuple[WatchDescriptor, CallbackId]]) -> None: ...


@dataclass(frozen=True)
class Listener:
    """Who hears what. Called from the thread that reads the events; none of them may raise.

    hint: something happened · lost: events were lost, everything must be looked at again
    full: a folder below that root could not be watched, for lack of watches
    """

    hint: Callable[[Hint], None]
    lost: Callable[[], None]
    full: Callable[[bytes, OSError], None]


@dataclass
class Folders(WatchCallback):
    """The watched folders.

    A watch stays with its folder when that is moved: where each folder lies is kept here.
    Hidden folders and those of systems are not watched: nothing in them is indexed.
    """

    source: Source
    listener: Listener
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _roots: dict[bytes, bool] = field(default_factory=dict)  # root: whether what lies below too
    _paths: dict[WatchDescriptor, bytes] = field(default_factory=dict)
    _watches: dict[bytes, WatchDescriptor] = field(default_factory=dict)
    _inner: defaultdict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, root: bytes, deep: bool) -> None:
        """Watch a root; doing so again adds what is missing.

        deep: and all folders below
        Raises NoWatches, and then watches nothing of it; OSError when it cannot be watched.
        """
        with self._lock:
            self._roots[root] = deep
            try:
                self._watch(root)
                if deep:
                    self._watch_below(root)
            except OSError:
                self.remove(root)
                raise

    def remove(self, root: bytes) -> None:
        """Watch that root no longer."""
        with self._lock:
            if self._roots.pop(root, True):
                self._drop(root)
            elif root in self._watches:  # what is watched below it belongs to other roots
                self.source.remove_callbacks([(self._unlink(root), CallbackId(id(self)))])

    def on_event(self, event: InotifyEvent) -> None:
        """Called by watchdog for each event."""
        try:
            with self._lock:
                folder = self._paths.get(event.wd)
                if folder is not None and event.name:
                    self._take(event, folder, event.name)
        except NoWatches as error:
            with self._lock:  # roots come and go in another thread
                root = self._root_of(folder or b"")
            self.listener.full(root, error)
        except OSError:  # it was there when the event came
            self.listener.lost()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Called by watchdog when a watched folder is gone, or its disk."""
        with self._lock:
            path = self._paths.get(wd)
            if path is not None:
                self._unlink(path)

    def on_queue_overflow(self) -> None:
        """Called by watchdog after the system dropped events."""
        self.listener.lost()

    def _take(self, event: InotifyEvent, folder: bytes, name: bytes) -> None:
        path = folder.rstrip(b"/") + b"/" + name
        if name == IGNORE_FILE:
            self.listener.hint(Hint(folder, "written", tree=True))
        elif name.startswith(b".") or name in SYSTEM_FOLDERS:
            return
        elif event.is_directory:
            self._take_folder(event, path)
        else:
            self._take_file(event, path)

    def _take_file(self, event: InotifyEvent, path: bytes) -> None:
        tell = self.listener.hint
        if event.is_close_write:
            tell(Hint(path, "written"))
        elif event.is_moved_to:
            tell(Hint(path, "arrived"))
        elif event.is_delete or event.is_moved_from:
            tell(Hint(path, "gone", moved=event.is_moved_from))
        elif event.is_attrib:
            tell(Hint(path, "seen"))
        elif event.is_create and _is_linked(path):  # a new name of a file; nobody will close it
            tell(Hint(path, "arrived"))

    def _take_folder(self, event: InotifyEvent, path: bytes) -> None:
        if event.is_delete or event.is_moved_from:
            self._drop(path)
            self.listener.hint(Hint(path, "gone", tree=True, moved=event.is_moved_from))
            return
        if not self._roots.get(self._root_of(path)):
            return
        if event.is_moved_to or (event.is_attrib and path not in self._watches):
            # Told twice: no later than where it was is told to be gone, and after the last watch.
            self.listener.hint(Hint(path, "arrived", tree=True))
            self._watch_tree(path)
            self.listener.hint(Hint(path, "arrived", tree=True))
        elif event.is_create:
            self._watch_tree(path, tell_files=True)

    def _watch_tree(self, path: bytes, tell_files: bool = False) -> None:
        """Watch a folder that has just turned up.

        tell_files: what is in it already came before the watch
        """
        self._drop(path)  # what was there before
        try:
            self._watch(path)
        except NoWatches:
            raise
        except OSError:  # gone again
            return
        self._watch_below(path, tell_files)

    def _watch_below(self, folder: bytes, tell_files: bool = False) -> None:
        folders = [folder]
        while folders:
            for entry in _entries(folders.pop()):
                if entry.name.startswith(b".") or entry.name in SYSTEM_FOLDERS:
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    if tell_files:
                        self.listener.hint(Hint(entry.path, "seen"))
                    continue
                try:
                    self._watch(entry.path)
                except NoWatches:
                    raise
                except OSError:  # gone again, or not for us
                    continue
                folders.append(entry.path)

    def _watch(self, path: bytes) -> None:
        if path in self._watches:
            return
        if not os.access(path, os.R_OK):  # watchdog takes a refusal for a watch
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        try:
            wd = self.source.add_callback(path, _WANTED, self, CallbackId(id(self)))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EMFILE):
                raise NoWatches(error.errno, error.strerror, path) from error
            raise
        before = self._paths.get(wd)
        if before is not None:  # the folder was moved, and that event is still to come
            self._unlink(before)
        self._paths[wd], self._watches[path] = path, wd
        self._inner[os.path.dirname(path)].add(path)  # noqa: PTH120 (bytes)

    def _drop(self, path: bytes) -> None:
        """Watch neither the folder nor what lies below it."""
        gone, folders = [], [path]
        while folders:
            folder = folders.pop()
            folders += self._inner.get(folder, ())
            if folder in self._watches:
                gone.append(self._unlink(folder))
        self.source.remove_callbacks([(wd, CallbackId(id(self))) for wd in gone])

    def _unlink(self, path: bytes) -> WatchDescriptor:
        wd = self._watches.pop(path)
        del self._paths[wd]
        above = os.path.dirname(path)  # noqa: PTH120 (bytes)
        self._inner[above].discard(path)
        if not self._inner[above]:
            del self._inner[above]
        return wd

    def _root_of(self, path: bytes) -> bytes:
        """The innermost root: a deep one may lie below one that is not."""
        roots = (root for root in self._roots if relative(root, path) is not None)
        return max(roots, key=len, default=b"")


def _entries(folder: bytes) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # a scan tells of it
        return []


def _is_linked(path: bytes) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink > 1


def inotify() -> InotifyFD:
    """A running reader of events. Raises NoWatches when the system has no more instances."""
    try:
        source = InotifyFD()
    except OSError as error:
        raise NoWatches(error.errno, error.strerror) from error
    source.start()
    return source
