"""A hit in the program that the system opens such files with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from unisearch.errors import UnisearchError, UsageError, display
from unisearch.records import Hit


def open_hit(hits: Sequence[Hit], rank: int) -> None:
    """Start the system's program for the hit of that rank, and do not wait for it.

    Raises UsageError for a rank that there is not, UnisearchError without a file or a program.
    """
    hit = next((hit for hit in hits if hit.rank == rank), None)
    if hit is None:
        raise UsageError(f"--open {rank}: there are only {len(hits)} hits; -k asks for more")
    if not os.path.exists(hit.path):  # noqa: PTH110 (bytes)
        raise UnisearchError(f"{display(hit.path)}: is not there any more")
    subprocess.Popen(
        [program(), hit.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def program() -> str:
    """The system's opener. Raises UnisearchError where there is none."""
    name = "open" if sys.platform == "darwin" else "xdg-open"
    found = shutil.which(name)
    if found is None:
        raise UnisearchError(f"--open needs the program '{name}', which is not installed")
    return found
