"""What workers do in tests: a module of its own, so that they load nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from unisearch.errors import Unreadable


def lines(path: Path) -> Iterator[str]:
    """The lines of a file; one whose name ends in 7 is refused at its end."""
    yield from path.read_text().splitlines()
    if path.stem.endswith("7"):
        raise Unreadable(path, "corrupt", "it ends in 7")


def stuck(pulse: Path, *_: object) -> Iterator[object]:
    """Never comes to an end; first its process is told in that file."""
    new = pulse.with_suffix(".new")
    new.write_text(str(os.getpid()))
    new.rename(pulse)
    time.sleep(600)
    yield
