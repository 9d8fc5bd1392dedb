"""How long to wait after an error, and whether it was told before. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Callable

FIRST_S, LONGEST_S = 1.0, 300.0


class Backoff:
    """Waits twice as long after each error in a row."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._errors = 0
        self._until = float("-inf")
        self._told: set[str] = set()

    @property
    def wait_s(self) -> float:
        """So long nothing is to be tried, 0 when it may be."""
        return max(self._until - self._clock(), 0.0)

    def failed(self, message: str) -> bool:
        """One more error in a row; whether it is news."""
        self._errors += 1
        pause_s = FIRST_S * 2.0 ** min(self._errors - 1, 16)
        self._until = self._clock() + min(pause_s, LONGEST_S)
        is_news = message not in self._told
        self._told.add(message)
        return is_news

    def worked(self) -> bool:
        """All is well; whether that is news."""
        was_bad = self._errors > 0
        self._errors, self._until = 0, float("-inf")
        self._told.clear()
        return was_bad
