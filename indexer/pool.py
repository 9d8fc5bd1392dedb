"""Workers that may crash, hang or run out of memory: that is the failure of one file alone."""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Self

from indexer.child import Ask, Child, failure_of
from indexer.worker import DONE, FAILED, READY, Task
from unisearch.errors import UnisearchError, Unreadable

logger = logging.getLogger(__name__)

#: What a value adds to the time that its job may take: as long as the hop of a window of sound,
#: so that a file may be decoded as slowly as it plays.
SECONDS_PER_VALUE = 5.0
#: A worker that holds so much more memory than at its start is replaced after its job.
GROWN_BYTES = 512 * 1024**2
#: How often deadlines are looked at, and the longest pause of ours that counts as time of theirs.
_TICK_S, _PAUSE_S = 0.25, 5.0
#: So many workers that die before they are ready are no accident.
_FALSE_STARTS = 3
#: A worker has this long to be ready, or as long as a job where that is longer.
_START_S = 60.0
#: Files that wait for a worker, for each worker: so many are read while a batch passes the network.
_QUEUED = 6


@dataclass(frozen=True)
class Limits:
    """workers: at most; timeout_s: per job and between two values; memory_bytes: of each worker;
    beside: so many begin jobs while who takes the answers does something else, 0 for all"""

    workers: int
    timeout_s: float = 60.0
    memory_bytes: int = 4 * 1024**3
    beside: int = 0


@dataclass(frozen=True)
class Answer:
    """What a job gave since its last answer.

    done: it ended; result: what its task returned, error: why it ended without
    """

    job: int
    values: list[Any]
    done: bool = False
    result: Any = None
    error: Exception | None = None


