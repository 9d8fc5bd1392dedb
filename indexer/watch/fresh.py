"""Files that were written while a long run goes on: they need not wait for its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from indexer.desk import Handed
from indexer.handover import decode_answer
from indexer.report import Report
from unisearch.errors import UnisearchError

logger = logging.getLogger(__name__)

#: So often it is looked whether there are any, and so many are taken at a time.
EVERY_S, MOST = 0.5, 64
#: So long after a job that failed: the run that goes on will most likely tell why.
_AFTER_ERROR_S = 10.0


class Fresh:
    """Hands a few files at a time to the writer, as a job beside the one that goes on.

    due: files that are to be indexed now, at most so many · begin: begins a job over them, None
    when nobody writes · told: hears how it ended · again: takes back files that were not looked at
    """

    def __init__(
        self,
        due: Callable[[int], list[bytes]],
        begin: Callable[[Sequence[bytes]], Handed | None],
        told: Callable[[Report, Sequence[bytes]], None],
        again: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._due, self._begin, self._told, self._again = due, begin, told, again
        self._job: Handed | None = None
        self._places: Sequence[bytes] = ()
        self._next_at = 0.0

    def look(self) -> None:
        """Begin a job if one is due, and none of ours goes on. Called all the time."""
        if not self.ended() or (now := time.monotonic()) < self._next_at:
            return
        self._next_at = now + EVERY_S
        if places := self._due(MOST):
            self._job, self._places = self._begin(places), places
            if self._job is None:
                self._again(places)

    def ended(self) -> bool:
        """Whether no job of ours goes on; one that has ended is told of here."""
        if self._job is None:
            return True
        if self._job.end is None:
            return False
        answer = decode_answer(self._job.end)
        self._job = None
        if isinstance(answer, Report):
            self._told(answer, self._places)
            return True
        logger.debug("a job beside a run was not done: %s", answer)
        self._again(self._places)
        self._next_at = time.monotonic() + _AFTER_ERROR_S * isinstance(answer, UnisearchError)
        return True
