"""All writes and fsyncs of the rows: what returned here survives a power cut."""

from __future__ import annotations

import os
from pathlib import Path

from unisearch.errors import LibraryDamaged, display


def append(path: Path, offset: int, data: bytes) -> bool:
    """Write `data` at `offset`, dropping whatever lay behind it; True when the file is new.

    The data is on the disk on return; a new file's name only after `sync_folder`.
    Raises LibraryDamaged for a file shorter than `offset`: zeros would pass for rows.
    """
    new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        size = os.fstat(handle).st_size
        if size < offset:
            raise LibraryDamaged(f"{display(path)} has {size} bytes of {offset}: rows are lost")
        os.ftruncate(handle, offset)
        os.lseek(handle, offset, os.SEEK_SET)
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    return new


def make_folder(path: Path) -> None:
    """Create the folder and its missing parents; their names are on the disk on return."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Make the folder's names durable; a system that cannot open folders has nothing to sync."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
