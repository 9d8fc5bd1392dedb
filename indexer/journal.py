"""What the jobs of one writer do to the library, told to the runs that pause meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class News:
    """What others wrote since a run paused; dropped: places taken out of the library."""

    def __init__(self) -> None:
        self.written = False
        self.dropped: list[bytes] = []

    def read(self) -> list[bytes] | None:
        """The places that were dropped, each told once; None when nobody wrote at all."""
        written, dropped = self.written, self.dropped
        self.written, self.dropped = False, []
        return dropped if written else None


class Journal:
    """Passes on what each job writes to all runs that are under way, but not to itself."""

    def __init__(self) -> None:
        self._readers: list[News] = []

    @contextmanager
    def reader(self) -> Iterator[News]:
        """What others write from now on; at its end they hear that this reader has written."""
        news = News()
        self._readers.append(news)
        try:
            yield news
        finally:
            self._readers.remove(news)
            self.wrote()

    def wrote(self, *dropped: bytes, by: News | None = None) -> None:
        """Something was written, and these places were dropped from the library."""
        for news in self._readers:
            if news is not by:
                news.written = True
                news.dropped += dropped
