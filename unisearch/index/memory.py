"""What a process keeps of memory that it no longer needs."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def release() -> None:
    """Give the system back what was freed; does nothing where the C library cannot.

    glibc keeps freed memory for itself: after an index is opened, a twentieth of what it needs.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], Any] | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
