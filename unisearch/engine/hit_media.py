"""Pictures and sounds of hits, from the library that is open in this process."""

from __future__ import annotations

import os
from pathlib import Path

from unisearch.catalog.open import Catalog
from unisearch.previews.places import found
from unisearch.records import Hit
from unisearch.wiring import PREVIEWS_FOLDER, Rooms


class LocalMedia:
    """Pictures and sounds of a library that is open in this process."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def picture(self, hit: Hit) -> bytes | None:
        """The still preview of a hit, WebP."""
        return still(self._rooms.catalog, self._rooms.library, hit)

    def sound(self, hit: Hit, most_bytes: int) -> bytes | None:
        """The file of a hit, unless it is larger."""
        path = Path(os.fsdecode(hit.path))
        return path.read_bytes() if path.stat().st_size <= most_bytes else None


def still(catalog: Catalog, library: Path, hit: Hit) -> bytes | None:
    """The still preview of a hit, WebP; None when there is none."""
    with catalog.view() as view:
        row = view.item(hit.item)
        digest = None if row is None or row.content is None else view.digest_of(row.content)
    there = {} if digest is None else found(library / PREVIEWS_FOLDER, digest)
    return there["still"].read_bytes() if "still" in there else None
