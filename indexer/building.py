"""Embeds what a library holds into spaces that lack it, from the files, a little at a time."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from indexer.encode import Draft, Encoder
from indexer.first import ensure_background
from indexer.flow import Flow, recipe_for
from indexer.journal import Journal
from indexer.pool import Pool, limits_of
from indexer.scan import Found, stat_of
from indexer.spaces import drop_files, finish_space
from indexer.store import put_rows, renew_drafts
from unisearch.catalog.rows import Lack, Owed, SpaceRow, Span, StoredPart
from unisearch.catalog.view import View
from unisearch.errors import UnisearchError, Unreadable, display
from unisearch.held import active_spaces, at_hand
from unisearch.records import Modality
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: So long a step waits for a worker, and so long until what is ready is committed.
STEP_S, COMMIT_AFTER_S = 0.05, 2.0
#: Contents that are under way at most: those behind a slow one wait for it, as rows ascend.
AHEAD = 512
#: Contents that are begun with in one step.
PAGE = 16
#: Parts in one pass on a CPU: whoever has news waits for the end of it.
CPU_BATCH = 16
#: So often files are looked for that were out of reach.
RETRY_S = 600.0
#: Moments of segments that differ by less are the same: sounds are read at various rates.
SAME_S = 0.1


@dataclass
class _Coming:
    """A content that is under way; lack: why it will have no vector."""

    owed: Owed
    draft: Draft | None = None
    lack: Lack | None = None

    @property
    def ended(self) -> bool:
        return self.draft is None or self.draft.ended


class _Line:
    """Contents that are read and embedded into some spaces, in their order."""

    def __init__(self, rooms: Rooms, spaces: Sequence[Space], pool: Pool) -> None:
        most = rooms.settings.index.batch
        batch = min(most, CPU_BATCH) if spaces[0].device == "cpu" else most
        self._rooms = rooms
        for space in spaces:
            ensure_background(space, logger.info)
        self._encoder = Encoder(spaces, batch)
        self._flow = Flow(self._encoder, recipe_for(rooms, spaces), pool)
        self._coming: deque[_Coming] = deque()
        self._since = time.monotonic()
        self.covers = frozenset(
            one for covered in self._encoder.covers().values() for one in covered
        )

    @property
    def has_room(self) -> bool:
        return len(self._coming) < AHEAD and not self._flow.full

    @property
    def is_empty(self) -> bool:
        return not self._coming

    def take_on(self, view: View, owed: Owed) -> None:
        """Begin to read a content, if anything of it may be covered."""
        one = _Coming(owed)
        self._coming.append(one)
        if not _kinds(owed.modality) & self.covers:
            return
        file = file_of(view, owed.content)
        if file is None:
            one.lack = "away"
            return
        try:
            one.draft = self._flow.draft(file, owed.digest)
        except Unreadable as error:
            one.lack = _lack_of(error)

    def step(self) -> None:
        """Take what a worker has, and wait a moment for it."""
        self._flow.step(STEP_S)

    def ready(self, at_once: bool = False) -> list[_Coming]:
        """The first ones, as far as they are whole, when it is time to commit them."""
        if not at_once and time.monotonic() - self._since < COMMIT_AFTER_S:
            return []
        count = next((n for n, one in enumerate(self._coming) if not one.ended), len(self._coming))
        found = [self._coming.popleft() for _ in range(count)]
        self._encoder.flush([one.draft for one in found if one.draft is not None])
        self._since = time.monotonic()
        return found


class Building:
    """Fills spaces that are being built, then gaps of active ones. For the holder of the writer's
    lock only.

    doing: what goes on, in words; error: why it stopped before it was done
    """

    def __init__(self, rooms: Rooms, journal: Journal) -> None:
        self._rooms = rooms
        self._journal = journal
        self._due = True
        self._away_at = -RETRY_S
        self._steps: Generator[str] | None = None
        self.doing = ""
        self.error: UnisearchError | None = None
        self._told = ""  # of errors, the last one

    def look(self) -> None:
        """There may be more to do."""
        self._due = True

    def step(self) -> bool:
        """Go on for a moment; whether there is more to do. An error is kept, and told."""
        if self._steps is None:
            if not self._due:
                return False
            self._due, self.error = False, None
            self._steps = self._all()
        try:
            self.doing = next(self._steps)
        except StopIteration:
            self.close()
        except Exception as error:  # in a thread that others depend on
            self._stop(error)
            logger.debug("the building of a space stopped", exc_info=True)
        return self._steps is not None or (self._due and self.error is None)

    def close(self) -> None:
        """Leave the rest to the next holder; what is committed stays."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None

    def _stop(self, error: Exception) -> None:
        if str(error) != self._told:
            logger.warning("a space is not built on: %s; the next run tries again", error)
        self._told = str(error)
        if not isinstance(error, UnisearchError):
            error = UnisearchError(f"unexpected {type(error).__name__}: {error}")
        self.error = error
        self.close()

    def _all(self) -> Generator[str]:
        for row in self._unfinished():
            space = at_hand(self._rooms, row)
            if space is not None:
                yield from _Fill(self._rooms, row, space, self._journal).steps()
        away = time.monotonic() - self._away_at >= RETRY_S
        todo = self._gaps(away)
        if away:
            self._away_at = time.monotonic()
        if todo:
            yield from _Mend(self._rooms, todo).steps()

    def _unfinished(self) -> list[SpaceRow]:
        with self._rooms.catalog.view() as view:
            return [row for row in view.spaces() if row.state == "building"]

    def _gaps(self, away: bool) -> list[Owed]:
        """Contents that an active space lacks and that may be embedded now."""
        with self._rooms.catalog.view() as view:
            gaps, rows = view.gaps(), view.spaces()
        wanted = {"todo", *(("away", "part") if away else ())}
        answering = [row for row in rows if row.state == "active"]
        active = {space: row for row in answering for space in (row.parts_id, row.id) if space}
        todo = [(one, space) for one, space, why in gaps if why in wanted and space in active]
        here = {space: at_hand(self._rooms, active[space]) for _, space in todo}
        return list(dict.fromkeys(one for one, space in todo if here[space] is not None))


