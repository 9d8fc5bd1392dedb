"""Hints from looking through a folder again and again: for network drives, and without watches."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.polling import PollingObserverVFS

from indexer.ignore import NAME as IGNORE_FILE
from indexer.scan import SYSTEM_FOLDERS
from indexer.watch.hints import Hint
from unisearch.errors import display

logger = logging.getLogger(__name__)

_IGNORE_FILE = os.fsdecode(IGNORE_FILE)


class Poller(FileSystemEventHandler):
    """Looks through one root every few seconds, in threads of its own.

    deep: and what lies below; tell: called from those threads
    It ends by itself when the root is not there any more.
    """

    def __init__(
        self, root: bytes, deep: bool, every_s: float, tell: Callable[[Hint], None]
    ) -> None:
        self.root, self._deep, self._tell = root, deep, tell
        self._observer = PollingObserverVFS(os.lstat, _listed, polling_interval=every_s)
        self._stopped = False
        # The first look takes minutes on a slow drive, and is made where it is started.
        threading.Thread(target=self._start, name="first look", daemon=True).start()

    def stop(self) -> None:
        """No more hints; does not wait for a look that is under way."""
        self._stopped = True
        self._observer.stop()
        for emitter in list(self._observer.emitters):
            emitter.stop()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog for each difference between two looks."""
        if self._stopped:
            return
        path = os.fsencode(event.src_path)
        if os.path.basename(path) == IGNORE_FILE:  # noqa: PTH119 (bytes)
            path = os.path.dirname(path)  # noqa: PTH120 (bytes)
            self._tell(Hint(path, "written", tree=True))
        elif isinstance(event, (DirMovedEvent, FileMovedEvent)):
            tree = event.is_directory
            self._tell(Hint(path, "gone", tree=tree, moved=True))
            self._tell(Hint(os.fsencode(event.dest_path), "arrived", tree=tree))
        elif isinstance(event, (DirDeletedEvent, FileDeletedEvent)):
            self._tell(Hint(path, "gone", tree=event.is_directory))
        elif not isinstance(event, (DirCreatedEvent, DirModifiedEvent)):
            self._tell(Hint(path, "seen"))

    def _start(self) -> None:
        try:
            self._observer.schedule(self, os.fsdecode(self.root), recursive=self._deep)
            self._observer.start()
        except OSError as error:
            logger.debug("%s: cannot be looked through: %s", display(self.root), error)
            return
        if self._stopped:
            self.stop()
        # What changed before the first look ended is in no later difference.
        self._tell(Hint(self.root, "written", tree=True))


def _listed(folder: str | None) -> Iterator[os.DirEntry[str]]:
    """What is worth a look: no links, which could lead in a circle, and nothing hidden."""
    with os.scandir(folder) as entries:
        for entry in entries:
            hidden = entry.name.startswith(".") or os.fsencode(entry.name) in SYSTEM_FOLDERS
            if entry.name == _IGNORE_FILE or not (hidden or entry.is_symlink()):
                yield entry
