"""What the configuration asks of every run."""

from __future__ import annotations

import os

from indexer.scan import Found, Scan
from unisearch.catalog.folders import relative
from unisearch.wiring import Rooms


def scan_of(rooms: Rooms, place: bytes) -> Scan:
    """The walk below a place, past what is configured and past the library itself."""
    library = bytes(rooms.library.resolve())
    with rooms.catalog.view() as view:
        tops = [path for path in view.whole_roots() if relative(path, place) is not None]
    top = tops[0] if tops else b""
    index = rooms.settings.index
    return Scan(place, index.ignore, frozenset((library,)), top, index.sidecars == "words")


def found_at(rooms: Rooms, path: bytes) -> Found | None:
    """The file at a path, if it is there and a walk over its root would not leave it out."""
    if not os.path.isfile(path) or os.path.islink(path):  # noqa: PTH113, PTH114 (bytes)
        return None
    scan = scan_of(rooms, path)
    try:
        left_out = scan.top and not scan_of(rooms, scan.top).wants(path)
    except OSError:
        return None
    scan.only_words = False
    return None if left_out else next(iter(scan), None)
