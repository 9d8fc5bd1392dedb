"""What may have changed: hints from the system, and the places that they come to once quiet.

Pure but for the clock and the look at a file, which are handed in.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from unisearch.catalog.folders import relative

Kind = Literal["written", "arrived", "gone", "seen"]


@dataclass(frozen=True)
class Hint:
    """Something happened at a path.

    kind: written: whoever wrote the file has closed it · arrived: moved there as a whole ·
          gone: deleted or moved away · seen: changed, and whether it is complete does not show
    tree: it is a folder, and all that lies below is meant
    moved: of what is gone: it may turn up elsewhere
    """

    path: bytes
    kind: Kind
    tree: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and for how many places at most.

    quiet_s: since the last hint · settle_s: between two equal looks at a file that is 'seen'
    most_s: a place that is never quiet is handed out after that
    gone_s: so long what is gone waits at most for movements to end
    in_folder: places of one folder, beyond which the folder stands for all of them
    places: all places, beyond which whole roots stand for them
    """

    quiet_s: float = 0.3
    settle_s: float = 2.0
    most_s: float = 5.0
    gone_s: float = 30.0
    in_folder: int = 5_000
    places: int = 20_000


@dataclass(slots=True)
class _Waiting:
    first: float
    last: float
    gone: bool
    moved: bool  # came by a movement
    settled: bool
    tree: bool
    looked: float = 0.0
    look: object = None


