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
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from indexer.building import Building
from indexer.desk import Desk, Handed
from indexer.handover import Answer, Back, Job
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
from unisearch.errors import LibraryLocked, UnisearchError, display
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


def _spare_all(gone: Sequence[bytes]) -> Sequence[bytes]:
    """Of what a guest's hints lead to nothing is forgotten: only its process knows what moves."""
    return gone


class Cancelled(KeyboardInterrupt):
    """The process that handed the job over is gone; the run stores what it has, as after Ctrl-C."""


@dataclass(frozen=True)
class Guest:
    """A job of another process that has begun."""

    handed: Handed
    steps: Steps


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
        self._guests: deque[Guest] = deque()
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
            while time.monotonic() < until and self._turn(last=True):
                pass
        except KeyboardInterrupt:
            logger.debug("stopped while others had a turn")
        finally:
            while self._guests:
                self._give_back(self._guests.popleft())

    def _turn(self, last: bool = False) -> bool:
        """One step of each job of others; whether there is more to do."""
        self._welcome(last)
        for _ in range(len(self._guests)):
            guest = self._guests.popleft()
            try:
                if not self._step(guest):
                    self._guests.append(guest)
            except BaseException:  # meant for us
                self._give_back(guest)
                raise
        return bool(self._guests)

    def _welcome(self, last: bool) -> None:
        """Begin the jobs that wait, but for runs that their own process must do."""
        self._desk.arrived.clear()
        left = []
        while self._desk.waiting:
            handed = self._desk.waiting.popleft()
            if handed.cancelled:
                continue
            try:
                if handed.job.name == "index" and not self._may_run(handed.job, last):
                    left.append(handed)
                    continue
                steps = self._begin(handed.job, self._hook_of(handed), _spare_all)
            except UnisearchError as error:
                self._answer(handed, error)
            else:
                handed.begun = True
                self._guests.append(Guest(handed, steps))
        self._desk.waiting.extendleft(reversed(left))

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

    def _may_run(self, job: Job, last: bool) -> bool:
        """Not with other settings; and at the end no network is loaded for others."""
        return job.needs == self._needs and (not last or self._rooms().loaded)

    def _hook_of(self, handed: Handed) -> ProgressHook:
        def hook(now: Progress) -> None:
            if handed.cancelled:
                raise Cancelled
            handed.progress = now
            if self._hook is not None and self._last is not None:
                self._hook(self._last)

        return hook

    def _step(self, guest: Guest) -> bool:
        """One step of a guest's job; whether it is over, and then it is answered."""
        if guest.handed.cancelled:
            guest.steps.close()
            return True
        try:
            if not guest.steps.step():
                return False
            self._answer(guest.handed, guest.steps.end)
        except Cancelled:
            logger.debug("the process of a job is gone")
        except UnisearchError as error:
            self._answer(guest.handed, error)
        except Exception as error:
            logger.warning("a job of another process failed", exc_info=True)
            reason = f"unexpected {type(error).__name__}: {error}"
            self._answer(guest.handed, UnisearchError(reason))
        return True

    def _give_back(self, guest: Guest) -> None:
        guest.steps.close()
        done = guest.steps.result
        self._answer(guest.handed, Back(guest.steps.report) if done is None else done)

    def _answer(self, handed: Handed, answer: Answer) -> None:
        handed.answer(answer)
        self._desk.news()
