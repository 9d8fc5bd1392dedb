"""Ctrl-C at any moment is one line and exit code 130.

The command imports this first, so it imports nothing that the interpreter has not loaded anyway.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` is not loaded yet
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

INTERRUPTED = 130
LINE = "unisearch: interrupted; run it again to go on"


def install() -> None:
    """From now on SIGINT means `interrupt`, and none is lost where Python cannot raise it."""
    import signal

    report = sys.unraisablehook

    def notice(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            leave()  # it came inside a destructor or a callback, which would swallow it
        report(unraisable)

    sys.unraisablehook = notice
    signal.signal(signal.SIGINT, interrupt)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """The handler of SIGINT: raises KeyboardInterrupt; inside an import it ends the process.

    Modules written in C++ abort on an exception while they are set up, and others swallow it.
    To end there is safe: a library survives a kill at any instant.
    """
    del number
    if is_importing(frame):
        leave()
    raise KeyboardInterrupt


def is_importing(frame: FrameType | None) -> bool:
    """Whether an import has led to this frame."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def leave() -> NoReturn:
    """Says that the run was stopped by hand, and ends the process at once."""
    try:
        os.write(2, f"{LINE}\n".encode())
    finally:  # stderr may be closed
        os._exit(INTERRUPTED)
