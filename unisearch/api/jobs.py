"""Runs of the indexer that clients ask for: one after another, in a thread of their own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unisearch.catalog.rows import RootRow
from unisearch.config import Settings
from unisearch.engine.answer import path_json
from unisearch.errors import UnisearchError
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
#: Jobs that wait, ended jobs that are remembered, and failures of each that are shown.
MOST_WAITING, MOST_KEPT, MOST_FAILURES = 16, 100, 1_000
COUNTS = ("added", "updated", "moved", "removed", "unchanged")
#: Listeners hear of the progress of a job so often.
TELL_S = 0.25


class Cancelled(KeyboardInterrupt):
    """A client cancelled the job: the run stores what it has, as after Ctrl-C."""


class TooMany(UnisearchError):
    """So many jobs wait that no more are taken."""


@dataclass
class Job:
    """One run. Only the thread of the jobs changes it, but for `cancel`."""

    number: int
    roots: Sequence[RootRow]
    retry_failed: bool
    asked_s: float = field(default_factory=time.time)
    state: State = "waiting"
    began_s: float | None = None
    ended_s: float | None = None
    error: str | None = None
    progress: Any = None  # the indexer's, the newest
    report: Any = None  # the indexer's
    gone: list[bytes] = field(default_factory=list)  # folders that are not there
    cancel: threading.Event = field(default_factory=threading.Event)

    def to_json(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {
            "job": self.number,
            "state": self.state,
            "roots": [root.id for root in self.roots],
            "retry_failed": self.retry_failed,
            "asked_s": self.asked_s,
            "began_s": self.began_s,
            "ended_s": self.ended_s,
            "progress": None if self.progress is None else progress_json(self.progress),
            "counts": {name: getattr(self.report, name) for name in COUNTS}
            if self.report
            else None,
            "failed": self._failed(),
            "failures": self._failures(),
            "error": self.error,
        }

    def _failed(self) -> int:
        known = self.report.failed if self.report else ()
        return len(self.gone) + len(known)

    def _failures(self) -> list[dict[str, str]]:
        gone = [
            {**path_json(path), "kind": "vanished", "message": "the folder is not there"}
            for path in self.gone
        ]
        known = self.report.failed[:MOST_FAILURES] if self.report else ()
        return gone + [
            {**path_json(one.path), "kind": one.kind, "message": one.message} for one in known
        ]


def progress_json(now: Any) -> dict[str, Any]:
    """Where a run is, in plain values."""
    return {
        "done": dict(now.done),
        "total": dict(now.total),
        "unchanged": now.unchanged,
        "failed": now.failed,
        "seconds": now.seconds,
        "left_s": now.left_s,
        "doing": now.doing,
    }


class Jobs:
    """The jobs of one library. close() ends the one that runs as Ctrl-C would.

    make: the indexer's class; tell: hears of each change of a job
    """

    def __init__(
        self,
        settings: Settings,
        rooms: Rooms,
        make: Callable[..., Any],
        tell: Callable[[Job], object] = lambda _: None,
    ) -> None:
        self._settings, self._rooms, self._make, self._listener = settings, rooms, make, tell
        self._telling = threading.Lock()
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._new = threading.Condition(self._lock)
        self._count = 0
        self._closing = False
        self._told_s = 0.0
        self._thread: threading.Thread | None = None

    def ask(self, roots: Sequence[RootRow], retry_failed: bool) -> Job:
        """Take in a job. Raises TooMany."""
        with self._new:
            if sum(job.state == "waiting" for job in self._jobs.values()) >= MOST_WAITING:
                raise TooMany(f"{MOST_WAITING} jobs wait already; ask again when some are done")
            self._count += 1
            job = self._jobs[self._count] = Job(self._count, roots, retry_failed)
            self._forget()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._thread.start()
            self._new.notify()
        self._tell(job)
        return job

    def all(self) -> list[Job]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, number: int) -> Job | None:
        """The job of that number, None when there is none (any more)."""
        return self._jobs.get(number)

    def cancel(self, job: Job) -> None:
        """Have it end soon; what is done stays. A job that has ended is left as it is."""
        job.cancel.set()
        with self._lock:
            if job.state != "waiting":
                return
            self._end(job, "cancelled")
        self._tell(job)

    def close(self) -> None:
        """Cancel all, and wait for the one that runs."""
        with self._new:
            self._closing = True
            for job in self._jobs.values():
                job.cancel.set()
                if job.state == "waiting":
                    self._end(job, "cancelled")
            self._new.notify()
        if self._thread is not None:
            self._thread.join()

    def _tell(self, job: Job) -> None:
        """One after another, each with the state of then: no thread tells of an older one last."""
        with self._telling:
            self._listener(job)

    def _forget(self) -> None:
        ended = [number for number, job in self._jobs.items() if job.state in ENDED]
        for number in ended[: max(0, len(ended) - MOST_KEPT)]:
            del self._jobs[number]

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._tell(job)
            state: State = "done"
            try:
                self._run(job)
            except KeyboardInterrupt:
                state = "cancelled"
            except UnisearchError as error:
                state, job.error = "failed", str(error)
            except Exception as error:  # the next job may go well
                logger.warning("an index job failed", exc_info=True)
                state, job.error = "failed", f"unexpected {type(error).__name__}"
            with self._lock:
                self._end(job, state)
            self._tell(job)

    def _next(self) -> Job | None:
        """The job that waits longest, now running; None at the end."""
        with self._new:
            while not self._closing:
                for job in self._jobs.values():
                    if job.state == "waiting":
                        job.state, job.began_s = "running", time.time()
                        return job
                self._new.wait()
        return None

    def _end(self, job: Job, state: State) -> None:
        job.state, job.ended_s = state, time.time()

    def _run(self, job: Job) -> None:
        """All folders in one run, so that what moved between them keeps its id."""

        def progress(now: Any) -> None:
            if job.cancel.is_set():
                raise Cancelled
            if sum(now.total.values()):  # drawing previews counts no files
                job.progress = now
            if time.monotonic() - self._told_s >= TELL_S:
                self._told_s = time.monotonic()
                self._tell(job)

        places, gone = self._places(job)
        indexer = self._make(settings=self._settings)
        try:
            if places:
                job.report = indexer.run(places, retry=job.retry_failed, progress=progress)
            if gone:
                dropped = indexer.refresh(gone, progress=progress)
                job.report = dropped.after(job.report)
            indexer.finish(progress)
        finally:
            indexer.close()

    def _places(self, job: Job) -> tuple[list[bytes], list[bytes]]:
        """(folders and files to index, single files that are gone)."""
        places: list[bytes] = []
        gone: list[bytes] = []
        with self._rooms.catalog.view() as view:
            for root in job.roots:
                if not os.path.isdir(root.path):  # noqa: PTH112 (bytes)
                    job.gone.append(root.path)
                elif root.whole:
                    places.append(root.path)
                else:  # the folder was never asked for, only files in it
                    names = {
                        *view.known_files(root.path),
                        *(f.path for f in view.failures(root.path)),
                    }
                    for path in sorted(names):
                        (places if os.path.lexists(path) else gone).append(path)
        return places, gone
