"""A process that does one job at a time for the pool, and may be killed at any moment.

Whatever it imports here is imported by every worker: no network, no catalogue, no settings.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from indexer import shared

#: Values travel together until they are this large, or this old.
GROUP_BYTES, GROUP_S = 1 << 20, 0.2
#: Messages with values that the pool has not taken yet; then the worker waits.
AHEAD = 2

READY, VALUES, DONE, FAILED = b"R", b"V", b"D", b"F"
JOB, TAKEN = b"J", b"T"
NO_MEMORY = 77  # exit code of a worker that had not even enough to say so
ORDER = struct.Struct("<cQ")  # to a worker: what it is, bytes that follow

#: A job: a generator function, and what it is called with. Its values are handed over as they
#: come, and at once where it gives None; what it returns at the end. It raises Unreadable for a
#: file that it cannot read.
Task = Callable[..., Iterator[Any]]


def serve() -> None:
    """The life of a worker. Its arguments: socket, lifeline, bytes of memory, log level."""
    line_handle, lifeline, memory_bytes, level = map(int, sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the pool decides
    _end_with_parent(lifeline)
    _limit(memory_bytes)
    try:
        _Worker(socket.socket(fileno=line_handle), level).run()
    except MemoryError:
        os._exit(NO_MEMORY)
    except _Gone:
        os._exit(0)  # the pool let go; nothing here is worth the wait for threads of libraries


class _Gone(Exception):
    """The pool is not there any more."""


class _Worker:
    """The jobs of one worker, one after another."""

    def __init__(self, line: socket.socket, level: int) -> None:
        self._line = line
        self._ahead = 0
        self._since = 0.0
        self._said: list[tuple[str, int, str]] = []
        logging.getLogger().addHandler(_Told(self._said, level))

    def run(self) -> None:
        """Do jobs until the pool lets go. Raises _Gone then."""
        self._send(READY, None)
        # From here on what a library prints on its way down is no message for the user.
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            for handle in (0, 1, 2):
                os.dup2(nothing.fileno(), handle)
        while True:
            task, arguments = self._next_job()
            self._since = time.monotonic()
            kind, end = self._end(task, arguments)
            self._send(kind, end)

    def _end(self, task: Task, arguments: tuple[Any, ...]) -> tuple[bytes, Any]:
        """How the job ended. The error's frames, and all that they hold, are gone on return."""
        try:
            return DONE, self._work(task(*arguments))
        except _Gone:
            raise
        except Exception as error:
            return FAILED, _portable(error)

    def _work(self, values: Iterator[Any]) -> tuple[list[Any], Any]:
        """(values not sent yet, what the task returned)."""
        group: list[Any] = []
        size, since = 0, time.monotonic()
        while True:
            try:
                value = next(values)
            except StopIteration as end:
                return group, end.value
            if value is None:  # what follows may end us; it waits for no turn of the pool
                self._hand_over(group, wait=False)
                group, size, since = [], 0, time.monotonic()
                continue
            group.append(value)
            size += _bytes_of(value)
            if size >= GROUP_BYTES or time.monotonic() - since >= GROUP_S:
                self._hand_over(group)
                group, size, since = [], 0, time.monotonic()

    def _hand_over(self, group: list[Any], wait: bool = True) -> None:
        self._send(VALUES, group)
        self._ahead += 1
        waited = time.monotonic()
        self._hear(wait=wait and self._ahead >= AHEAD)
        self._since += time.monotonic() - waited

    def _hear(self, wait: bool) -> None:
        """Count what the pool has taken."""
        while wait or select.select([self._line], [], [], 0)[0]:
            kind, _ = self._order()
            assert kind == TAKEN, "one job at a time"
            self._ahead -= 1
            wait = self._ahead >= AHEAD

    def _next_job(self) -> tuple[Task, tuple[Any, ...]]:
        while True:
            kind, data = self._order()
            if kind == JOB:
                task, arguments = pickle.loads(data)
                return task, arguments
            self._ahead -= 1

    def _order(self) -> tuple[bytes, bytes]:
        kind, size = ORDER.unpack(self._exactly(ORDER.size))
        return kind, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                more = self._line.recv(size - len(data))
            except ConnectionError:
                more = b""
            if not more:
                raise _Gone
            data += more
        return bytes(data)

    def _send(self, kind: bytes, value: Any) -> None:
        busy_s = time.monotonic() - self._since if self._since else 0.0
        said = self._said[:]
        self._said.clear()
        try:
            shared.send(self._line, kind, (value, said), busy_s, memory_in_use())
        except ConnectionError as error:
            raise _Gone from error


class _Told(logging.Handler):
    """Keeps what is logged here for the process that started us."""

    def __init__(self, said: list[tuple[str, int, str]], level: int) -> None:
        super().__init__(level)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append((record.name, record.levelno, record.getMessage()))


def memory_in_use() -> int:
    """Bytes of this process that lie in memory."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:  # not Linux: the most it ever had
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


def _bytes_of(value: Any) -> int:
    """About how large it is: what lies outside of its pickle."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return len(head) + sum(buffer.raw().nbytes for buffer in buffers)


def _portable(error: Exception) -> Exception:
    """The error as one that arrives: many exceptions of libraries cannot be sent."""
    if isinstance(error, MemoryError):
        return MemoryError()
    try:
        if isinstance(pickle.loads(pickle.dumps(error)), type(error)):
            return error
    except Exception:  # whatever its class makes of it
        pass
    return RuntimeError(f"{type(error).__name__}: {error}"[:300])


def _limit(memory_bytes: int) -> None:
    """Asking for more than this beyond what the interpreter has is a MemoryError; no core dumps."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = memory_bytes + _address_space()
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _end_with_parent(lifeline: int) -> None:
    """When the other end of the pipe closes, the kernel ends us and every child of ours.

    That needs no turn of the interpreter, which may be stuck in a decoder, and holds for a
    parent that is killed. (PR_SET_PDEATHSIG would end us with the *thread* that started us, and
    would spare our children.) Outside Linux the end of the socket ends us, after the job at hand.
    """
    if sys.platform == "linux":
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
        watch = select.poll()
        watch.register(lifeline, 0)
        if watch.poll(0):  # it was closed before we listened
            os._exit(1)
