"""What the configuration asks of every run."""

from __future__ import annotations

from indexer.scan import Scan
from unisearch.catalog.folders import relative
from unisearch.wiring import Rooms


def scan_of(rooms: Rooms, place: bytes) -> Scan:
    """The walk below a place, past what is configured and past the library itself."""
    library = bytes(rooms.library.resolve())
    with rooms.catalog.view() as view:
        tops = [path for path in view.whole_roots() if relative(path, place) is not None]
    top = tops[0] if tops else b""
    return Scan(place, rooms.settings.index.ignore, frozenset((library,)), top)
