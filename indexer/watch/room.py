"""Whether a library's disk has room for more."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from unisearch.errors import display

logger = logging.getLogger(__name__)


class Room:
    """The disk of a library; that it fills up, and that it has room again, is told once."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._lacks = False

    def is_left(self, least_mb: int) -> bool:
        """Whether so much is free; not where the disk cannot be looked at."""
        why = self._why_not(least_mb)
        if why and not self._lacks:
            logger.warning("%s: %s: indexing waits", display(self._library), why)
        elif self._lacks and not why:
            logger.info("there is room on the disk again: indexing goes on")
        self._lacks = bool(why)
        return not why

    def _why_not(self, least_mb: int) -> str:
        folder = self._library  # or the nearest one above it that is there
        try:
            there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
            free_mb = shutil.disk_usage(there).free // 1_000_000
        except OSError as error:
            return f"cannot be looked at ({error.strerror})"
        if free_mb < least_mb:
            return f"{free_mb} MB are free and {least_mb} should be (watch.min_free_mb)"
        return ""
