"""Changes on their way into the library: many files, one transaction."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property

from indexer.encode import Draft, Encoder
from indexer.lately import Lately
from indexer.meter import Meter
from indexer.places import Place
from indexer.previews import PreviewFolder, folder_of
from indexer.report import Failure, Outcome, Report
from indexer.store import put_drafts, settle
from unisearch.catalog.rows import Stat
from unisearch.catalog.write import Writing
from unisearch.errors import Unreadable
from unisearch.records import Modality
from unisearch.wiring import Rooms

#: A file is searchable about this soon after it was read.
COMMIT_AFTER_S = 2.0
#: Changes without parts (moves, copies, failures) that are gathered at most.
MOST_CHANGES = 1_000


@dataclass
class Change:
    """What one file becomes: exactly one of content, draft and error is set, or item alone.

    item: it stays that item, also when it has another content now
    order: its place in the run, so that what is told does not depend on who was quicker
    """

    place: Place
    stat: Stat
    outcome: Outcome
    modality: Modality | None = None
    item: int | None = None
    content: int | None = None
    draft: Draft | None = None
    error: Unreadable | None = None
    order: int = 0


@dataclass
class Batch:
    """Gathers changes and commits them; what is committed is counted in the report."""

    rooms: Rooms
    report: Report
    meter: Meter
    lately: Lately
    encoder: Encoder | None = None
    _changes: list[Change] = field(default_factory=list)
    _drafts: dict[bytes, Draft] = field(default_factory=dict)
    _told: dict[bytes, int] = field(default_factory=dict)
    _parts: int = 0
    _since: float = field(default_factory=time.monotonic)

    @cached_property
    def _previews(self) -> PreviewFolder:
        return folder_of(self.rooms)

    def add(self, change: Change) -> None:
        """Take a change whose content was read to its end."""
        if change.draft is not None and change.draft.digest not in self._drafts:
            self._drafts[change.draft.digest] = change.draft
            self._parts += len(change.draft.spans)
        self._changes.append(change)

    def count(self) -> int:
        """How many files wait for the next commit."""
        return len(self._changes)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a commit: enough is together, or the last one is long ago."""
        return (
            self._parts >= self.rooms.settings.index.commit_every
            or len(self._changes) >= MOST_CHANGES
            or time.monotonic() - self._since >= COMMIT_AFTER_S
        )

    def draft_of(self, digest: bytes) -> Draft | None:
        """The draft of that content, when it waits in this batch."""
        return self._drafts.get(digest)

    def commit(self, within_s: float = math.inf) -> bool:
        """Make everything gathered durable and visible, or nothing of it; whether that was any.

        within_s: what is not encoded by then is left for the next run
        """
        if self._drafts and self.encoder is not None:
            self.encoder.flush(self._drafts.values(), time.monotonic() + within_s)
        for change in self._changes:
            if change.draft is not None and change.draft.error is not None:
                change.error, change.draft = change.draft.error, None
        # After an interruption inside the encoder a draft may not be whole: left for the next run.
        ready = [change for change in self._changes if change.draft is None or change.draft.whole]
        ready.sort(key=lambda change: change.order)
        if ready:
            self._store(ready)
        for draft in {change.draft for change in ready if change.draft}:
            kept = self._previews.put(draft.digest, draft.previews)
            self.report.no_preview += draft.no_preview or not kept
        self._changes, self._drafts, self._parts = [], {}, 0
        self._since = time.monotonic()
        for change in ready:
            self._count(change)
        return bool(ready)

    def sort_report(self) -> None:
        """Tell of files in the order of the run, though a slow one was stored after others."""
        first = -1  # what was known before the run
        self.report.failed.sort(key=lambda one: self._told.get(one.path, first))
        self.report.truncated.sort(key=lambda one: self._told.get(one[0], first))

    def _store(self, ready: list[Change]) -> None:
        library = self.rooms.library
        drafts = {change.draft.digest: change.draft for change in ready if change.draft}
        with self.rooms.catalog.write() as tx:
            contents: dict[Draft, int] = {}
            if drafts and self.encoder is not None:
                contents = put_drafts(tx, library, self.encoder.spaces, drafts.values())
            for change in ready:
                if change.draft is not None:
                    change.content = contents[change.draft]
                _apply(tx, change)
            settle(tx, library, self.lately)

    def _count(self, change: Change) -> None:
        if change.error or (change.draft and change.draft.truncated_at_s is not None):
            self._told[change.place.path] = change.order
        if change.error is None:
            modality = change.draft.modality if change.draft else change.modality
            self.report.count(change.outcome, modality)
            self.meter.file(change.outcome, change.modality, change.stat.ctime_ns / 1e9)
            if change.draft is not None and change.draft.truncated_at_s is not None:
                self.report.truncated.append((change.place.path, change.draft.truncated_at_s))
            if change.draft is not None and change.draft.spaces and not change.draft.is_covered:
                self.report.count_uncovered(change.draft.modality)
        else:
            failure = Failure.of(change.place.path, change.error)
            self.report.failed.append(failure)
            self.meter.failure(failure)


def _apply(tx: Writing, change: Change) -> None:
    root, rel_path = change.place.root, change.place.rel_path
    if change.error is not None and change.error.transient:
        return  # nothing is known of the file: the next run tries again
    if change.error is not None:
        tx.fail(root, rel_path, change.stat, change.error.kind, change.error.reason)
    elif change.content is not None:
        if change.item is not None:  # renamed, and therefore read anew
            tx.move_item(change.item, root, rel_path, change.stat)
        tx.put_item(root, rel_path, change.stat, change.content)
    elif change.item is not None and change.outcome == "moved":
        tx.move_item(change.item, root, rel_path, change.stat)
    elif change.item is not None:
        tx.touch_item(change.item, change.stat)