class Hints:
    """Collects hints and hands out the places that became quiet. Not safe for several threads.

    clock: seconds that never go back · look: what tells that a file is as it was, None without one
    """

    def __init__(
        self, patience: Patience, clock: Callable[[], float], look: Callable[[bytes], object]
    ) -> None:
        self.patience = patience
        self.roots: tuple[bytes, ...] = ()
        #: Movements so far: whoever looks for what is gone asks whether there were new ones.
        self.movements = 0
        self._clock, self._look = clock, look
        self._places: dict[bytes, _Waiting] = {}
        self._trees: set[bytes] = set()
        self._in_folder: Counter[bytes] = Counter()
        self._below: Counter[bytes] = Counter()  # places below each folder, however deep
        self._moved_at = float("-inf")

    def __len__(self) -> int:
        return len(self._places)

    def add(self, hint: Hint) -> None:
        """Take in one hint."""
        now = self._clock()
        moved = hint.moved or hint.kind == "arrived"
        if moved:
            self.movements += 1
            self._moved_at = now
        path = self._tree_above(hint.path) or hint.path
        if hint.tree and path == hint.path:
            self._swallow(path, now)
        known = self._places.get(path)
        if known is None:
            known = self._places[path] = _Waiting(
                now, now, hint.kind == "gone", moved, hint.kind != "seen", hint.tree
            )
            self._count(path)
        self._merge(known, hint, path, now)
        if known.tree:
            self._trees.add(path)
        self._bound(path)

    def due(self) -> list[bytes]:
        """The places that are quiet now, none at or below another; they are forgotten here."""
        now = self._clock()
        self._settle(now)
        calm = self._calm(now)
        ready = [path for path, one in self._places.items() if now >= self._ready_at(one, calm)]
        for path in ready:
            self._forget(path)
        return topmost(ready)

    def fresh(self, most: int) -> list[bytes]:
        """Some of the quiet places at which a single file was written; they are forgotten here.

        What becomes of them does not depend on what else moves.
        """
        now = self._clock()
        self._settle(now)
        ready = [
            path
            for path, one in self._places.items()
            if one.settled
            and not (one.gone or one.moved or one.tree)
            and now >= self._quiet_at(one)
        ][:most]
        for path in ready:
            self._forget(path)
        return ready

    @property
    def calm(self) -> bool:
        """Whether nothing moves any more, and what has moved was handed out or is ready to be."""
        return self._calm(self._clock())

    def next_at(self) -> float | None:
        """When it is worth to ask again, on the clock; None while nothing waits."""
        calm = self._calm(self._clock())
        times = [
            self._ready_at(one, calm) if one.settled else one.looked + self.patience.settle_s
            for one in self._places.values()
        ]
        return min(times, default=None)

    def _calm(self, now: float) -> bool:
        if now < self._moved_at + self.patience.quiet_s:
            return False
        return all(
            now >= self._quiet_at(one)
            for one in self._places.values()
            if one.moved and not one.gone
        )

    def _ready_at(self, one: _Waiting, calm: bool) -> float:
        if not one.settled:
            return float("inf")
        # What is gone may turn up elsewhere: then the other place must not be looked at later.
        return self._quiet_at(one) if calm or not one.gone else one.first + self.patience.gone_s

    def _quiet_at(self, one: _Waiting) -> float:
        return min(one.last + self.patience.quiet_s, one.first + self.patience.most_s)

    def _merge(self, one: _Waiting, hint: Hint, path: bytes, now: float) -> None:
        one.last = now
        one.moved |= hint.kind == "arrived"
        if path != hint.path:
            one.gone |= hint.kind == "gone"  # something in the tree may be gone
        elif hint.kind != "seen":
            one.gone, one.settled = hint.kind == "gone", True
        elif one.gone:
            one.gone, one.settled = False, one.tree
        one.tree |= hint.tree and path == hint.path
        if not one.settled:
            one.looked, one.look = now, self._look(path)

    def _settle(self, now: float) -> None:
        """Look again at files whose last look is long enough ago: equal looks are enough."""
        for path, one in self._places.items():
            if not one.settled and now >= one.looked + self.patience.settle_s:
                before, one.look, one.looked = one.look, self._look(path), now
                if one.look == before:
                    one.settled, one.gone, one.first = True, one.look is None, now
                    one.last = now - self.patience.quiet_s

    def _tree_above(self, path: bytes) -> bytes | None:
        """The tree that waits and that the path lies in, if any; a tree lies in itself."""
        if not self._trees:
            return None
        while path not in self._trees:
            above = os.path.dirname(path)  # noqa: PTH120 (bytes)
            if above == path:
                return None
            path = above
        return path

    def _swallow(self, tree: bytes, now: float) -> None:
        """From now on the tree stands for all places below it."""
        if not self._below[tree]:
            return
        inner = [path for path in self._places if relative(tree, path)]
        below = [self._places[path] for path in inner]
        one = self._places.get(tree)
        if one is None:
            one = self._places[tree] = _Waiting(now, now, False, False, True, True)
            self._count(tree)
        one.tree = one.settled = True
        self._trees.add(tree)
        one.first = min(one.first, *(each.first for each in below))
        one.gone |= any(each.gone for each in below)
        one.moved |= any(each.moved for each in below)
        for path in inner:
            self._forget(path)

    def _bound(self, path: bytes) -> None:
        folder = os.path.dirname(path)  # noqa: PTH120 (bytes)
        if self._in_folder[folder] > self.patience.in_folder:
            self._swallow(folder, self._clock())
        if len(self._places) > self.patience.places:
            for root in self.roots:
                self._swallow(root, self._clock())

    def _count(self, path: bytes) -> None:
        above = list(_above(path))
        self._in_folder[above[0]] += 1
        self._below.update(above)

    def _forget(self, path: bytes) -> None:
        del self._places[path]
        self._trees.discard(path)
        above = list(_above(path))
        for counts, folders in ((self._in_folder, above[:1]), (self._below, above)):
            counts.subtract(folders)
            for folder in folders:
                if not counts[folder]:
                    del counts[folder]


def _above(path: bytes) -> Iterator[bytes]:
    """The folders that the path lies in, the nearest first; the root of all is in itself."""
    above = os.path.dirname(path)  # noqa: PTH120 (bytes)
    yield above
    while above != (above := os.path.dirname(above)):  # noqa: PTH120 (bytes)
        yield above


def topmost(paths: Iterable[bytes]) -> list[bytes]:
    """The paths without those that lie at or below another, sorted."""
    return list(_topmost(sorted(set(paths), key=lambda path: path.rstrip(b"/") + b"/")))


def _topmost(paths: Iterable[bytes]) -> Iterator[bytes]:
    last: bytes | None = None
    for path in paths:
        if last is None or relative(last, path) is None:
            last = path
            yield path
