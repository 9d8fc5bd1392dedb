"""Files that are asked with, read in workers that may be killed: for a server, by many threads."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from indexer.pool import Answer, Pool
from indexer.pools import limits_of
from indexer.worker import Task
from unisearch.config import Settings
from unisearch.errors import UnisearchError, Unreadable

_TICK_S = 0.5
_STOPPED = "the server is being stopped"


class Reader:
    """Reads one file at a time in each worker. Use as a context manager, or call close().

    task: what a worker does with (path, ...): gives the values of one file
    """

    def __init__(self, settings: Settings, task: Task) -> None:
        self._task = task
        self._limits = limits_of(settings)
        self._pool = Pool(self._limits)
        self._lock = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[Answer | UnisearchError]] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="reader", daemon=True)
        self._thread.start()

    def read(self, path: Path, *arguments: Any) -> Iterator[Any]:
        """The values that the task gives for that file. Raises what it raises, and Unreadable."""
        answers: queue.SimpleQueue[Answer | UnisearchError] = queue.SimpleQueue()
        with self._lock:
            if self._closing:
                raise Unreadable(path, "crash", _STOPPED, transient=True)
            pool = self._pool
            job = pool.submit(os.fsencode(path), self._task, path, *arguments)
            self._waiting[job] = answers
        try:
            while True:
                answer = answers.get()
                if isinstance(answer, UnisearchError):
                    raise Unreadable(path, "crash", str(answer), transient=True)
                yield from answer.values
                if answer.error is not None:
                    raise answer.error
                if answer.done:
                    return
        finally:
            with self._lock:
                if self._waiting.get(job) is answers:
                    del self._waiting[job]
            if pool.works:
                pool.drop(job)

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return self._pool.processes

    def close(self) -> None:
        """End the workers; who waits for a file hears so."""
        with self._lock:
            self._closing = True
        self._thread.join()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        """Hands each answer to the thread that waits for it."""
        while not self._closing:
            try:
                answer = self._pool.take(_TICK_S)
            except UnisearchError as error:  # no worker starts: perhaps it was short of something
                with self._lock:
                    failed, self._pool = self._pool, Pool(self._limits)
                    self._end(error)
                failed.close()
                continue
            if answer is not None:
                with self._lock:
                    waits = self._waiting.get(answer.job)
                if waits is not None:
                    waits.put(answer)
        with self._lock:
            self._end(UnisearchError(_STOPPED))

    def _end(self, why: UnisearchError) -> None:
        for waits in self._waiting.values():
            waits.put(why)
        self._waiting = {}
