"""Jobs of other processes, at which the holder of a library's lock works in turns."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexer.desk import Desk, Handed
from indexer.handover import Answer, Back, Job
from indexer.report import Progress
from indexer.steps import Steps
from indexer.work import ProgressHook, Spare
from unisearch.errors import UnisearchError

logger = logging.getLogger(__name__)


class Cancelled(KeyboardInterrupt):
    """The process that handed the job over is gone; the run stores what it has, as after Ctrl-C."""


@dataclass(frozen=True)
class Guest:
    """A job of another process that has begun."""

    handed: Handed
    steps: Steps


class Guests:
    """Jobs that came to the desk: each has one step in a turn. True while some have begun.

    begin: the steps of a job; tell: called after each file of theirs, and may raise to end a turn
    """

    def __init__(
        self,
        desk: Desk,
        begin: Callable[[Job, ProgressHook, Spare], Steps],
        tell: Callable[[], None],
    ) -> None:
        self._desk, self._begin, self._tell = desk, begin, tell
        self._begun: deque[Guest] = deque()

    def __bool__(self) -> bool:
        return bool(self._begun)

    def turn(self, may_run: Callable[[Job], bool]) -> bool:
        """One step of each; whether there is more to do. may_run: whether to begin that run now"""
        self._welcome(may_run)
        for _ in range(len(self._begun)):
            guest = self._begun.popleft()
            try:
                if not self._step(guest):
                    self._begun.append(guest)
            except BaseException:  # meant for us
                self._give_back(guest)
                raise
        return bool(self._begun)

    def give_back(self) -> None:
        """Their processes go on with all that has begun where we stop."""
        while self._begun:
            self._give_back(self._begun.popleft())

    def _welcome(self, may_run: Callable[[Job], bool]) -> None:
        """Begin the jobs that wait, but for runs that their own process must do."""
        self._desk.arrived.clear()
        left = []
        while self._desk.waiting:
            handed = self._desk.waiting.popleft()
            if handed.cancelled:
                continue
            try:
                if handed.job.name == "index" and not may_run(handed.job):
                    left.append(handed)
                    continue
                steps = self._begin(handed.job, self._hook_of(handed), _spare_all)
            except UnisearchError as error:
                self._answer(handed, error)
            else:
                handed.begun = True
                self._begun.append(Guest(handed, steps))
        self._desk.waiting.extendleft(reversed(left))

    def _hook_of(self, handed: Handed) -> ProgressHook:
        def hook(now: Progress) -> None:
            if handed.cancelled:
                raise Cancelled
            handed.progress = now
            self._tell()

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


def _spare_all(gone: Sequence[bytes]) -> Sequence[bytes]:
    """Of what a guest's hints lead to nothing is forgotten: only its process knows what moves."""
    return gone
