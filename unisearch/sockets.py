"""Where the sockets in a library's folder are reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def socket_path(library: Path, name: str) -> Iterator[str]:
    """The path of a socket, in a form that the system takes: it allows 107 bytes.

    Linux reaches the library's folder through our own descriptor of it, however long its path is.
    """
    if not Path("/proc/self/fd").is_dir():
        yield os.fspath(library / name)
        return
    folder = os.open(library, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{name}"
    finally:
        os.close(folder)
