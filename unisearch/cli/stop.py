"""Ctrl-C between two files instead of in the middle of one."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any, Self

from unisearch.cli.interrupt import interrupt


class Stop:
    """While this is entered, the first Ctrl-C waits for `check`, once that was called before.

    So nothing is cut off in the middle of a transaction. Until the first check, and at the second
    Ctrl-C, the run stops at once; the library is right after that too.
    """

    def __init__(self) -> None:
        self._asked = False
        self._working = False
        self._before: Any = None

    def check(self) -> None:
        """Raises KeyboardInterrupt when Ctrl-C was pressed since."""
        self._working = True
        if self._asked:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked or not self._working:
            interrupt(number, frame)
        self._asked = True
        if sys.stderr.isatty():
            print("stopping after this file; Ctrl-C again stops at once", file=sys.stderr)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
