"""Contents that a library holds are read from their files again, and embedded in their order."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.encode import Draft, Encoder
from indexer.first import ensure_background
from indexer.flow import Flow, recipe_for
from indexer.pool import Pool
from indexer.scan import Found, stat_of
from unisearch.catalog.rows import Lack, Owed, Span, StoredPart
from unisearch.catalog.view import View
from unisearch.errors import Unreadable
from unisearch.records import Modality
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: So long a step waits for a worker, and so long until what is ready is committed.
STEP_S, COMMIT_AFTER_S = 0.05, 2.0
#: Contents that are under way at most: those behind a slow one wait for it, as rows ascend.
AHEAD = 512
#: Parts in one pass on a CPU: whoever has news waits for the end of it.
CPU_BATCH = 16
#: Moments of segments that differ by less are the same: sounds are read at various rates.
SAME_S = 0.1


@dataclass
class Coming:
    """A content that is under way; lack: why it is not even read."""

    owed: Owed
    draft: Draft | None = None
    lack: Lack | None = None

    @property
    def ended(self) -> bool:
        return self.draft is None or self.draft.ended

    def lacking(self, parts: Sequence[StoredPart] | None = None) -> Lack | None:
        """Why the content gets no vector now. parts: its segments, where they are to stay"""
        if self.draft is None:
            return self.lack
        if self.draft.error is not None:
            logger.info("not embedded: %s", self.draft.error)
            return _lack_of(self.draft.error)
        if parts is not None and not _same(self.draft.spans, [part.span for part in parts]):
            return "todo"
        return None


class Rereading:
    """Contents that are read and embedded into some spaces, in their order."""

    def __init__(self, rooms: Rooms, spaces: Sequence[Space], pool: Pool) -> None:
        most = rooms.settings.index.batch
        batch = min(most, CPU_BATCH) if spaces[0].device == "cpu" else most
        self._rooms = rooms
        for space in spaces:
            ensure_background(space, logger.info)
        self._encoder = Encoder(spaces, batch)
        self._flow = Flow(self._encoder, recipe_for(rooms, spaces), pool)
        self._coming: deque[Coming] = deque()
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
        one = Coming(owed)
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

    def ready(self, at_once: bool = False) -> list[Coming]:
        """The first ones, as far as they are whole, when it is time to commit them."""
        if not at_once and time.monotonic() - self._since < COMMIT_AFTER_S:
            return []
        count = next((n for n, one in enumerate(self._coming) if not one.ended), len(self._coming))
        found = [self._coming.popleft() for _ in range(count)]
        self._encoder.flush([one.draft for one in found if one.draft is not None])
        self._since = time.monotonic()
        return found


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
