"""What the configuration and the library ask of every run."""

from __future__ import annotations

from indexer.scan import Scan
from unisearch.errors import ForeignSpace, display
from unisearch.wiring import Rooms


def scan_of(rooms: Rooms, place: bytes) -> Scan:
    """The walk below a place, past what is configured and past the library itself."""
    library = bytes(rooms.library.resolve())
    return Scan(place, rooms.settings.index.ignore, frozenset((library,)))


def max_bytes(rooms: Rooms) -> int:
    """The size of the largest file that is read."""
    return rooms.settings.limits.file_mb * 1024**2


def check_space(rooms: Rooms, space_id: str | None = None) -> None:
    """Raise ForeignSpace when the library holds vectors of another space than the configured.

    Without the id, which only the loaded space knows, the name is compared.
    """
    with rooms.catalog.view() as view:
        spaces = view.spaces()
    wanted = rooms.settings.space
    for space in spaces:
        if space.name != wanted or space_id not in (None, space.id):
            raise ForeignSpace(
                f"{display(rooms.library)}: its vectors belong to the space '{space.id}', not to"
                f" '{space_id or wanted}'; set 'space: {space.name}' or take another --library"
            )
