"""Keeps the folders watched: those that come and go, and where the system has no more watches."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.watch.hints import Hint
from indexer.watch.polling import Poller
from indexer.watch.targets import Identity, Target, identity, way_of
from unisearch.errors import display
from unisearch.sections import WatchSettings

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyFD

    from indexer.watch.folders import Folders

logger = logging.getLogger(__name__)

#: What to raise where the system has no more of something, by the error that it gives.
_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
}


@dataclass
class _Watched:
    target: Target
    identity: Identity | None = None  # None: out of reach
    poller: Poller | None = None


@dataclass
class Watcher:
    """Watches folders. Its methods are for one thread; what is handed in is called from others.

    hint: something happened · lost: events were lost, so that everything must be looked at again
    """

    settings: WatchSettings
    hint: Callable[[Hint], None]
    lost: Callable[[], None]
    _watched: dict[bytes, _Watched] = field(default_factory=dict)
    _source: InotifyFD | None = None
    _folders: Folders | None = None
    _full: list[tuple[bytes, OSError]] = field(default_factory=list)
    _without: set[bytes] = field(default_factory=set)  # roots that no events can be had for

    def keep(self, targets: Iterable[Target]) -> list[bytes]:
        """Watch these folders and no others; those that must be looked through, as they are new
        here, or others than before, or back again."""
        wanted = {target.path: target for target in targets}
        for path in [path for path, one in self._watched.items() if wanted.get(path) != one.target]:
            self._leave(self._watched.pop(path))
        self._revive()
        self._fall_back()
        changed = []
        for path, target in wanted.items():
            is_new = path not in self._watched
            one = self._watched.setdefault(path, _Watched(target))
            if self._follow(one, is_new):
                changed.append(path)
        return changed

    def renew(self) -> None:
        """Watch folders that events were lost of."""
        for path, one in self._watched.items():
            if self._folders is not None and one.identity is not None and one.poller is None:
                self._folders.remove(path)
                self._attach(one)

    def forget_limits(self) -> None:
        """Try again to get events where there were no more watches."""
        self._without.clear()

    def stop(self) -> None:
        """Watch nothing any more."""
        for one in self._watched.values():
            self._leave(one)
        self._watched.clear()
        if self._source is not None:
            self._source.stop()
        self._source = self._folders = None

    @property
    def told(self) -> str:
        """'3 folders (2 by polling, 1 out of reach)'."""
        count = len(self._watched)
        away = sum(one.identity is None for one in self._watched.values())
        polled = sum(one.poller is not None for one in self._watched.values())
        parts = [f"{polled} by polling"] * bool(polled) + [f"{away} out of reach"] * bool(away)
        more = f" ({', '.join(parts)})" if parts else ""
        return f"{count} folder{'s' * (count != 1)}{more}"

    def _follow(self, one: _Watched, is_new: bool) -> bool:
        """Attach, detach or leave as it is; whether it must be looked through."""
        now, path = identity(one.target.path), one.target.path
        if now is None and (one.identity is not None or is_new):
            self._leave(one)
            logger.warning(
                "%s: not there; its files stay in the library, and it is watched again as soon as"
                " it is back",
                display(path),
            )
        if now is None or now == one.identity:
            return False
        self._leave(one)
        one.identity = now
        self._attach(one)
        if not is_new:
            logger.info("%s: is there again", display(path))
        return True

    def _attach(self, one: _Watched) -> None:
        path = one.target.path
        way = "polling" if path in self._without else way_of(path, self.settings.polling)
        try:
            if way == "events":
                self._events().add(path, one.target.deep)
                return
        except OSError as error:
            if error.errno not in _LIMITS and error.errno != errno.ENOMEM:
                one.identity = None  # gone again; the next look tells
                return
            self._do_without(path, error)
        if self.settings.polling != "never":
            one.poller = Poller(path, one.target.deep, self.settings.poll_s, self.hint)

    def _do_without(self, path: bytes, error: OSError) -> None:
        if path in self._without:
            return
        self._without.add(path)
        limit = _LIMITS.get(error.errno or 0)
        raise_it = f"; raise {limit} (sysctl) for more" if limit else ""
        every_s = self.settings.rescan_s
        if self.settings.polling != "never":
            every_s = self.settings.poll_s
        logger.warning(
            "%s: the system gives no more watches (%s)%s; until then it is looked through every"
            " %g s",
            *(display(path), os.strerror(error.errno or 0), raise_it, every_s),
        )

    def _fall_back(self) -> None:
        """Where a new folder could not be watched, the whole root is done without events."""
        while self._full:  # another thread goes on adding to the same list
            path, error = self._full.pop(0)
            one = self._watched.get(path)
            if one is not None and one.poller is None:
                self._do_without(path, error)
                self._leave(one)
                one.identity = None

    def _leave(self, one: _Watched) -> None:
        one.identity = None
        if one.poller is not None:
            one.poller.stop()
            one.poller = None
        elif self._folders is not None:
            self._folders.remove(one.target.path)

    def _events(self) -> Folders:
        if self._folders is None:
            # watchdog's module for Linux fails on others.
            from indexer.watch.folders import Folders, Listener, inotify

            self._source = inotify()
            listener = Listener(self.hint, self.lost, lambda *full: self._full.append(full))
            self._folders = Folders(self._source, listener)
        return self._folders

    def _revive(self) -> None:
        """watchdog's thread ends when an event cannot be read."""
        if self._source is not None and not self._source.is_alive():
            logger.warning("the reader of file system events has ended; it is started again")
            self._source = self._folders = None
            for one in self._watched.values():
                if one.poller is None:
                    one.identity = None
