"""What the configuration asks of every run."""

from __future__ import annotations

from indexer.scan import Scan
from unisearch.wiring import Rooms


def scan_of(rooms: Rooms, place: bytes) -> Scan:
    """The walk below a place, past what is configured and past the library itself."""
    library = bytes(rooms.library.resolve())
    return Scan(place, rooms.settings.index.ignore, frozenset((library,)))
