"""What is gone while other things move: it may turn up elsewhere, and is not forgotten yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: So long what is missing is kept at most while movements never end.
MOST_S = 300.0


class Missing:
    """Since when files are missed. clock: seconds that never go back"""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[bytes, float] = {}

    def spared(self, gone: Sequence[bytes], moving: bool) -> list[bytes]:
        """Those of them that stay for now.

        moving: whether anything moved while they were looked for, or is still to be looked at
        """
        now = self._clock()
        old = {path: since for path, since in self._since.items() if now < since + 2 * MOST_S}
        since = {path: old.pop(path, now) for path in gone}
        spared = [path for path, first in since.items() if moving and now < first + MOST_S]
        self._since = old | {path: since[path] for path in spared}
        return spared
