"""Warnings that are said once, however often their cause is met."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)


class Once:
    """Remembers what was said."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, line: str) -> None:
        """Log the line as a warning, unless it was logged before."""
        if line not in self._said:
            self._said.add(line)
            logger.warning("%s", line)
