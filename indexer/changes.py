"""The small changes to a library: each is one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence

from indexer.places import place_of
from indexer.sidecars import around
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import RootRow
from unisearch.catalog.write import Writing
from unisearch.errors import UnisearchError, display


def forget(tx: Writing, place: bytes, *, roots_too: bool = False) -> int:
    """Drop what is at and below a place; how many files were known there, failed ones too.

    Words that a file of the same name had from there go too; a later run takes them in again.
    roots_too: also indexed folders there, which have nothing left
    """
    roots, known = tx.roots(), tx.known_files(place)
    failed = {failure.path for failure in tx.failures(place)}
    for at in (place_of(roots, path) for path in failed):
        if at is not None:
            tx.clear_failure(at.root, at.rel_path)
    beside = [row.item for row in around(place, tx) if row.path != place and row.key]
    tx.remove_items(file.item for file in known.values())
    for item in beside:  # that had words from this very file
        tx.drop_sidecar(item)
    inside = [root.id for root in roots if relative(place, root.path) is not None]
    tx.drop_empty_roots(inside if roots_too else ())
    return len(failed | known.keys()) or int(bool(beside))


def tag(tx: Writing, items: Sequence[int], add: Sequence[str], remove: Sequence[str]) -> int:
    """Put words on items and take others off; how many items changed.

    Raises UnisearchError for an id that the library does not have, and then changes none.
    """
    for item in items:
        if tx.item(item) is None:
            raise UnisearchError(f"item:{item}: the library has no such item")
    return sum(tx.tag(item, add, remove) for item in items)


def remove_root(tx: Writing, place: bytes) -> int:
    """Drop a root and its items; how many there were. Raises UnisearchError when it is none."""
    for root in tx.roots():
        if root.path == place:
            return tx.remove_root(root.id)
    raise UnisearchError(f"{display(place)} is not an indexed folder; see 'unisearch roots list'")


def relocate(tx: Writing, before: bytes, after: bytes) -> int:
    """Look for a root's items in another folder; how many there are.

    Raises UnisearchError when `before` is no root, `after` no folder, or another root is there.
    """
    if not os.path.isdir(after):  # noqa: PTH112 (paths are bytes)
        raise UnisearchError(f"{display(after)}: no such folder")
    roots = {root.path: root for root in tx.roots()}
    if before not in roots:
        raise UnisearchError(f"{display(before)} is not an indexed folder")
    for path, other in roots.items():
        if path != before and _overlap(roots[before], after, other):
            where = "" if path == after else f"{display(after)}: "
            raise UnisearchError(f"{where}{display(path)} is indexed already")
    tx.move_root(roots[before].id, after)
    return roots[before].items


def _overlap(root: RootRow, after: bytes, other: RootRow) -> bool:
    """Whether some path would belong to both roots when the first lies at `after`."""
    inside = other.whole and relative(other.path, after) is not None
    around = root.whole and relative(after, other.path) is not None
    return inside or around or other.path == after
