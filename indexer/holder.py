"""The holder of a library's lock: works on its own jobs, and on those that others hand over.

Jobs take turns. A run pauses after each commit, so that a small job of another process waits for
seconds even while a run takes hours, and runs of several processes go on side by side. Whoever
calls `do` does all of this in his own thread; between two calls of a holder that keeps the lock,
a thread of its own does it. At the end what others still wait for is done as long as that is
quick, and then given back: they go on where this process stopped.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from indexer.building import Building
from indexer.desk import Desk, Handed
from indexer.guests import Guests
from indexer.handover import Back, Job
from indexer.journal import Journal
from indexer.lately import Lately
from indexer.lock import holder_of, take_lock
from indexer.meter import Meter
from indexer.pools import Pools, limits_of
from indexer.redraw import Later
from indexer.report import Progress, Report
from indexer.steps import Steps, begin, needs_of
from indexer.upkeep import Upkeep
from indexer.work import ProgressHook, Spare
from unisearch.config import Settings
from unisearch.errors import LibraryLocked, display
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: So long a process that has done its own work goes on for others.
LAST_TURNS_S = 10.0
_IDLE_S, _POLL_S = 1.0, 0.01


@contextmanager
def alone(library: Path) -> Iterator[None]:
    """Hold the lock and do no job of others: they wait, and hear that somebody works.

    Raises LibraryLocked when another process holds it.
    """
    lock = take_lock(library)
    if lock is None:
        process = holder_of(library)
        by = f" (process {process})" if process else ""
        where = display(library)
        raise LibraryLocked(f"{where}: another process writes{by}; wait until it is done")
    try:
        desk = Desk(library, Meter().facts)
        try:
            yield
        finally:
            desk.close()
    finally:
        os.close(lock)


class Holder:
    """Holds the lock from `take` to `close`.

    rooms: opens the library for writing, when the first job needs it; meter: counts what is done
    """

    def __init__(
        self, lock: int, settings: Settings, rooms: Callable[[], Rooms], meter: Meter
    ) -> None:
        self._lock = lock
        self._rooms = cache(rooms)
        self._needs = needs_of(settings)
        self._upkeep: Upkeep | None = None
        self._building: Building | None = None
        self._later: Later | None = None
        self._journal = Journal()
        self._pools = Pools(limits_of(settings))
        self._meter = meter
        self._lately = Lately()
        self._desk = Desk(settings.library, meter.facts)
        self._guests = Guests(self._desk, self._begin, self._tell_again)
        self._beside: list[Handed] = []  # jobs of our own that have turns as guests
        self._work = threading.Lock()  # whoever has it may write
        self._hook: ProgressHook | None = None
        self._last: Progress | None = None
        self._owner_waits = threading.Event()
        self._closing = False
        self._hurries = False  # after Ctrl-C
        self._idle: threading.Thread | None = None
        self._doing = ""  # of what can wait

    @classmethod
    def take(cls, settings: Settings, rooms: Callable[[], Rooms], meter: Meter) -> Holder | None:
        """The holder, or None when another process has the lock.

        The library's folder is made when there is none. Raises LibraryError when that fails.
        """
        lock = take_lock(settings.library)
        if lock is None:
            return None
        try:
            return cls(lock, settings, rooms, meter)
        except BaseException:
            os.close(lock)
            raise

    @property
    def is_in_the_way(self) -> bool:
        """Whether a run waits that its own process must do, since it has other settings."""
        return any(
            handed.job.name == "index" and handed.job.needs != self._needs
            for handed in tuple(self._desk.waiting)
            if not handed.cancelled
        )

    def hurry(self) -> None:
        """What others wait for is given back at the end, however quick it would be."""
        self._hurries = True

    def do(
        self, job: Job, hook: ProgressHook | None = None, spare: Spare | None = None
    ) -> Report | int:
        """Do a job of our own, with turns for others between its steps.

        hook: called after each file, and again with the same numbers while others have a turn:
        what it raises ends this job.
        """
        with self._own_turn():
            steps = self._begin(job, self._keep, spare)
            self._hook, self._last = hook, None
            try:
                while not steps.step():
                    self._turn()
            except KeyboardInterrupt:
                self._hurries = True
                raise
            finally:
                if self._idle is not None:  # what follows is no longer a part of this call
                    self._hook = None
                steps.close()
            return steps.end

    def beside(self, job: Job) -> Handed:
        """Begin a job of our own that has turns beside the one that goes on; see Handed.end."""
        handed = Handed(job)
        self._beside = [one for one in self._beside if one.end is None]
        self._beside.append(handed)
        self._desk.waiting.append(handed)
        self._desk.arrived.set()
        return handed

    def finish(self, tell: Callable[[str], object] = lambda _: None) -> None:
        """Do what can wait until nothing else is to do, with turns for others.

        tell: called with what is being done; what it raises ends this
        """
        with self._own_turn():
            self._open()
            while self._idle_step():
                tell(self._doing)
                self._turn()

    def stay(self) -> None:
        """From now on the lock is kept between two calls, and others have turns meanwhile."""
        if self._idle is None:
            self._idle = threading.Thread(target=self._host, name="writer", daemon=True)
            self._idle.start()

    def close(self) -> None:
        """Finish what is quick, give back the rest, and let go of the lock."""
        self._closing = True
        self._desk.arrived.set()
        try:
            with self._own_turn():
                self._last_turns()
            self._desk.close()
            if self._idle is not None:
                self._desk.arrived.set()  # the last turns have taken the first sign
                self._idle.join()
        finally:
            self._pools.close()
            for idle in (self._building, self._later):
                if idle is not None:
                    idle.close()
            if self._upkeep is not None:
                self._upkeep.stop()
            for handed in self._beside:
                if handed.end is None:  # it never began, or was in the way of an error
                    handed.answer(Back())
            os.close(self._lock)

    def _open(self) -> tuple[Rooms, Upkeep]:
        """The rooms, and the one who looks after them: for all jobs together, since his builds
        must not meet."""
        rooms = self._rooms()
        if self._upkeep is None:
            self._upkeep = Upkeep(rooms)
            self._building = Building(rooms, self._journal)
            self._later = Later(rooms)
        return rooms, self._upkeep

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """The owner comes first: a lock alone would not be fair to it."""
        self._owner_waits.set()
        try:
            with self._work:
                self._owner_waits.clear()
                yield
        finally:
            self._owner_waits.clear()

    def _keep(self, now: Progress) -> None:
        self._last = now
        if self._hook is not None:
            self._hook(now)

    def _tell_again(self) -> None:
        """Whoever waits for our own job is called while others have a turn, too."""
        if self._hook is not None and self._last is not None:
            self._hook(self._last)

    def _turn(self) -> bool:
        """One step of each job of others; whether there is more to do."""
        return self._guests.turn(self._may_run)

    def _host(self) -> None:
        while not self._closing:
            with self._work:
                while not (self._owner_waits.is_set() or self._closing) and self._turn():
                    pass
                idle = not self._guests and self._idle_step()
            while self._owner_waits.is_set():
                time.sleep(_POLL_S)
            if not self._guests and not idle:
                self._desk.arrived.wait(_IDLE_S)

    def _idle_step(self) -> bool:
        """A little of what can wait; whether there is more of it."""
        for idle in (self._building, self._later):
            if idle is not None and idle.step():
                self._doing = idle.doing
                return True
        return False

    def _last_turns(self) -> None:
        until = time.monotonic() + (0.0 if self._hurries else LAST_TURNS_S)
        try:
            while time.monotonic() < until and self._guests.turn(self._may_run_at_last):
                pass
        except KeyboardInterrupt:
            logger.debug("stopped while others had a turn")
        finally:
            self._guests.give_back()

    def _begin(self, job: Job, hook: ProgressHook, spare: Spare | None = None) -> Steps:
        rooms, upkeep = self._open()
        assert self._building is not None
        assert self._later is not None
        if job.name == "index":
            self._building.look()
            self._later.look()
        meter, building = self._meter.for_another(), self._building
        between = (self._journal, hook, spare, self._pools, meter, self._lately)
        return begin(rooms, upkeep, building, job, *between)

    def _may_run(self, job: Job) -> bool:
        """Not with other settings."""
        return job.needs == self._needs

    def _may_run_at_last(self, job: Job) -> bool:
        """At the end no network is loaded for others."""
        return self._may_run(job) and self._rooms().loaded
