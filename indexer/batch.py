"""Changes on their way into the library: many files, one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from indexer.encode import Draft, Encoder
from indexer.places import Place
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
    """

    place: Place
    stat: Stat
    outcome: Outcome
    modality: Modality | None = None
    item: int | None = None
    content: int | None = None
    draft: Draft | None = None
    error: Unreadable | None = None


@dataclass
class Batch:
    """Gathers changes and commits them; what is committed is counted in the report."""

    rooms: Rooms
    report: Report
    encoder: Encoder | None = None
    _changes: list[Change] = field(default_factory=list)
    _drafts: dict[bytes, Draft] = field(default_factory=dict)
    _parts: int = 0
    _since: float = field(default_factory=time.monotonic)

    def add(self, change: Change) -> bool:
        """Take a change; commit when enough are together. Whether everything is committed now."""
        if change.draft is not None and change.draft.digest not in self._drafts:
            self._drafts[change.draft.digest] = change.draft
            self._parts += len(change.draft.spans)
        self._changes.append(change)
        if (
            self._parts >= self.rooms.settings.index.commit_every
            or len(self._changes) >= MOST_CHANGES
            or time.monotonic() - self._since >= COMMIT_AFTER_S
        ):
            self.commit()
        return not self._changes

    def draft_of(self, digest: bytes) -> Draft | None:
        """The draft of that content, when it waits in this batch."""
        return self._drafts.get(digest)

    def commit(self) -> None:
        """Make everything gathered durable and visible, or nothing of it."""
        if self._drafts and self.encoder is not None:
            self.encoder.flush()
        for change in self._changes:
            if change.draft is not None and change.draft.error is not None:
                change.error, change.draft = change.draft.error, None
        # After an interruption inside the encoder a draft may not be whole: left for the next run.
        ready = [change for change in self._changes if change.draft is None or change.draft.whole]
        if ready:
            self._store(ready)
        self._changes, self._drafts, self._parts = [], {}, 0
        self._since = time.monotonic()
        for change in ready:
            self._count(change)

    def _store(self, ready: list[Change]) -> None:
        library = self.rooms.library
        drafts = {change.draft.digest: change.draft for change in ready if change.draft}
        with self.rooms.catalog.write() as tx:
            contents: dict[Draft, int] = {}
            if drafts:
                contents = put_drafts(tx, library, self.rooms.space, drafts.values())
            for change in ready:
                if change.draft is not None:
                    change.content = contents[change.draft]
                _apply(tx, change)
            settle(tx, library)

    def _count(self, change: Change) -> None:
        if change.error is None:
            self.report.count(change.outcome, change.modality)
            if change.draft is not None and change.draft.truncated_at_s is not None:
                self.report.truncated.append((change.place.path, change.draft.truncated_at_s))
        else:
            self.report.failed.append(Failure.of(change.place.path, change.error))


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
