"""One run over some places: find out what changed, embed what is new, drop what is gone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

from indexer.batch import MOST_CHANGES, Batch, Change
from indexer.detect import Survey, kind_of, look_at, modality_at, outcome_of, survey
from indexer.encode import Encoder
from indexer.journal import Journal, News
from indexer.places import Place, ensure_roots, is_gone, place_of
from indexer.report import Progress, Report
from indexer.rules import scan_of
from indexer.scan import Found, Scan
from indexer.sidecars import describe
from indexer.store import settle
from indexer.swaps import swapped
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import KnownFile, RootRow
from unisearch.errors import Unreadable, display
from unisearch.wiring import Rooms, check_space, max_file_bytes

ProgressHook = Callable[[Progress], None]
#: Asked with the paths that are about to be forgotten; True keeps them this time.
Spare = Callable[[Sequence[bytes]], bool]


class Work:
    """A run that writes. The library is right whenever it is stopped, and a new run goes on.

    journal: what other jobs of the same writer do while this run pauses
    """

    def __init__(
        self,
        rooms: Rooms,
        hook: ProgressHook | None = None,
        retry: bool = False,
        thorough: bool = False,
        journal: Journal | None = None,
    ) -> None:
        self.rooms = rooms
        self.report = Report()
        self._hook = hook
        self._retry = retry
        self._thorough = thorough
        self._batch = Batch(rooms, self.report)
        self._journal = journal or Journal()
        self._news = News()
        self._shared = False  # whether others have written since this run began
        self._dropped: list[bytes] = []  # places that others took out of the library meanwhile
        self._hidden: set[bytes] = set()  # files that are there, but not wanted any more
        self._claimed: set[int] = set()  # items that were found again elsewhere
        self._roots: list[RootRow] = []
        self._new: set[int] = set()  # roots that this run made
        self._filled: set[int] = set()  # roots that had items before
        self._swapped: dict[bytes, KnownFile] = {}  # the items of files that changed names
        self._total: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._started = time.monotonic()

    def steps(self, places: Sequence[bytes]) -> Generator[None]:
        """Bring the library in step with these places, a commit at a time.

        Between two steps everything is committed and others may write: what they changed is
        looked at again. What they dropped stays dropped, as if this run had come first.
        """
        with self._journal.reader() as self._news:
            check_space(self.rooms)
            self._take_places(places)
            surveys = []
            for place in places:
                surveys.append(self._survey(place))
                yield from self._pause(places)
            self._swapped = swapped(
                [file for one in surveys for file in one.look],
                {path: file for one in surveys for path, file in one.known.items()},
            )
            self._total.update(kind_of(file) for one in surveys for file in one.look)
            try:
                yield from self._describe(surveys, places)
                for one in surveys:
                    for file in one.look:
                        if self._take(file, one.known.get(file.path)):
                            yield from self._pause(places)
                self._batch.commit()
                self._drop(surveys)
                yield from self._describe(surveys, places)
            except KeyboardInterrupt:
                self._batch.commit()
                raise
            self.report.seconds = time.monotonic() - self._started

    def _describe(self, surveys: Sequence[Survey], places: Sequence[bytes]) -> Generator[None]:
        """Words from beside files: of known items at once, of new ones when they are there."""
        for _ in describe(self.rooms, surveys, self.report):
            yield from self._pause(places)

    def _pause(self, places: Sequence[bytes]) -> Iterator[None]:
        self.report.seconds = time.monotonic() - self._started
        self._journal.wrote(by=self._news)
        yield
        dropped = self._news.read()
        if dropped is not None:
            self._shared = True
            self._dropped += dropped
            self._take_places([place for place in places if not self._was_dropped(place)])

    def _was_dropped(self, path: bytes) -> bool:
        return any(relative(place, path) is not None for place in self._dropped)

    def _take_places(self, places: Iterable[bytes]) -> None:
        with self.rooms.catalog.write() as tx:
            before = {root.id for root in tx.roots()}
            ensure_roots(tx, places)
            self._roots = tx.roots()
        self._new |= {root.id for root in self._roots} - before
        self._filled |= {root.id for root in self._roots if root.items}

    def _survey(self, place: bytes) -> Survey:
        with self.rooms.catalog.view() as view:
            found = survey(self._scan(place), view, self._retry, self._thorough)
        self._hidden |= {path for path in found.gone if not is_gone(path)}
        self.report.unchanged += found.unchanged
        self.report.ignored += found.ignored
        self.report.left_out += found.left_out
        self.report.failed += found.failed
        return found

    def _scan(self, place: bytes) -> Scan:
        return scan_of(self.rooms, place)

    def _take(self, file: Found, before: KnownFile | None) -> bool:
        """Look at one file; whether everything is committed now."""
        self._done[kind_of(file)] += 1
        place = self._place(file.path)
        if place is None:
            return False
        if self._shared:
            with self.rooms.catalog.view() as view:
                before = view.known_files(file.path).get(file.path)
            if before and before.content is not None and before.stat.same_file(file.stat):
                self.report.unchanged += 1
                return False
        try:
            change = self._change(place, file, before)
        except Unreadable as error:
            change = Change(place, file.stat, "added", error=error)
        committed = self._batch.add(change)
        self._tell(file.path)
        return committed

    def _change(self, place: Place, file: Found, before: KnownFile | None) -> Change:
        """What becomes of the file; new content is read here. Raises Unreadable."""
        other = None if self._shared else self._swapped.get(file.path)
        before = other or before
        with self.rooms.catalog.view() as view:
            found = look_at(file, before, view, self._claimed, max_file_bytes(self.rooms.settings))
        modality, draft = modality_at(file.path), None
        if found.kind == "new":
            draft = self._batch.draft_of(found.digest) or self._encoder().draft(file, found.digest)
            modality = draft.modality
        if found.item is not None:
            self._claimed.add(found.item)
        outcome = "moved" if other and found.kind == "same" else outcome_of(found, before)
        return Change(place, file.stat, outcome, modality, found.item, found.content, draft)

    def _encoder(self) -> Encoder:
        """Made with the first new content: a run that finds none loads no model."""
        if self._batch.encoder is None:
            space = self.rooms.space
            check_space(self.rooms, space.id)
            batch = self.rooms.settings.index.batch
            self._batch.encoder = Encoder(space, self.rooms.read_options, batch)
        return self._batch.encoder

    def _drop(self, surveys: Sequence[Survey]) -> None:
        """Forget what is gone, after everything that moved was found again."""
        gone = {item: path for one in surveys for path, item in one.gone.items()}
        items = sorted(gone.keys() - self._claimed)
        if self._shared:
            items = self._still_gone(items, gone)
        for at in range(0, len(items), MOST_CHANGES):
            with self.rooms.catalog.write() as tx:
                removed = tx.remove_items(items[at : at + MOST_CHANGES])
                settle(tx, self.rooms.library)
            self.report.removed += removed
        stale = [self._place(path) for one in surveys for path in one.stale]
        with self.rooms.catalog.write() as tx:
            for place in filter(None, stale):
                tx.clear_failure(place.root, place.rel_path)
            for root in tx.roots():
                # Emptied by this run and not there any more: all of it was moved elsewhere.
                if root.id in self._filled and root.items == 0 and is_gone(root.path):
                    tx.remove_root(root.id)
            tx.drop_empty_roots(self._new)

    def _still_gone(self, items: Iterable[int], paths: Mapping[int, bytes]) -> list[int]:
        """Those that no other job found again meanwhile, there or elsewhere."""
        with self.rooms.catalog.view() as view:
            rows = [row for item in items if (row := view.item(item)) is not None]
        return [
            row.id
            for row in rows
            if row.path == paths[row.id] and (row.path in self._hidden or is_gone(row.path))
        ]

    def _place(self, path: bytes) -> Place | None:
        """Where the file belongs; None when another job took it out of the library meanwhile."""
        place = None if self._was_dropped(path) else place_of(self._roots, path)
        assert place is not None or self._shared, f"{display(path)} lies below no root"
        return place

    def tell_doing(self, what: str) -> None:
        """Say what goes on after the last file."""
        self._tell(b"", what)

    def _tell(self, path: bytes, doing: str = "") -> None:
        self.report.seconds = time.monotonic() - self._started
        if self._hook is not None:
            self._hook(
                Progress(
                    dict(self._done),
                    dict(self._total),
                    self.report.unchanged,
                    len(self.report.failed),
                    self.report.seconds,
                    path,
                    doing,
                )
            )
