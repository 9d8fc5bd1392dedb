"""One run over some places: find out what changed, embed what is new, drop what is gone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from indexer.batch import MOST_CHANGES, Batch, Change
from indexer.blend import Lanes, blended
from indexer.decode import is_plain
from indexer.detect import Survey, kind_of, look_at, modality_at, outcome_of, survey
from indexer.encode import Draft, Encoder
from indexer.first import ensure_background
from indexer.flow import Flow, recipe_for
from indexer.journal import Journal, News
from indexer.lately import Lately
from indexer.meter import Meter
from indexer.pace import pace_of_network
from indexer.places import Place, ensure_roots, is_gone, place_of
from indexer.pools import Pools, limits_of
from indexer.report import Progress, Report
from indexer.rules import scan_of
from indexer.scan import Found, Scan
from indexer.sidecars import describe
from indexer.store import settle
from indexer.swaps import swapped
from unisearch.catalog.folders import relative
from unisearch.catalog.rows import KnownFile, RootRow
from unisearch.errors import Unreadable, display
from unisearch.held import check_spaces, spaces_to_write
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms, max_file_bytes, preview_options

ProgressHook = Callable[[Progress], None]
#: After Ctrl-C so long what was read is still encoded.
STOP_S = 1.0
#: How long to wait for a worker before others hear that the run goes on.
_TICK_S = 0.2
#: Asked with the paths that are about to be forgotten: those that it gives back stay this time.
Spare = Callable[[Sequence[bytes]], Collection[bytes]]


class Work:
    """A run that writes. The library is right whenever it is stopped, and a new run goes on.

    journal: what other jobs of the same writer do while this run pauses
    pools: workers that may be there already; else the run has its own
    meter: counts what becomes of each file; lately: what earlier runs of the same writer dropped
    """

    def __init__(
        self,
        rooms: Rooms,
        hook: ProgressHook | None = None,
        retry: bool = False,
        thorough: bool = False,
        journal: Journal | None = None,
        pools: Pools | None = None,
        meter: Meter | None = None,
        lately: Lately | None = None,
    ) -> None:
        self.rooms = rooms
        self.report = Report()
        self._hook = hook
        self._retry = retry
        self._thorough = thorough
        self._meter = meter or Meter()
        self._lately = lately or Lately()
        self._batch = Batch(rooms, self.report, self._meter, self._lately)
        self._journal = journal or Journal()
        self._news = News()
        self._lent = ExitStack()  # what ends with the run
        self._pools = pools or self._lent.enter_context(Pools(limits_of(rooms.settings)))
        self._flow: Flow | None = None
        self._coming: list[tuple[Found, Change]] = []  # files whose content is being read
        self._order = 0
        self._committed = False  # since others had a turn
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
            check_spaces(self.rooms)
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
                yield from self._embed(surveys, places)
                self._batch.commit()
                self._drop(surveys)
                yield from self._describe(surveys, places)
            except KeyboardInterrupt:
                self._batch.commit(within_s=STOP_S)
                raise
            finally:
                self._meter.at(None)
                self._lent.close()
                self._batch.sort_report()
            self.report.seconds = time.monotonic() - self._started

    def _describe(self, surveys: Sequence[Survey], places: Sequence[bytes]) -> Generator[None]:
        """Words from beside files: of known items at once, of new ones when they are there."""
        for _ in describe(self.rooms, surveys, self.report):
            yield from self._pause(places)

    def _embed(self, surveys: Sequence[Survey], places: Sequence[bytes]) -> Generator[None]:
        """Look at each file; new contents are read ahead, and committed as they become whole.

        What is little comes first: a file that came with a large folder need not wait for it.
        """
        for one in sorted(surveys, key=lambda one: len(one.look)):
            lanes = Lanes(blended(one.look, kind_of), lambda placed: is_plain(placed[1]))
            while lanes:
                order, file = lanes.next(self._is_full)
                self._take(file, one.known.get(file.path), self._order + order)
                yield from self._go_on(places, idle=not lanes.here)
            self._order += len(one.look)
        while self._coming:
            yield from self._go_on(places, wait=True)

    @property
    def _is_full(self) -> bool:
        """Whether the workers have enough to do for a while."""
        full = self._flow is not None and self._flow.full
        return full or len(self._coming) >= MOST_CHANGES

    def _go_on(
        self, places: Sequence[bytes], wait: bool = False, idle: bool = True
    ) -> Generator[None]:
        """Take what was read meanwhile, and wait for more while too much is on its way.

        idle: there is nothing else to do meanwhile
        """
        while True:
            if self._flow is not None:
                full = wait or (idle and self._is_full)
                came = self._flow.step(_TICK_S if full else 0.0)
                self._gather()
                if full and not came and self._coming:
                    self._tell(self._coming[0][0].path)
            if self._committed or self._batch.is_due:
                self._commit()
                wrote, self._committed = self._committed, False
                yield from self._pause(places, wrote)
            if wait or self._flow is None or not (came or (idle and self._is_full)):
                return

    def _gather(self) -> None:
        """Hand to the batch what was read to its end."""
        coming, self._coming = self._coming, []
        for file, change in coming:
            draft = change.draft
            assert draft is not None
            if draft.error is not None and draft.path != file.path:
                # The file of the same content that was read failed: this one is read for itself.
                change.draft = self._opened_flow().draft(file, draft.digest)
            if change.draft is not None and change.draft.ended:
                self._finish(change)
            else:
                self._coming.append((file, change))

    def _finish(self, change: Change) -> None:
        """All is known of a file: it waits for the next commit."""
        if change.draft is not None and change.draft.error is not None:
            self._claimed.discard(change.item or 0)
            place, stat, error = change.place, change.stat, change.draft.error
            change = Change(place, stat, "added", error=error, order=change.order)
        self._batch.add(change)
        if self._batch.is_due:
            self._commit()
        self._done[modality_at(change.place.path) or "other"] += 1
        self._tell(change.place.path)

    def _commit(self) -> None:
        self._committed |= self._batch.commit()

    def _look_again(self) -> None:
        """Others have written: what is not committed yet is decided anew. Its reading goes on."""
        coming, self._coming = self._coming, []
        for file, change in coming:
            self._claimed.discard(change.item or 0)
            self._take(file, None, change.order, change.draft.digest if change.draft else b"")

    def _pause(self, places: Sequence[bytes], wrote: bool = True) -> Iterator[None]:
        self.report.seconds = time.monotonic() - self._started
        if wrote:
            self._journal.wrote(by=self._news)
        yield
        dropped = self._news.read()
        if dropped is not None:
            self._shared = True
            self._dropped += dropped
            self._follow_spaces()
            self._take_places([place for place in places if not self._was_dropped(place)])
            self._look_again()

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

    def _take(self, file: Found, before: KnownFile | None, order: int, digest: bytes = b"") -> None:
        """Look at one file, and have its content read when that is new. digest: as of look_at."""
        place = self._place(file.path)
        if place is None:
            self._done[kind_of(file)] += 1
            return
        if self._shared:
            with self.rooms.catalog.view() as view:
                before = view.known_files(file.path).get(file.path)
            if before and before.content is not None and before.stat.same_file(file.stat):
                self._done[kind_of(file)] += 1
                self.report.unchanged += 1
                return
        try:
            change = self._change(place, file, before, digest)
        except Unreadable as error:
            change = Change(place, file.stat, "added", error=error)
        change.order = order
        if change.draft is None or change.draft.ended:
            self._finish(change)
        else:
            self._coming.append((file, change))

    def _change(self, place: Place, file: Found, before: KnownFile | None, digest: bytes) -> Change:
        """What becomes of the file; new content begins to be read here. Raises Unreadable."""
        other = None if self._shared else self._swapped.get(file.path)
        before = other or before
        with self.rooms.catalog.view() as view:
            most = max_file_bytes(self.rooms.settings)
            found = look_at(file, before, view, self._claimed, most, digest)
        modality, draft = modality_at(file.path), None
        if found.kind == "new":
            draft = self._batch.draft_of(found.digest)
            draft = draft or self._draft(file, found.digest)
            modality = draft.modality
        if found.item is not None:
            self._claimed.add(found.item)
        outcome = "moved" if other and found.kind == "same" else outcome_of(found, before)
        return Change(place, file.stat, outcome, modality, found.item, found.content, draft)

    def _draft(self, file: Found, digest: bytes) -> Draft:
        """The content of a file, which begins to be read unless it was here lately."""
        flow = self._opened_flow(file)
        assert self._batch.encoder is not None
        known = self._lately.draft(digest, file.path, self._batch.encoder.covers())
        return known or flow.draft(file, digest)

    def _opened_flow(self, file: Found | None = None) -> Flow:
        """Made with the first new content: a run that finds none loads no model."""
        if self._flow is None:
            pool = self._lent.enter_context(self._pools.lend())
            if file is not None and not is_plain(file):  # they start while the network is loaded
                pool.start(self._total.total() - self._total["text"])
            spaces = self._spaces_now()
            for space in spaces:
                ensure_background(space, self.tell_doing)
            pace = pace_of_network()
            self._lent.callback(pace.rest)
            batch = self.rooms.settings.index.batch
            self._batch.encoder = Encoder(spaces, batch, lambda: pace.encoded(pool.busy))
            recipe = recipe_for(self.rooms, spaces, preview_options(self.rooms.settings))
            self._flow = Flow(self._batch.encoder, recipe, pool)
            self._meter.device = spaces[0].device if spaces else ""
            self._meter.queues = {
                "files_being_read": lambda: len(self._coming),
                "parts_to_encode": self._batch.encoder.count,
                "files_to_commit": self._batch.count,
            }
        return self._flow

    def _spaces_now(self) -> list[Space]:
        with self.rooms.catalog.view() as view:
            rows = view.spaces()
        return spaces_to_write(self.rooms, rows)

    def _follow_spaces(self) -> None:
        """Another job may have finished a space, or left one."""
        if self._flow is None or self._batch.encoder is None:
            return
        spaces = self._spaces_now()
        if [one.id for one in spaces] != [one.id for one in self._batch.encoder.spaces]:
            self._batch.encoder.adopt(spaces)
            previews = preview_options(self.rooms.settings)
            self._flow.adopt(recipe_for(self.rooms, spaces, previews))

    def _drop(self, surveys: Sequence[Survey]) -> None:
        """Forget what is gone, after everything that moved was found again."""
        gone = {item: path for one in surveys for path, item in one.gone.items()}
        items = self._still_gone(sorted(gone.keys() - self._claimed), gone)
        for at in range(0, len(items), MOST_CHANGES):
            with self.rooms.catalog.write() as tx:
                removed = tx.remove_items(items[at : at + MOST_CHANGES])
                settle(tx, self.rooms.library, self._lately)
            self.report.removed += removed
            self._meter.removed(removed)
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
        """Those that did not come back since the survey, and that no other job found elsewhere."""
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
        now = Progress(
            dict(self._done),
            dict(self._total),
            self.report.unchanged,
            len(self.report.failed),
            self.report.seconds,
            path,
            doing,
        )
        self._meter.at(now)
        if self._hook is not None:
            self._hook(now)
