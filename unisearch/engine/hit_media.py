"""Pictures and sounds of hits, from the library that is open in this process."""

from __future__ import annotations

import os
from pathlib import Path

from unisearch.catalog.open import Catalog
from unisearch.previews.make import Kind
from unisearch.previews.places import read
from unisearch.records import Hit
from unisearch.wiring import PREVIEWS_FOLDER, Rooms


class LocalMedia:
    """Pictures and sounds of a library that is open in this process."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def picture(self, hit: Hit) -> bytes | None:
        """The still preview of a hit, WebP."""
        return preview_of(self._rooms.catalog, self._rooms.library, hit.item, "still")

    def sound(self, hit: Hit, most_bytes: int) -> bytes | None:
        """The file of a hit, unless it is larger, or not there any more."""
        try:
            with Path(os.fsdecode(hit.path)).open("rb") as file:
                content = file.read(most_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return content if len(content) <= most_bytes else None


def preview_of(catalog: Catalog, library: Path, item: int, kind: Kind) -> bytes | None:
    """A preview of an item: 'still' or 'turn' (WebP) or 'text' (UTF-8); None for none (yet)."""
    with catalog.view() as view:
        row = view.item(item)
        digest = None if row is None or row.content is None else view.digest_of(row.content)
    return None if digest is None else read(library / PREVIEWS_FOLDER, digest, kind)
