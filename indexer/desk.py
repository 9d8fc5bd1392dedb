"""Where the holder of a library takes in the jobs of other processes: LIBRARY/writer.sock."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.handover import (
    MAX_LINE_BYTES,
    SOCKET_FILE,
    Alive,
    Answer,
    BadMessage,
    Job,
    Status,
    decode_job,
    encode_answer,
)
from indexer.report import Progress
from unisearch.errors import UnisearchError, display
from unisearch.sockets import socket_path

logger = logging.getLogger(__name__)

#: So often a waiting process hears that the holder lives, and where its own job is.
TICK_S = 0.25
#: So long somebody may take to say what he wants, and to read the last line.
PATIENCE_S = 10.0
MOST_LINES = 256
_CHUNK = 1 << 16
_POLL_S = 0.01


class Handed:
    """A job of another process. The thread of the writer works on it, that of the desk tells."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.begun = False
        self.cancelled = False  # its process is gone
        self.progress: Progress | None = None  # the newest, until it was told
        self.end: bytes | None = None

    def answer(self, answer: Answer) -> None:
        """The end of it."""
        self.end = encode_answer(answer)


class Line:
    """One connection: what came in, what is to go out, and the job once it is known."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.handed: Handed | None = None
        self._came = bytearray()
        self._goes = bytearray()
        self._ends = False
        self._since = time.monotonic()

    def read(self) -> Job | None:
        """Take in what arrived; the job when its line is whole.

        Raises EOFError when the other side is gone, and BadMessage.
        """
        try:
            chunk = self.connection.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            chunk = b""
        if not chunk:
            raise EOFError
        if self._ends:
            return None
        if self.handed is not None:
            raise BadMessage("one job, one line")
        self._came += chunk
        if len(self._came) > MAX_LINE_BYTES:
            raise BadMessage(f"a job is one line of at most {MAX_LINE_BYTES:,} bytes")
        if b"\n" not in chunk:
            return None
        line, _, more = self._came.partition(b"\n")
        if more:
            raise BadMessage("one job, one line")
        return decode_job(bytes(line))

    def say(self, line: bytes, end: bool = False) -> None:
        """Put a line on its way; `end`: it is the last one."""
        self._goes += line
        if end:
            self._ends, self._since = True, time.monotonic()
        self.write()

    def write(self) -> None:
        """Send what the other side takes; never waits for it."""
        with suppress(BlockingIOError, OSError):
            while self._goes:
                del self._goes[: self.connection.send(self._goes[:_CHUNK])]

    def tell(self) -> None:
        """What is new of the job; nothing while the last news are not taken."""
        handed = self.handed
        if handed is None or self._ends or (self._goes and handed.end is None):
            return
        if handed.end is not None:
            self.say(handed.end, end=True)
            return
        progress, handed.progress = handed.progress, None
        self.say(encode_answer(progress or Alive(handed.begun)))

    @property
    def done(self) -> bool:
        """Whether nothing more will go over it: all said, or the other side lets us wait."""
        late = time.monotonic() - self._since > PATIENCE_S
        return (self._ends and (not self._goes or late)) or (self.handed is None and late)


class Desk:
    """Takes in jobs in a thread of its own, so that none who waits takes the holder for dead.

    facts: what is told to who only wants to know what goes on
    waiting: jobs that nobody works on yet, in the order in which they came
    Only the holder of the lock may have one. Where no socket can be made, none comes: others then
    wait for the lock.
    """

    def __init__(self, library: Path, facts: Callable[[], dict[str, Any]]) -> None:
        self.library = library
        self._facts = facts
        self.waiting: deque[Handed] = deque()
        self.arrived = threading.Event()
        self._closing = False
        self._lines: list[Line] = []
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._listener = self._listen()
        self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
        self._thread.start()

    def news(self) -> None:
        """Have the thread tell at once what is new."""
        with suppress(OSError):
            self._wake.send(b".")

    def close(self) -> None:
        """Take no more, say what is left to be said, and end; jobs without an end are dropped.

        Their processes see the line end and try for the lock themselves.
        """
        self._closing = True
        self.news()
        self._thread.join()
        for end in (self._wake, self._woken):
            end.close()

    def _listen(self) -> socket.socket | None:
        listener = socket.socket(socket.AF_UNIX)
        try:
            with socket_path(self.library, SOCKET_FILE) as path:
                with suppress(FileNotFoundError):
                    os.unlink(path)  # noqa: PTH108 (of a holder that was killed: we have the lock)
                listener.bind(path)
                # Nobody can connect before `listen`, and nobody else after this.
                os.chmod(path, 0o600)  # noqa: PTH101
            listener.listen(128)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            where = display(self.library)
            logger.info("%s: takes no jobs of other processes: %s", where, error)
            return None
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _serve(self) -> None:
        told = 0.0
        while not self._closing:
            for key, _ in self._selector.select(TICK_S):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._drain_wake()
                    told = 0.0
                else:
                    self._read(key.data)
            if time.monotonic() - told >= TICK_S:
                told = time.monotonic()
                self._tell()
        self._end()

    def _drain_wake(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(_CHUNK)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:  # gone again, or no descriptor is left
            time.sleep(_POLL_S)
            return
        if len(self._lines) >= MOST_LINES or peer(connection)[1] != os.geteuid():
            connection.close()  # it tries again, or waits for the lock
            return
        line = Line(connection)
        self._lines.append(line)
        self._selector.register(connection, selectors.EVENT_READ, line)

    def _read(self, line: Line) -> None:
        try:
            job = line.read()
        except EOFError:
            self._drop(line)
        except BadMessage as error:
            if line.handed is not None:
                line.handed.cancelled = True
            line.say(encode_answer(UnisearchError(f"not understood: {error}")), end=True)
        else:
            if job is not None and job.name == "status":
                line.say(encode_answer(self._status()), end=True)
            elif job is not None:
                line.handed = Handed(job)
                self.waiting.append(line.handed)
                self.arrived.set()

    def _status(self) -> Answer:
        """What goes on. A mistake of ours is told to who asked, and ends nobody else's line."""
        try:
            return Status(self._facts())
        except Exception as error:
            logger.debug("no status", exc_info=True)
            return UnisearchError(f"unexpected {type(error).__name__}: {error}")

    def _tell(self) -> None:
        for line in list(self._lines):
            line.tell()
            line.write()
            if line.done:
                self._drop(line)

    def _drop(self, line: Line) -> None:
        if line.handed is not None:
            line.handed.cancelled = True
        self._selector.unregister(line.connection)
        self._lines.remove(line)
        line.connection.close()

    def _end(self) -> None:
        """First the name goes, then what was answered is said, then every line is cut."""
        if self._listener is not None:
            with suppress(OSError), socket_path(self.library, SOCKET_FILE) as path:
                os.unlink(path)  # noqa: PTH108
            self._listener.close()
        until = time.monotonic() + PATIENCE_S
        while any(line.handed and line.handed.end for line in self._lines):
            self._tell()
            if time.monotonic() > until:
                break
            time.sleep(_POLL_S)
        for line in list(self._lines):
            self._drop(line)
        self._selector.close()


def peer(connection: socket.socket) -> tuple[int, int]:
    """(process, user) at the other end."""
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, user, _ = struct.unpack("3i", said)
    return process, user
