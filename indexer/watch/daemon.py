"""The daemon: hints come in, quiet places go to the indexer, and nothing stops it but a signal."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from indexer.lock import WATCH_FILE, holder_of, take_lock
from indexer.metrics import Endpoint
from indexer.places import refuse_own, resolve
from indexer.report import Progress, Report
from indexer.run import Indexer
from indexer.watch.backoff import Backoff
from indexer.watch.changes import unchangeable
from indexer.watch.fresh import Fresh
from indexer.watch.hints import Hint, Hints, Patience, topmost
from indexer.watch.known import KnownRoots
from indexer.watch.missing import Missing
from indexer.watch.notify import Heart, Manager, watchdog_s
from indexer.watch.room import Room
from indexer.watch.signals import Signals
from indexer.watch.targets import targets_of
from indexer.watch.watcher import Watcher
from unisearch.catalog.folders import real, relative
from unisearch.catalog.rows import RootRow
from unisearch.config import Settings
from unisearch.errors import LibraryLocked, UnisearchError, UsageError, display
from unisearch.sections import WatchSettings
from unisearch.wiring import check_folder

logger = logging.getLogger(__name__)

#: So often roots that come and go are looked for, and so long the loop sleeps at most.
TICK_S = 2.0
#: So often it looks at what waits to become quiet, and how much space is free when there was none.
_STEP_S, _SPACE_S = 0.05, 10.0


class Daemon:
    """Watches one library's folders until a signal ends it.

    paths: what to watch; all roots of the library when there is none
    load: reads the settings, and sets up logging by them; called again at SIGHUP, with those
    that hold
    """

    def __init__(
        self, paths: Sequence[Path | str | bytes], load: Callable[[Settings | None], Settings]
    ) -> None:
        self._load = load
        self._settings = load(None)
        self._asked = topmost(real(path) for path in paths)
        self._signals = Signals()
        self._manager = Manager()
        self._indexer = Indexer(settings=self._settings)
        self._roots = KnownRoots(self._settings)
        self._lock = threading.Lock()  # of the hints
        self._hints = Hints(_patience(self._settings.watch), time.monotonic, _look)
        self._watcher = Watcher(self._settings.watch, self._take, self._lost)
        self._fresh = Fresh(self._due_fresh, self._indexer.beside, self._told, self._again)
        self._missing = Missing(time.monotonic)
        self._backoff = Backoff(time.monotonic)
        self._room = Room(self._settings.library)
        self._metrics = Endpoint(self._indexer.meter.facts)
        self._overflowed = False
        self._new: list[bytes] = []  # asked for, and to become roots
        self._beats = 0
        self._tick_at = self._rescan_at = 0.0
        # Where the next look compares contents; see Indexer.run.
        self._thorough: set[bytes] = set()
        self._not_before = 0.0  # no run before that
        self._sleeps_until = 0.0  # unless something that comes is due earlier
        self._stumbled = False  # the last step ended in an error

    def run(self) -> None:
        """Watch until SIGTERM. Raises KeyboardInterrupt after SIGINT.

        Raises LibraryLocked when another process watches this library already, UsageError when
        there is nothing to watch, and what Indexer.run raises for a path or a library.
        """
        library = self._settings.library
        check_folder(library)
        refuse_own(self._asked, library)
        self._new = self._without_root()
        if not self._asked and not self._roots.read():
            raise UsageError(f"{display(library)}: has no folders yet; name one: watch PATH")
        lock = take_lock(library, WATCH_FILE)
        if lock is None:
            process = holder_of(library, WATCH_FILE)
            by = f"process {process}" if process else "another process"
            raise LibraryLocked(f"{display(library)}: {by} already watches it")
        try:
            with self._signals, self._indexer:
                self._watch()
        finally:
            os.close(lock)
        if self._signals.stop == signal.SIGINT:
            raise KeyboardInterrupt

    def _without_root(self) -> list[bytes]:
        """What was asked for and belongs to no root yet. Raises UnisearchError as a run would."""
        roots = self._roots.read()
        return resolve(path for path in self._asked if not _is_known(path, roots))

    def _watch(self) -> None:
        heart = Heart(self._manager, every_s, self._beat) if (every_s := watchdog_s()) else None
        self._metrics.open(self._settings.watch.metrics_port)
        try:
            self._look_around()
            logger.info("watching %s", self._watcher.told, extra={"pid": os.getpid()})
            self._manager.ready(f"watching {self._watcher.told}")
            if heart is not None:
                heart.start()
            self._rescan()
            while not self._signals.stop:
                self._try_step()
                self._signals.wait(self._pause_s())
        finally:
            self._manager.stopping()
            if heart is not None:
                heart.stop()
            self._end()

    def _adopt_port(self, before: int) -> None:
        port = self._settings.watch.metrics_port
        if port == before:
            return
        try:
            self._metrics.open(port)
        except UnisearchError as error:
            logger.error("%s", error)

    def _end(self) -> None:
        self._metrics.close()
        self._watcher.stop()
        self._indexer.hurry()
        self._indexer.close()
        self._roots.close()
        logger.info("stopped")

    def _try_step(self) -> None:
        """A step; after an error none until it is time to try again."""
        self._beats += 1
        if self._stumbled and self._backoff.wait_s > 0:
            return
        try:
            if self._stumbled:  # what that step was told of may be lost
                self._rescan()
            self._step()
        except Exception as error:
            self._stumbled = True
            self._failed((), error)
        else:
            stumbled, self._stumbled = self._stumbled, False
            if stumbled and self._backoff.wait_s == 0 and self._backoff.worked():
                logger.info("it works again")

    def _step(self) -> None:
        """Look at everything that may be due."""
        now = time.monotonic()
        self._fresh.ended()
        if self._signals.asked_to_reload():
            self._reload()
        if self._overflowed:
            logger.warning("events were lost: everything is looked through")
            self._overflowed = False
            try:
                self._watcher.renew()
            except Exception:
                self._overflowed = True  # so that it is tried again
                raise
            self._rescan()
        if now >= self._rescan_at:
            self._thorough = set(self._wholes())
            self._watcher.forget_limits()
            self._rescan()
        if now >= self._tick_at:
            self._look_around()
            if self._indexer.make_way():
                logger.info("another process writes with other settings, and has the library now")
                self._not_before = now + TICK_S
        if self._may_run(now):
            self._work()

    def _pause_s(self) -> float:
        """How long to sleep: until something may be due."""
        now = time.monotonic()
        self._sleeps_until = 0.0
        if self._stumbled and self._backoff.wait_s > 0:
            return min(self._backoff.wait_s, TICK_S)
        not_before = max(self._not_before, now + self._backoff.wait_s)
        with self._lock:
            due_at = self._hints.next_at()
            ready_at = self._tick_at if due_at is None else max(due_at, not_before)
            pause_s = min(max(ready_at - now, _STEP_S), self._tick_at - now)
            if not_before <= now:  # else what comes now is not due any earlier
                self._sleeps_until = now + pause_s
        return pause_s

    def _look_around(self) -> None:
        """Follow roots that came, went, or lie on another drive now."""
        self._tick_at = time.monotonic() + TICK_S
        roots = self._roots.read()
        self._hints.roots = tuple(root.path for root in roots if root.whole)
        changed = self._watcher.keep(targets_of(roots, self._asked))
        for path in changed:
            self._take(Hint(path, "written", tree=True))

    def _rescan(self) -> None:
        """Have everything looked through."""
        every_s = self._settings.watch.rescan_s
        self._rescan_at = time.monotonic() + every_s if every_s else float("inf")
        for path in self._wholes():
            self._take(Hint(path, "written", tree=True))

    def _wholes(self) -> Sequence[bytes]:
        """What is looked through when everything is."""
        return self._asked or [root.path for root in self._roots.read()]

    def _take(self, hint: Hint) -> None:
        """Take in a hint; from any thread."""
        with self._lock:
            self._hints.add(hint)
            is_late = time.monotonic() + self._settings.watch.quiet_s < self._sleeps_until
        if is_late:  # it was to sleep until something else may be due
            self._signals.wake()

    def _lost(self) -> None:
        self._overflowed = True
        self._signals.wake()

    def _may_run(self, now: float) -> bool:
        """Whether nothing speaks against a run: errors before, or a disk that is nearly full."""
        if self._backoff.wait_s > 0 or now < self._not_before:
            return False
        if not self._room.is_left(self._settings.watch.min_free_mb):
            self._not_before = now + _SPACE_S
            return False
        return True

    def _work(self) -> None:
        """Hand what is quiet to the indexer."""
        with self._lock:
            places = self._hints.due()
        if not places:
            return
        try:
            report = self._index(places)
        except KeyboardInterrupt:
            logger.info("a run was stopped; what it did is stored")
        except Exception as error:
            self._failed(places, error)
        else:
            if self._backoff.worked():
                logger.info("it works again")
            self._told(report, places)

    def _told(self, report: Report, places: Sequence[bytes]) -> None:
        """A job is done: what is gone, but may only have moved, is looked at once more."""
        _log(report, places)
        for path in report.spared:
            self._take(Hint(path, "gone"))

    def _again(self, places: Sequence[bytes]) -> None:
        for path in places:
            self._take(Hint(path, "written"))

    def _index(self, places: Sequence[bytes]) -> Report:
        if there := [path for path in self._new if os.path.lexists(path)]:
            _log(self._indexer.run(there, progress=self._hook), there)
            roots = self._roots.read()  # an empty folder becomes one with its first file
            self._new = [path for path in self._new if not _is_known(path, roots)]
            self._look_around()
        with self._lock:
            spare = self._sparing()
        due = {path for path in self._thorough if _is_below(path, places)}
        report = self._indexer.refresh(places, progress=self._hook, spare=spare, thorough=bool(due))
        self._thorough -= due
        return report

    def _sparing(self) -> Callable[[Sequence[bytes]], list[bytes]]:
        """What moves while a run goes on may be what it misses: that is looked at once more."""
        before = self._hints.movements

        def spare(gone: Sequence[bytes]) -> list[bytes]:
            with self._lock:
                moving = self._hints.movements != before or not self._hints.calm
            return self._missing.spared(gone, moving)

        return spare

    def _hook(self, now: Progress) -> None:
        del now
        self._beats += 1
        self._signals.check()
        self._fresh.look()

    def _due_fresh(self, most: int) -> list[bytes]:
        with self._lock:
            return self._hints.fresh(most)

    def _beat(self) -> int:
        return self._beats

    def _failed(self, places: Sequence[bytes], error: Exception) -> None:
        """Tell of an error once, and try again later, with everything opened anew."""
        known = isinstance(error, UnisearchError)
        message = str(error) if known else f"unexpected {type(error).__name__}: {error}"
        if self._backoff.failed(message):
            wait_s = self._backoff.wait_s
            logger.error("%s; tried again in %.0f s, then less and less often", message, wait_s)
        logger.debug("a run failed", exc_info=error)
        with suppress(Exception):
            self._indexer.close()
        for path in places:
            self._take(Hint(path, "written", tree=True))

    def _reload(self) -> None:
        """Read the settings again and take over what can change while we run."""
        self._manager.reloading()
        try:
            fresh = self._load(self._settings)
        except UnisearchError as error:
            logger.error("the settings stay as they were: %s", error)
        else:
            self._adopt(fresh)
        self._manager.ready(f"watching {self._watcher.told}")

    def _adopt(self, fresh: Settings) -> None:
        kept = unchangeable(self._settings, fresh)
        if kept:
            logger.warning("%s: change only when the daemon is started again", ", ".join(kept))
        before = self._settings
        self._settings = before.model_copy(
            update={"watch": fresh.watch, "index": fresh.index, "log_level": fresh.log_level}
        )
        self._indexer.adopt(self._settings)
        self._hints.patience = _patience(fresh.watch)
        if fresh.watch != before.watch:
            self._watcher.stop()
            self._watcher = Watcher(fresh.watch, self._take, self._lost)
            self._look_around()
            self._adopt_port(before.watch.metrics_port)
        self._not_before = 0.0
        logger.info("the settings were read again; watching %s", self._watcher.told)
        self._rescan()


def _is_known(path: bytes, roots: Sequence[RootRow]) -> bool:
    return any(root.path == path or (root.whole and root.holds(path)) for root in roots)


def _is_below(path: bytes, places: Sequence[bytes]) -> bool:
    return any(relative(place, path) is not None for place in places)


def _look(path: bytes) -> object:
    """What tells that a file is as it was; None when there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _patience(settings: WatchSettings) -> Patience:
    return Patience(quiet_s=settings.quiet_s, settle_s=settings.settle_s)


def _log(report: Report, places: Sequence[bytes]) -> None:
    names = ("added", "updated", "moved", "removed")
    counts = {name: getattr(report, name) for name in names if getattr(report, name)}
    new = [failure for failure in report.failed if not failure.known]
    for failure in new[:20]:
        logger.warning("%s", failure)
    if not counts and not new:
        logger.debug("%d places looked at, nothing changed", len(places))
        return
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    facts = {**counts, "failed": len(new), "seconds": round(report.seconds, 3)}
    logger.info("%s in %.2f s", said or f"{len(new)} failed", report.seconds, extra=facts)
