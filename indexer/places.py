"""From the paths that somebody gave to places in the library."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unisearch.catalog.folders import real, relative
from unisearch.catalog.rows import RootRow
from unisearch.catalog.write import Writing
from unisearch.errors import UnisearchError, display


@dataclass(frozen=True)
class Place:
    """Where a file belongs: a root and the path below it."""

    root: int
    rel_path: bytes
    path: bytes


def resolve(paths: Iterable[Path | str | bytes]) -> list[bytes]:
    """The real paths, without those that lie at or below another.

    Raises UsageError for an empty path, and UnisearchError for one that does not exist, a device
    or a pipe.
    """
    places = set()
    for path in paths:
        place = real(path)
        try:
            mode = os.lstat(place).st_mode
        except PermissionError:
            mode = stat.S_IFREG  # the run lists what it may not look at
        except OSError as error:
            raise UnisearchError(f"{display(path)}: {_why_not(error)}") from error
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise UnisearchError(f"{display(path)}: neither a file nor a folder")
        places.add(place)
    return sorted(
        place
        for place in places
        if not any(other != place and relative(other, place) is not None for other in places)
    )


def refuse_own(places: Iterable[bytes], library: Path) -> None:
    """Raise UnisearchError when one of them is the library or lies in it: it would find itself."""
    own = real(library)
    for place in places:
        if relative(own, place) is not None:
            raise UnisearchError(f"{display(place)}: belongs to the library, which is not indexed")


def _why_not(error: OSError) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "no such file or folder"
    return f"cannot be looked at: {error.strerror}"


def ensure_roots(tx: Writing, places: Iterable[bytes]) -> None:
    """Make roots for places that belong to none.

    A single file makes none of its folder's other files part of the library.
    """
    roots = {(root.path, root.whole) for root in tx.roots()}
    for place in places:
        whole = os.path.isdir(place)  # noqa: PTH112 (bytes)
        folder = place if whole else os.path.dirname(place)  # noqa: PTH120 (bytes)
        held = any((above, True) in roots for above in _and_above(folder))
        if not held and (folder, whole) not in roots:
            tx.add_root(folder, whole)
            roots.add((folder, whole))


def place_of(roots: Iterable[RootRow], path: bytes) -> Place | None:
    """Where a file belongs, None when it is in no root."""
    for root in roots:
        if root.holds(path):
            return Place(root.id, relative(root.path, path) or b"", path)
    return None


def _and_above(folder: bytes) -> Iterator[bytes]:
    yield folder
    while folder != (folder := os.path.dirname(folder)):  # noqa: PTH120 (bytes)
        yield folder


def has_left(before: bytes, now: bytes) -> bool:
    """Whether the file that is at `now` is not at `before` any more.

    Where case makes no difference the old name still leads to a file that was renamed in case
    only: then its folder does not list that name.
    """
    return is_gone(before) or (
        _folded(before) == _folded(now) and _same_file(before, now) and not _listed(before, now)
    )


def _same_file(before: bytes, now: bytes) -> bool:
    try:
        return os.path.samestat(os.lstat(before), os.lstat(now))
    except OSError:
        return False


def _listed(before: bytes, now: bytes) -> bool:
    """Whether folders list `before` as it is spelt, as they do for two links to one file."""
    old, new = before.split(b"/"), now.split(b"/")
    differ = [at for at, names in enumerate(zip(old, new, strict=True)) if names[0] != names[1]]
    try:
        return all(old[at] in _names(b"/".join(new[:at]) or b"/") for at in differ)
    except OSError:
        return True


def _names(folder: bytes) -> set[bytes]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def _folded(path: bytes) -> str:
    return unicodedata.normalize("NFC", os.fsdecode(path)).casefold()


def is_gone(path: bytes) -> bool:
    """Whether nothing is there any more; a place that cannot be looked at is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
