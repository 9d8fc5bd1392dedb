"""What a daemon tells the service manager that started it, as sd_notify(3) does."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

logger = logging.getLogger(__name__)

#: A manager that takes nothing for so long does without that message.
_PATIENCE_S = 0.5


class Manager:
    """The service manager, if one listens at $NOTIFY_SOCKET; nothing is said otherwise."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")

    def ready(self, status: str) -> None:
        """The service does its work now, for the first time or after a reload."""
        self._tell(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """The settings are read again; `ready` follows."""
        self._tell(
            f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
        )

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The service has not got stuck."""
        self._tell("WATCHDOG=1")

    def _tell(self, message: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        # '@' stands for the byte 0 of an abstract address, which lies in no folder.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(_PATIENCE_S)
            line.sendto(message.encode(), address)


def watchdog_s() -> float | None:
    """How often the manager wants to hear that we live, in seconds; None when it does not."""
    wanted, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not wanted.isdecimal() or int(wanted) == 0 or process not in ("", str(os.getpid())):
        return None
    return int(wanted) / 1e6


class Heart(threading.Thread):
    """Tells the manager that we live as long as the main thread gets on with its work.

    beats: what changes while it does; the processor time of that thread counts too, since a walk
    over a large folder says nothing for minutes
    """

    def __init__(self, manager: Manager, every_s: float, beats: Callable[[], int]) -> None:
        super().__init__(name="heart", daemon=True)
        self._manager, self._every_s, self._beats = manager, every_s, beats
        main = threading.main_thread().ident
        assert main is not None
        self._clock = time.pthread_getcpuclockid(main)
        self._stop = threading.Event()

    def run(self) -> None:
        """Looks twice in each of the manager's intervals."""
        before: object = None
        while not self._stop.wait(self._every_s / 2):
            now = (self._beats(), time.clock_gettime_ns(self._clock))
            if now != before:
                self._manager.alive()
            before = now

    def stop(self) -> None:
        """No more."""
        self._stop.set()
