"""Signals of a daemon: end, and read the settings again. They only take note; the loop looks."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Self

#: A stop that takes longer ends the process at once. A library survives that: what was being
#: read is read again by the next run.
LONGEST_STOP_S = 1.5
_ENDS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Catches the signals while it is entered, in the main thread only.

    stop: the signal that asked for the end, or 0
    """

    def __init__(self, longest_s: float = LONGEST_STOP_S) -> None:
        self.stop = 0
        self._reload = False
        self._longest_s = longest_s
        self._wake, self._woken = _pipe(), _pipe()  # for the loop, for the guard
        self._before: dict[int, Any] = {}
        self._wakeup_fd = -1

    def asked_to_reload(self) -> bool:
        """Whether the settings should be read again; told once."""
        asked, self._reload = self._reload, False
        return asked

    def check(self) -> None:
        """Raise KeyboardInterrupt when the end was asked for."""
        if self.stop:
            raise KeyboardInterrupt

    def wake(self) -> None:
        """End a wait; from any thread."""
        _write(self._wake[1])

    def wait(self, seconds: float) -> None:
        """Wait for so long, for `wake` or for a signal."""
        if select.select([self._wake[0]], [], [], max(seconds, 0.0))[0]:
            _drain(self._wake[0])

    def __enter__(self) -> Self:
        for number in (*_ENDS, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        # The C part of a handler writes here also while the main thread computes in C.
        self._wakeup_fd = signal.set_wakeup_fd(self._woken[1], warn_on_full_buffer=False)
        threading.Thread(target=self._guard, name="signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup_fd)
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number in _ENDS:
            self.stop = number
        else:
            self._reload = True
        _write(self._wake[1])

    def _guard(self) -> None:
        """Sees to it that a stop takes no longer than promised."""
        while True:
            select.select([self._woken[0]], [], [])
            came = _drain(self._woken[0])
            ends = [number for number in _ENDS if bytes([number]) in came]
            if ends:
                time.sleep(self._longest_s)
                os._exit(128 + signal.SIGINT if ends == [signal.SIGINT] else 0)


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _write(writer: int) -> None:
    with suppress(BlockingIOError):  # enough is there to wake anybody
        os.write(writer, b"\0")


def _drain(reader: int) -> bytes:
    try:
        return os.read(reader, 1 << 12)
    except BlockingIOError:
        return b""
