"""A run over places that a watcher points at: something may have changed there, or is gone."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.detect import Survey, modality_at
from indexer.places import place_of
from indexer.rules import scan_of
from indexer.scan import Found, Scan
from indexer.work import Spare, Work
from unisearch.catalog.rows import RootRow
from unisearch.wiring import Rooms


@dataclass
class HintedScan(Scan):
    """The walk over such a place. What is not there any more is gone, if its root is in reach.

    A place that somebody names and that is not there is out of reach instead.
    """

    root: bytes = b""

    def __iter__(self) -> Iterator[Found]:
        """As of any walk."""
        yield from super().__iter__()
        error = self.unlisted.get(self.place)
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        if missing and self.place != self.root and os.path.isdir(self.root):  # noqa: PTH112 (bytes)
            del self.unlisted[self.place]


class HintedWork(Work):
    """Such a run. It makes no roots, and comes to no file that an ordinary run would not come to.

    spare: asked before items are forgotten, which of them to keep this time
    """

    def __init__(self, *args: Any, spare: Spare | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spare = spare

    def steps(self, places: Sequence[bytes]) -> Generator[None]:
        """As of any run; places outside of all roots are passed over."""
        self._take_places(places)
        yield from super().steps(places_in(self.rooms, self._roots, places))

    def _take_places(self, places: Iterable[bytes]) -> None:
        del places  # they make no roots
        with self.rooms.catalog.view() as view:
            self._roots = view.roots()
        self._filled |= {root.id for root in self._roots if root.items}

    def _scan(self, place: bytes) -> Scan:
        return hinted_scan(self.rooms, self._roots, place)

    def _survey(self, place: bytes) -> Survey:
        found = super()._survey(place)
        wanted = [one for one in found.look if one.path in found.known or modality_at(one.path)]
        self.report.ignored += len(found.look) - len(wanted)
        found.look = wanted
        return found

    def _drop(self, surveys: Sequence[Survey]) -> None:
        gone = [
            path for one in surveys for path, item in one.gone.items() if item not in self._claimed
        ]
        spared = set(self._spare(gone)) if gone and self._spare is not None else set()
        self.report.spared += [path for path in gone if path in spared]
        for one in surveys:
            one.gone = {path: item for path, item in one.gone.items() if path not in spared}
        super()._drop(surveys)


def hinted_scan(rooms: Rooms, roots: Iterable[RootRow], place: bytes) -> HintedScan:
    """The walk over a place that lies in one of the roots."""
    scan, at = scan_of(rooms, place), place_of(roots, place)
    root = next((root.path for root in roots if at and root.id == at.root), b"")
    return HintedScan(scan.place, scan.ignore, scan.skip, scan.top, scan.only_words, root=root)


def places_in(rooms: Rooms, roots: Sequence[RootRow], hinted: Iterable[bytes]) -> list[bytes]:
    """Those of the places that an ordinary run would come to.

    They lie in a root and are not left out. Of a folder of single files, those that are known.
    """
    wholes = {root.path: scan_of(rooms, root.path) for root in roots if root.whole}
    singles = {root.path for root in roots if not root.whole}
    found: list[bytes] = []
    for place in hinted:
        at = place_of(roots, place)
        root = next((root for root in roots if at and root.id == at.root), None)
        if root is not None and root.whole:
            found += [place] * _wanted(wholes[root.path], place)
        elif root is not None or place in singles:
            found += _known(rooms, place)
    return found


def _wanted(scan: Scan, place: bytes) -> bool:
    if place == scan.place:
        return True
    is_folder = os.path.isdir(place) and not os.path.islink(place)  # noqa: PTH112, PTH114 (bytes)
    try:
        return scan.wants(place + b"/in it" if is_folder else place)
    except OSError:  # the next walk over the whole root tells of it
        return False


def _known(rooms: Rooms, place: bytes) -> list[bytes]:
    """Files that the library knows at a place, or in it when that is a folder."""
    with rooms.catalog.view() as view:
        known = {*view.known_files(place), *(failure.path for failure in view.failures(place))}
    return sorted(
        path
        for path in known
        if path == place or os.path.dirname(path) == place  # noqa: PTH120 (bytes)
    )