class Pool:
    """Does jobs in processes of their own, as many at a time as there are workers.

    A job is a generator function that can be pickled, and its arguments. Workers start with the
    first jobs, and a thread looks after them. Use as a context manager, or call close().
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._queue: deque[Ask] = deque()
        self._open: set[int] = set()  # jobs whose end was not taken yet
        self._dropped: set[int] = set()
        self._awaited = False  # whether somebody waits for an answer
        self._wanted = 0  # workers that should be there whatever there is to do
        self._count = 0
        self._children: list[Child] = []
        self._inbox: queue.SimpleQueue[tuple[Answer | None, Child | None]] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._rings = socket.socketpair()
        self._rings.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._rings, selectors.EVENT_READ)
        self._clock = _Clock()
        self._false_starts = 0
        self._closing = False
        self._error: UnisearchError | None = None
        self._thread: threading.Thread | None = None

    def start(self, workers: int) -> None:
        """Have so many workers ready soon, within the limit; returns at once."""
        with self._lock:
            self._wanted = max(self._wanted, min(workers, self.limits.workers))
        self._ring()

    def submit(self, path: bytes, task: Task, *arguments: Any, grace_s: float = 0.0) -> int:
        """Have the job done; its number, under which it answers.

        path: the file it is about; grace_s: beside the time that is allowed to all
        """
        data = pickle.dumps((task, arguments))
        with self._lock:
            self._count += 1
            ask = Ask(self._count, path, data, grace_s)
            self._queue.append(ask)
            self._open.add(ask.number)
        self._ring()
        return ask.number

    def take(self, timeout_s: float) -> Answer | None:
        """The next answer of any job, None when there is none for so long.

        Raises UnisearchError when no worker can be started.
        """
        end = time.monotonic() + timeout_s
        while True:
            answer, child = self._next(max(0.0, end - time.monotonic()))
            if answer is None:
                if self._error is not None:
                    raise self._error
                return None
            if child is not None:
                child.taken(self._clock.now_s)
            with self._lock:
                if answer.job not in self._open:
                    continue
                if answer.done:
                    self._open.discard(answer.job)
            return answer

    def _next(self, timeout_s: float) -> tuple[Answer | None, Child | None]:
        """What came, (None, None) when nothing did for so long."""
        with contextlib.suppress(queue.Empty):
            return self._inbox.get_nowait()
        if timeout_s <= 0:
            return None, None
        self._awaited = True
        if self.limits.beside:
            self._ring()
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None, None
        finally:
            self._awaited = False

    def drop(self, job: int) -> None:
        """Forget a job: nothing more is heard of it. A worker that is at it is ended."""
        with self._lock:
            if job in self._open:
                self._open.discard(job)
                self._dropped.add(job)
        self._ring()

    def drop_all(self) -> None:
        """Forget all jobs."""
        with self._lock:
            self._wanted = 0
            self._dropped |= self._open
            self._open.clear()
        self._ring()

    @property
    def open_jobs(self) -> int:
        """Jobs whose end was not taken yet."""
        return len(self._open)

    @property
    def is_full(self) -> bool:
        """Whether there are jobs enough that no worker has to wait for the next."""
        return len(self._open) >= _QUEUED * self.limits.workers + 2

    @property
    def busy(self) -> int:
        """How many workers have something to do."""
        with self._lock:
            most = self.limits.beside or self.limits.workers
            return min(most, self._at_work() + len(self._queue))

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return [child.number for child in list(self._children)]

    @property
    def works(self) -> bool:
        """Whether it can be used: neither closed nor failed."""
        return not self._closing

    def close(self) -> None:
        """End all workers and forget all jobs; within a second, whatever they do."""
        self._closing = True
        if self._thread is not None:
            self._ring()
            self._thread.join()
            self._thread = None
        for end in (self._bell, self._rings):
            end.close()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ring(self) -> None:
        """Wake the thread, or start it."""
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._serve, name="pool", daemon=True)
            self._thread.start()
        with contextlib.suppress(OSError):  # it rings already, or another thread has closed us
            self._bell.send(b"!")

    def _serve(self) -> None:
        """The thread: alone it touches the workers, so that Ctrl-C leaves none half done."""
        try:
            while not self._closing:
                self._clock.tick()
                self._end_dropped()
                self._hire()
                self._assign()
                self._judge()
                for key, _ in self._selector.select(_TICK_S):
                    if key.data is None:
                        self._rings.recv(4096)
                    else:
                        self._hear(key.data)
        except Exception as error:  # a mistake of ours must not leave the run waiting for ever
            logger.debug("the pool failed", exc_info=True)
            if not isinstance(error, UnisearchError):
                error = UnisearchError(f"the processes that read files failed: {error}")
            self._error = error
            self._inbox.put((None, None))
        finally:
            self._closing = True
            for child in self._children:
                child.kill()
            for child in self._children:
                child.bury()
            self._children = []

    def _hire(self) -> None:
        """As many workers as there are jobs for, within the limit."""
        with self._lock:
            busy = sum(child.ask is not None for child in self._children)
            wanted = max(self._wanted, busy + len(self._queue))
        while len(self._children) < min(wanted, self.limits.workers):
            child = Child(self.limits.memory_bytes)
            child.heard_s = self._clock.now_s
            self._children.append(child)
            self._selector.register(child.line, selectors.EVENT_READ, child)

    def _assign(self) -> None:
        for child in self._children:
            if child.ready and child.ask is None:
                if self._is_enough():
                    return
                with self._lock:
                    ask = self._queue.popleft() if self._queue else None
                if ask is None:
                    return
                child.begin(ask, self._clock.now_s)

    def _is_enough(self) -> bool:
        """Whether one more job would take a core from who takes the answers."""
        most = self.limits.beside
        if not most or self._awaited:
            return False
        return self._at_work() >= most

    def _at_work(self) -> int:
        """How many workers are at a job, and do not wait until its values are taken."""
        return sum(child.ask is not None and not child.waits for child in list(self._children))

    def _hear(self, child: Child) -> None:
        message = child.hear(self._clock.now_s)
        if message is None:
            self._lost(child)
            return
        kind, value, said = message
        for name, level, text in said:
            logging.getLogger(name).log(level, "%s", text)
        if kind == READY:
            child.ready, child.used_at_first, self._false_starts = True, child.used, 0
            return
        ask = child.ask
        assert ask is not None, "a worker without a job has nothing to say"
        if kind == FAILED:
            self._inbox.put((Answer(ask.number, [], True, error=value), None))
        elif kind == DONE:
            values, result = value
            self._inbox.put((Answer(ask.number, values, True, result), None))
        else:
            ask.values += len(value)
            self._inbox.put((Answer(ask.number, value), child))
            return
        child.ask = None
        out_of_memory = isinstance(value, MemoryError) or (
            isinstance(value, Unreadable) and value.kind == "memory"
        )
        if out_of_memory or child.used > child.used_at_first + GROWN_BYTES:
            self._discharge(child)

    def _judge(self) -> None:
        """End those that take too long, but none that has said what we could not hear yet."""
        unheard = [key.data for key, _ in self._selector.select(0)]
        for child in self._children:
            if child in unheard:
                continue
            ask, silent_s = child.ask, self._clock.now_s - child.heard_s
            if not child.ready and silent_s > max(_START_S, self.limits.timeout_s):
                child.verdict = "it was not ready in time"
                child.kill()
            if ask is None or child.waits:
                continue
            limit_s = self.limits.timeout_s + ask.grace_s
            allowed_s = limit_s + SECONDS_PER_VALUE * ask.values
            if silent_s > limit_s or child.busy_s + silent_s > allowed_s:
                child.verdict = "timeout"
                child.kill()

    def _end_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, set()
            if dropped:
                self._queue = deque(ask for ask in self._queue if ask.number not in dropped)
        for child in list(self._children):
            if child.ask is not None and child.ask.number in dropped:
                child.ask = None
                child.kill()
                self._discharge(child)

    def _lost(self, child: Child) -> None:
        """A worker is gone, with the job that it had."""
        ask, verdict, ready = child.ask, child.verdict, child.ready
        if verdict is not None:
            child.kill()
        code = self._discharge(child)
        if ask is not None:
            limit_s = self.limits.timeout_s + ask.grace_s
            error = failure_of(ask.path, code, verdict, limit_s)
            self._inbox.put((Answer(ask.number, [], True, error=error), None))
        elif not ready:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                why = verdict or f"code {code}"
                raise UnisearchError(f"a process to read files in ended at its start ({why})")

    def _discharge(self, child: Child) -> int:
        self._selector.unregister(child.line)
        self._children.remove(child)
        return child.bury()


class _Clock:
    """Seconds while this process runs: a long pause of all of us is not the fault of a file."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._last = time.monotonic()

    def tick(self) -> None:
        """Go on."""
        now = time.monotonic()
        self.now_s += min(now - self._last, _PAUSE_S)
        self._last = now
