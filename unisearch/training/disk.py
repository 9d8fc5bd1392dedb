"""Files that training writes: whole or not there, and room for them known beforehand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from unisearch.errors import UnisearchError, display, refused

UNFINISHED = ".unfinished"


def put(path: Path, content: bytes | memoryview) -> None:
    """Writes the file in one step; when that fails or is stopped, nothing of it stays.

    Raises UnisearchError when the system refuses.
    """
    # Another process may write the same file: each has its own.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UnisearchError(refused(path.parent, error)) from error


def clear_unfinished(folder: Path) -> None:
    """Removes what processes that were killed have left behind."""
    for path in folder.rglob(f"*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def free_bytes(folder: Path) -> int:
    """What may still be written at that place, which need not be there yet."""
    return shutil.disk_usage(_existing(folder)).free


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raises UnisearchError when that much cannot be written at that place."""
    if folder.exists() and not folder.is_dir():
        raise UnisearchError(f"{display(folder)}: is no folder; choose another place")
    if not os.access(_existing(folder), os.W_OK):
        raise UnisearchError(f"{display(folder)}: no permission to write there")
    free = free_bytes(folder)
    if needed_bytes > free:
        raise UnisearchError(
            f"{display(folder)}: {amount(needed_bytes)} are needed and {amount(free)} are free "
            "there: free some space or choose another place"
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())


def amount(size_bytes: int) -> str:
    """A number of bytes for people."""
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.1f} GB"
