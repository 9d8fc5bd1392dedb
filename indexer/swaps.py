"""Files that took each other's names: each stays the item that it was, with its tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from indexer.scan import Found
from unisearch.catalog.rows import KnownFile, Stat

_Marks = tuple[int, int, int]


def swapped(files: Iterable[Found], known: Mapping[bytes, KnownFile]) -> dict[bytes, KnownFile]:
    """By path, the item whose file seems to lie there now, where names went round in a circle.

    files: those that changed; known: the items at their paths
    Only whole circles (a and b, or a to b to c to a) are meant: where one file was written over
    another, or a new one stands in an old one's place, the item stays with its path, as when an
    editor saves.
    """
    lay_at = {_marks(before.stat): path for path, before in known.items()}
    source = {
        file.path: lay_at[_marks(file.stat)]
        for file in files
        if file.firm and file.path in known and _marks(file.stat) in lay_at
    }
    found: dict[bytes, KnownFile] = {}
    for path in source:
        circle = _circle(path, source)
        found.update((at, known[source[at]]) for at in circle)
    return found


def _circle(path: bytes, source: Mapping[bytes, bytes]) -> list[bytes]:
    """The paths from this one back to itself; none when it leads elsewhere or stays in place."""
    way, at = [path], source.get(path)
    while at is not None and at != path and len(way) <= len(source):
        way.append(at)
        at = source.get(at)
    return way if at == path and len(way) > 1 else []


def _marks(stat: Stat) -> _Marks:
    """What a rename leaves as it is; it counts as a change of the file's own entry (ctime)."""
    return stat.inode, stat.size_bytes, stat.mtime_ns
