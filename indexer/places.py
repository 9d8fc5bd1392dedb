"""From the paths that somebody gave to places in the library."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unisearch.catalog.folders import relative
from unisearch.catalog.view import View
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

    Raises UnisearchError for a path that does not exist.
    """
    real = set()
    for path in paths:
        place = os.path.realpath(os.fsencode(path))
        if not os.path.lexists(place):
            raise UnisearchError(f"{display(path)}: no such file or folder")
        real.add(place)
    return sorted(
        place
        for place in real
        if not any(other != place and relative(other, place) is not None for other in real)
    )


def folder_of(place: bytes) -> bytes:
    """The folder that becomes a root for this place: itself, or that of a single file."""
    return place if os.path.isdir(place) else os.path.dirname(place)  # noqa: PTH112, PTH120


def ensure_root(tx: Writing, place: bytes) -> None:
    """Make a root for the place, unless one lies at or above it."""
    if root_of(tx, place) is None:
        tx.add_root(folder_of(place))


def root_of(view: View, place: bytes) -> tuple[int, bytes] | None:
    """(id, path) of the root at or above the place."""
    return next(
        ((root.id, root.path) for root in view.roots() if relative(root.path, place) is not None),
        None,
    )


def is_gone(path: bytes) -> bool:
    """Whether nothing is there any more; a place that cannot be looked at is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
