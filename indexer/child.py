"""A worker process, as the pool sees it: started, given a job, listened to, ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import shared
from indexer.worker import AHEAD, JOB, NO_MEMORY, ORDER, TAKEN, VALUES
from unisearch.errors import UnisearchError, Unreadable

_PROGRAM = "from indexer.worker import serve; serve()"
#: Where this package lies, also when it was found through the current folder.
_HERE = str(Path(__file__).resolve().parent.parent)
#: One thread each: the pool has as many workers as there are cores for them.
SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(eq=False)
class Ask:
    """A job that waits or is at work.

    path: the file, for what is told of a worker that died; data: the task and its arguments
    grace_s: time that it may take beside what is allowed to all
    values: so many it gave until now
    """

    number: int
    path: bytes
    data: bytes
    grace_s: float = 0.0
    values: int = 0


class Child:
    """A worker process. All but `taken` is called by one thread alone.

    ask: the job at hand, None while it has none
    """

    def __init__(self, memory_bytes: int) -> None:
        self.ask: Ask | None = None
        self.ready = False
        self.verdict: str | None = None  # why we ended it
        self.heard_s = 0.0  # on the clock of the pool, as all times here
        self.busy_s = 0.0  # what it had worked on its job when it was heard
        self.used = self.used_at_first = 0
        self._ahead = 0
        self._sending = threading.Lock()
        self.line, theirs = socket.socketpair()
        lifeline, self._life = os.pipe()
        arguments = [theirs.fileno(), lifeline, memory_bytes, logging.root.getEffectiveLevel()]
        found = os.pathsep.join([*(place for place in sys.path if place), _HERE])
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, *map(str, arguments)],
                pass_fds=(theirs.fileno(), lifeline),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": found} | SINGLE,
                start_new_session=True,  # Ctrl-C is for us, and what it starts can be ended with it
            )
        except BaseException:
            self.line.close()
            os.close(self._life)
            raise
        finally:
            theirs.close()
            os.close(lifeline)

    @property
    def number(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def waits(self) -> bool:
        """Whether it can do nothing before we take what it sent."""
        return self._ahead >= AHEAD

    def begin(self, ask: Ask, now_s: float) -> None:
        """Give it a job."""
        self.ask, self.heard_s, self.busy_s = ask, now_s, 0.0
        self._order(JOB, ask.data)

    def hear(self, now_s: float) -> tuple[bytes, Any, list[tuple[str, int, str]]] | None:
        """(kind, value, what it logged) of its next message; None when it died or went wrong."""
        try:
            message = shared.receive(self.line)
        except UnisearchError as error:
            self.verdict = self.verdict or str(error)
            message = None
        if message is None:
            return None
        kind, (value, said), self.busy_s, self.used = message
        self.heard_s = now_s
        if kind == VALUES:
            with self._sending:
                self._ahead += 1
        return kind, value, said

    def taken(self, now_s: float) -> None:
        """One of its messages was taken: it may send another. For any thread."""
        with self._sending:
            if self._ahead >= AHEAD:
                self.heard_s = now_s  # its time begins again
            self._ahead -= 1
        self._order(TAKEN)

    def kill(self) -> None:
        """End it, and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> int:
        """Its exit code, as subprocess has it, after it ended or is made to."""
        self.line.close()
        try:
            code = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        self.kill()  # the group: what it started may have outlived it
        os.close(self._life)
        return code

    def _order(self, kind: bytes, data: bytes = b"") -> None:
        with self._sending, contextlib.suppress(OSError):  # that it died is heard soon enough
            self.line.sendall(ORDER.pack(kind, len(data)) + data)


def failure_of(path: bytes, code: int, verdict: str | None, limit_s: float) -> Unreadable:
    """The failure of the file whose worker ended, by its exit code."""
    if verdict == "timeout":
        return Unreadable(path, "timeout", f"reading it took more than {limit_s:.3g} s")
    if verdict is not None:
        return Unreadable(path, "crash", f"the process that read it went wrong: {verdict}")
    if code == -signal.SIGKILL:  # nobody but the system or a person does that: not the file's fault
        reason = "the system ended the process that read it, as it does for memory; the next run"
        return Unreadable(path, "memory", f"{reason} tries again", transient=True)
    if code == NO_MEMORY:
        return Unreadable(path, "memory", "too little memory to read it")
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return Unreadable(path, "crash", f"the library that reads it crashed ({how})")