class _Fill:
    """One space that is being built. Rows ascend by segment: so contents are taken in that order,
    and those that come meanwhile are the last ones."""

    def __init__(self, rooms: Rooms, row: SpaceRow, space: Space, journal: Journal) -> None:
        self._rooms, self._row, self._space, self._journal = rooms, row, space, journal
        self._after = row.reached
        self._exhausted = False
        with rooms.catalog.view() as view:
            self._done, self._total = view.extent(row)

    def steps(self) -> Generator[str]:
        """A moment each; what was being done."""
        logger.info("building the space '%s': %s", self._row.id, self._told())
        with Pool(limits_of(self._rooms.settings)) as pool:
            line = _Line(self._rooms, [self._space], pool)
            while True:
                yield f"embedding into '{self._row.name}': {self._told()}"
                self._load(line)
                line.step()
                ready = line.ready(at_once=self._exhausted)
                if ready and not self._store(ready):
                    return  # dropped, or left, meanwhile
                if self._exhausted and line.is_empty:
                    if self._complete():
                        return
                    self._exhausted = False

    def _told(self) -> str:
        share = self._done / max(self._total, 1)
        return f"{self._done:,} of {self._total:,} vectors ({share:.0%})"

    def _load(self, line: _Line) -> None:
        """Take on a few more: small texts are read here and now."""
        if not line.has_room or self._exhausted:
            return
        with self._rooms.catalog.view() as view:
            owed = view.owed(self._after, most=PAGE)
            for one in owed:
                line.take_on(view, one)
                self._after = one.first
        self._exhausted = not owed

    def _store(self, ready: Sequence[_Coming]) -> bool:
        """Commit them; whether the space is still being built."""
        with self._rooms.catalog.write() as tx:
            row = tx.space(self._row.id)
            if row is None or row.state != "building":
                return False
            rows: list[tuple[list[StoredPart], Draft]] = []
            reached = row.reached
            for one in ready:
                parts = tx.parts_of(one.owed.content)
                if not parts or parts[0].id != one.owed.first or one.owed.first <= reached:
                    continue  # gone, or it has other segments by now, which come later
                reached = max(part.id for part in parts)
                self._done += sum(row.covers(part.span.modality or "text") for part in parts)
                lack = _lack(one, parts)
                if lack is not None:
                    tx.put_gap(row.id, one.owed.content, lack)
                elif one.draft is not None:
                    tx.drop_gap(row.id, one.owed.content)
                    rows.append((parts, one.draft))
            put_rows(tx, self._rooms.library, row, rows)
            tx.reach(row.id, reached)
        return True

    def _complete(self) -> bool:
        """Have the space answer, if it came to the end; whether nothing more is to do."""
        left: list[str] = []
        with self._rooms.catalog.write() as tx:
            row = tx.space(self._row.id)
            if row is None or row.state != "building":
                return True
            if tx.owed(row.reached, most=1):
                return False
            gaps = tx.count_gaps(row.id)
            left = finish_space(tx, row)
        drop_files(self._rooms.library, left)
        self._journal.wrote()
        logger.info("the space '%s' is complete", row.id)
        lacking = sum(count for why, count in gaps.items() if why != "todo")
        if lacking:
            logger.warning(
                "%s: %d contents are not in the space '%s', as their files are out of reach or"
                " cannot be embedded; the first are taken in when they are back",
                *(display(self._rooms.library), lacking, row.id),
            )
        return True


