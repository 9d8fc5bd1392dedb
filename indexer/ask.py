"""Handing a job to the process that holds the library, and waiting for its end."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.desk import peer
from indexer.handover import (
    SOCKET_FILE,
    Alive,
    Back,
    BadMessage,
    Job,
    Status,
    decode_answer,
    encode_job,
)
from indexer.lock import cpu_ticks, holder_of
from indexer.report import Progress, Report
from indexer.work import ProgressHook
from unisearch.errors import LibraryLocked, UnisearchError, display
from unisearch.sockets import socket_path

logger = logging.getLogger(__name__)

#: A holder that says nothing for so long, and computes nothing meanwhile, does not answer.
SILENT_S = 5.0
#: A job that has not begun by then is worth a line.
NOTICE_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.5
_CHUNK = 1 << 16


class Asking:
    """One job that others may do: asked of every holder in turn until one has done it.

    Between two calls of `ask` the caller tries for the lock itself.
    """

    def __init__(self, library: Path, job: Job, hook: ProgressHook | None = None) -> None:
        self._library = library
        self._job = job
        self._hook = hook
        self._last: Progress | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._started = time.monotonic()
        self._noticed: int | None = None  # the process that the notice was about
        self._holder: int | None = None
        self._heard = 0.0
        self._ticks: int | None = None

    def ask(self) -> Report | int | Back:
        """What the holder of the lock answers; Back when it let go of the job, or is gone.

        Raises what the job raises there, and LibraryLocked when the holder does not answer.
        """
        self._about(holder_of(self._library))
        try:
            with self._connected() as connection:
                connection.sendall(encode_job(self._job))
                for line in self._lines(connection):
                    end = self._take(line)
                    if end is not None:
                        return end
        except OSError as error:
            logger.debug("no answer from process %s: %s", self._holder, error)
        self._check()
        time.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return Back()

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        """A line to the holder. Raises OSError when none listens there."""
        with (
            socket.socket(socket.AF_UNIX) as connection,
            socket_path(self._library, SOCKET_FILE) as path,
        ):
            connection.settimeout(NOTICE_S)
            connection.connect(path)
            process, user = peer(connection)
            if user != os.geteuid():
                self._answered()  # it will not hear of our job: the lock is waited for
                raise PermissionError(f"process {process} belongs to another user")
            self._about(process or self._holder)
            yield connection

    def _lines(self, connection: socket.socket) -> Iterator[bytes]:
        """What comes, line by line, to the end of the connection."""
        came = bytearray()
        while True:
            try:
                chunk = connection.recv(_CHUNK)
            except TimeoutError:
                self._check()
                continue
            if not chunk:
                return
            self._answered()
            came += chunk
            if b"\n" in chunk:
                *lines, rest = came.split(b"\n")
                came = bytearray(rest)
                yield from map(bytes, lines)

    def _take(self, line: bytes) -> Report | int | Back | None:
        """What the line means: the end of the job, or None while it goes on."""
        try:
            answer = decode_answer(line)
        except BadMessage as error:
            raise LibraryLocked(
                f"{display(self._library)}: process {self._holder} holds the library and is of"
                f" another version ({error}); run this again when it is done"
            ) from None
        if isinstance(answer, UnisearchError):
            raise answer
        if isinstance(answer, Status):  # nobody asked for it
            return None
        if isinstance(answer, Alive):
            if not answer.begun:
                self._notice()
            elif self._hook is not None and self._last is not None:
                self._hook(self._last)  # so that a Ctrl-C need not wait for the next file
            return None
        if isinstance(answer, Progress):
            self._last = answer
            if self._hook is not None:
                self._hook(answer)
            return None
        return answer

    def _about(self, process: int | None) -> None:
        """That process holds the library now."""
        if process != self._holder or not self._heard:
            self._holder = process
            self._answered()

    def _answered(self) -> None:
        self._heard = time.monotonic()
        self._ticks = cpu_ticks(self._holder) if self._holder else None
        self._pause_s = _FIRST_PAUSE_S

    def _check(self) -> None:
        """Raise LibraryLocked when the holder neither says nor computes anything any more.

        A reader in C may keep all threads of a healthy holder from answering; then it computes.
        """
        self._notice()
        if time.monotonic() - self._heard < SILENT_S:
            return
        ticks = cpu_ticks(self._holder) if self._holder else None
        if ticks is None or ticks == self._ticks:
            raise LibraryLocked(
                f"{display(self._library)}: process {self._holder or 'unknown'} holds the library"
                " and does not answer; end it and run this again"
            )
        self._heard, self._ticks = time.monotonic(), ticks

    def _notice(self) -> None:
        late = time.monotonic() - self._started > NOTICE_S
        if late and self._holder not in (None, self._noticed):
            self._noticed = self._holder
            logger.warning("%s: waiting for process %d", display(self._library), self._holder)
