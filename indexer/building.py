"""Embeds what a library holds into spaces that lack it, from the files, a little at a time."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Generator, Sequence

from indexer.encode import Draft
from indexer.journal import Journal
from indexer.pool import Pool
from indexer.pools import limits_of
from indexer.reread import Coming, Rereading
from indexer.spaces import drop_files, finish_space
from indexer.store import put_rows, renew_drafts
from unisearch.catalog.rows import Owed, SpaceRow, StoredPart
from unisearch.errors import UnisearchError, display
from unisearch.held import active_spaces, at_hand
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: Contents that are begun with in one step.
PAGE = 16
#: So often files are looked for that were out of reach.
RETRY_S = 600.0


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
            reread = Rereading(self._rooms, [self._space], pool)
            while True:
                yield f"embedding into '{self._row.name}': {self._told()}"
                self._load(reread)
                reread.step()
                ready = reread.ready(at_once=self._exhausted)
                if ready and not self._store(ready):
                    return  # dropped, or left, meanwhile
                if self._exhausted and reread.is_empty:
                    if self._complete():
                        return
                    self._exhausted = False

    def _told(self) -> str:
        share = self._done / max(self._total, 1)
        return f"{self._done:,} of {self._total:,} vectors ({share:.0%})"

    def _load(self, reread: Rereading) -> None:
        """Take on a few more: small texts are read here and now."""
        if not reread.has_room or self._exhausted:
            return
        with self._rooms.catalog.view() as view:
            owed = view.owed(self._after, most=PAGE)
            for one in owed:
                reread.take_on(view, one)
                self._after = one.first
        self._exhausted = not owed

    def _store(self, ready: Sequence[Coming]) -> bool:
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
                lack = one.lacking(parts)
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
            reread = Rereading(self._rooms, spaces, pool)
            while self._todo or not reread.is_empty:
                yield f"embedding again: {self._total - len(self._todo):,} of {self._total:,}"
                with self._rooms.catalog.view() as view:
                    for _ in range(min(PAGE, len(self._todo)) if reread.has_room else 0):
                        reread.take_on(view, self._todo.popleft())
                reread.step()
                if ready := reread.ready(at_once=not self._todo):
                    self._store(ready)

    def _store(self, ready: Sequence[Coming]) -> None:
        drafts: dict[int, Draft] = {}
        with self._rooms.catalog.write() as tx:
            gaps = {(one.content, space): why for one, space, why in tx.gaps()}
            for one in ready:
                content, lack = one.owed.content, one.lacking()
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