class _Mend:
    """Contents that some active space lacks: embedded anew into all of them, as new segments."""

    def __init__(self, rooms: Rooms, todo: Sequence[Owed]) -> None:
        self._rooms = rooms
        self._todo = deque(todo)
        self._total = len(todo)

    def steps(self) -> Generator[str]:
        """A moment each; what was being done."""
        with self._rooms.catalog.view() as view:
            spaces = active_spaces(self._rooms, view.spaces())
        with Pool(limits_of(self._rooms.settings)) as pool:
            line = _Line(self._rooms, spaces, pool)
            while self._todo or not line.is_empty:
                yield f"embedding again: {self._total - len(self._todo):,} of {self._total:,}"
                with self._rooms.catalog.view() as view:
                    for _ in range(min(PAGE, len(self._todo)) if line.has_room else 0):
                        line.take_on(view, self._todo.popleft())
                line.step()
                if ready := line.ready(at_once=not self._todo):
                    self._store(ready)

    def _store(self, ready: Sequence[_Coming]) -> None:
        drafts: dict[int, Draft] = {}
        with self._rooms.catalog.write() as tx:
            gaps = {(one.content, space): why for one, space, why in tx.gaps()}
            for one in ready:
                content, lack = one.owed.content, _lack(one, None)
                held = [space for gap, space in gaps if gap == content]
                if not held:  # dropped meanwhile
                    continue
                if lack is None and one.draft is not None and one.draft.whole:
                    drafts[content] = one.draft
                elif lack is not None:
                    for space in held:
                        if gaps[content, space] != "part":  # those that are left stay
                            tx.put_gap(space, content, lack)
            renew_drafts(tx, self._rooms.library, drafts)


def file_of(view: View, content: int) -> Found | None:
    """A file that holds the content as it was indexed, None when none is in reach."""
    for item in view.items_of(content):
        try:
            found = stat_of(os.lstat(item.path))
        except OSError:
            continue
        if found.same_size_and_time(item.stat):
            return Found(item.path, found)
    return None


def _kinds(modality: Modality) -> set[Modality]:
    """Of the parts that a file of that kind may have."""
    return {"video", "audio"} if modality == "video" else {modality}


def _lack(one: _Coming, parts: Sequence[StoredPart] | None) -> Lack | None:
    """Why the content gets no vector now. parts: its segments, where they are to stay"""
    if one.draft is None:
        return one.lack
    if one.draft.error is not None:
        logger.info("not embedded: %s", one.draft.error)
        return _lack_of(one.draft.error)
    if parts is not None and not _same(one.draft.spans, [part.span for part in parts]):
        return "todo"
    return None


def _lack_of(error: Unreadable) -> Lack:
    return "away" if error.transient or error.kind == "vanished" else "failed"


def _same(new: Sequence[Span], old: Sequence[Span]) -> bool:
    """Whether a file has the parts that it had."""
    return len(new) == len(old) and all(map(_alike, new, old))


def _alike(new: Span, old: Span) -> bool:
    moments = zip(new[:2], old[:2], strict=True)
    return (
        new.modality == old.modality
        and new.text.encode("utf-8", "replace") == old.text.encode("utf-8", "replace")
        and all(
            a == b or (a is not None and b is not None and abs(a - b) < SAME_S) for a, b in moments
        )
    )
