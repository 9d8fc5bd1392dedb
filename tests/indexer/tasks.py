"""What workers are asked to do in the tests of the pool: good jobs, and bad ones."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from indexer import worker
from indexer.decode import Drawn, Given, Piece, Recipe, decode, unreadable
from indexer.scan import Found
from unisearch.errors import Unreadable


def count(values: int) -> Iterator[int]:
    """0, 1, 2, … and then their number in words."""
    yield from range(values)
    return f"{values} values"  # type: ignore[return-value]


def arrays(count: int, shape: tuple[int, ...]) -> Iterator[tuple[int, np.ndarray]]:
    """Arrays full of their number."""
    for number in range(count):
        yield number, np.full(shape, number, np.float32)


def fail(path: bytes) -> Iterator[int]:
    yield 1
    raise Unreadable(path, "corrupt", "made to fail")


def fail_as_a_disk(file: Found, recipe: object) -> Iterator[Piece]:
    """In the place of `decode`."""
    del recipe
    raise unreadable(file.path, OSError(5, "Input/output error"))
    yield


def odd() -> Iterator[int]:
    """An error that no other process can read."""

    class Local(Exception):
        pass

    raise Local("cannot be sent")
    yield


def abort() -> Iterator[int]:
    yield 1
    os.abort()


def crash() -> Iterator[int]:
    """Reads where nothing is."""
    ctypes.string_at(1)
    yield


def leave() -> Iterator[int]:
    os._exit(3)
    yield


def hang(pulse: str = "") -> Iterator[int]:
    """Never comes back, with the interpreter's lock held, as a C library may."""
    if pulse:
        Path(pulse).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(600)
    yield


def nap(seconds: float) -> Iterator[str]:
    yield "before"
    time.sleep(seconds)
    yield "after"


def wait_for(path: str) -> Iterator[str]:
    """Its value comes when there is a file; that it waits is told by another one."""
    Path(path + ".begun").touch()
    while not Path(path).exists():
        time.sleep(0.01)
    yield "here"


def age(values: int, seconds: float) -> Iterator[bytes]:
    """Each value fills a message, and takes that long by the clock of the worker."""
    shown, late = time.monotonic, 0.0
    worker.time = SimpleNamespace(monotonic=lambda: shown() + late)  # type: ignore[assignment]
    for _ in range(values):
        late += seconds
        yield bytes(2 << 20)


def drip(values: int, pause_s: float) -> Iterator[bytes]:
    """Each value fills a message."""
    for _ in range(values):
        time.sleep(pause_s)
        yield bytes(2 << 20)


def eat(megabytes: int) -> Iterator[int]:
    """Holds that much memory, piece by piece."""
    held = [bytearray(1 << 20) for _ in range(megabytes)]
    yield len(held)


def keep(megabytes: int, held: list[bytes] = []) -> Iterator[int]:  # noqa: B006
    """Holds it longer than it works."""
    held += [bytes([1]) * (1 << 20) for _ in range(megabytes)]
    yield os.getpid()


def have_child(pulse: str) -> Iterator[int]:
    """Waits for a process of its own that never ends."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(pulse).write_text(f"{os.getpid()} {child.pid}")
    child.wait()
    yield 1


def warn(message: str) -> Iterator[int]:
    logging.getLogger("tests.worker").warning("%s", message)
    yield 1


def imported(name: str) -> Iterator[bool]:
    """Whether the worker has that module, after it could read and prepare anything."""
    yield name in sys.modules


def ignore(argument: Any) -> Iterator[int]:
    yield len(argument)


def decode_as_told(file: Found, recipe: Recipe) -> Generator[Given, None, Drawn]:
    """In the place of `decode`: what becomes of a file is told by its name."""
    name = os.path.basename(file.path).decode()  # noqa: PTH119 (bytes)
    if name.startswith("abort"):
        os.abort()
    if name.startswith("hang"):
        ctypes.PyDLL(None).sleep(600)
    if name.startswith("shot"):
        mark = Path(os.fsdecode(file.path) + ".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("eat"):
        raise unreadable(file.path, MemoryError())
    drawn = yield from decode(file, recipe)
    if name.startswith("late-abort"):
        os.abort()
    if name.startswith("late-hang"):
        Path(os.fsdecode(file.path) + ".mark").touch()
        ctypes.PyDLL(None).sleep(600)
    if name.startswith("slow"):
        time.sleep(float(name.split("-")[1]))
    if name.startswith("noted"):
        with Path(os.fsdecode(file.path) + ".read").open("a") as note:
            note.write("x")
    return drawn
