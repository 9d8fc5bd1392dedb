"""New contents on their way: read ahead by the workers, encoded as their parts come."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from indexer.decode import (
    Drawn,
    Given,
    Piece,
    Preparer,
    Recipe,
    Whole,
    decode,
    is_plain,
    unreadable,
)
from indexer.detect import modality_at
from indexer.encode import Draft, Encoder
from indexer.pool import Answer, Pool
from indexer.scan import Found
from unisearch.errors import Unreadable
from unisearch.held import covered, needs_of_all
from unisearch.media.read import read
from unisearch.previews.make import PreviewOptions
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: These give their first part soon, however large they are; a model gives none before its end,
#: and a video is walked through first.
STREAMS = ("audio",)
SECONDS_PER_MB = 1.0


class Flow:
    """Reads files in the workers of a pool and encodes what they send."""

    def __init__(self, encoder: Encoder, recipe: Recipe, pool: Pool) -> None:
        self._encoder = encoder
        self._recipe = recipe
        self._pool = pool
        self._jobs: dict[int, Draft] = {}
        self._drafts: dict[bytes, Draft] = {}

    def adopt(self, recipe: Recipe) -> None:
        """What is read from now on is read like this; call it with `Encoder.adopt`."""
        self._recipe = recipe

    @property
    def full(self) -> bool:
        """Whether enough files are on their way."""
        return self._pool.is_full

    def draft(self, file: Found, digest: bytes) -> Draft:
        """The content of that file, which begins to be read; or the one of a file with the same.

        Raises Unreadable for a file that no reader is for.
        """
        modality = modality_at(file.path)
        if modality is None:
            read(Path(os.fsdecode(file.path)))  # raises
            raise AssertionError("a reader without a suffix")
        draft = self._drafts.get(digest)
        if draft is not None:
            return draft
        size, spaces = file.stat.size_bytes, self._encoder.covers()
        draft = Draft(digest, size, modality, path=file.path, spaces=spaces)
        if is_plain(file):
            self._read_here(draft, file)
        else:
            self._drafts[digest] = draft
            grace_s = 0.0 if modality in STREAMS else SECONDS_PER_MB * file.stat.size_bytes / 1e6
            job = self._pool.submit(file.path, decode, file, self._recipe, grace_s=grace_s)
            self._jobs[job] = draft
        return draft

    def step(self, timeout_s: float) -> bool:
        """Take what the workers have to say next; whether there was anything within that time."""
        if not self._jobs:
            return False
        answer = self._pool.take(timeout_s)
        if answer is None:
            return False
        draft = self._jobs.get(answer.job)
        if draft is not None:
            self._take(draft, answer)
        return True

    def _take(self, draft: Draft, answer: Answer) -> None:
        self._add(draft, answer.values)
        if answer.error is not None and draft.read:
            logger.debug("no preview: %s", answer.error)
            _draw(draft, Drawn([], failed=True))
        elif answer.error is not None:
            draft.error = draft.error or unreadable(draft.path, answer.error)
        elif answer.done:
            _draw(draft, answer.result)
        if draft.ended:
            if not answer.done:
                self._pool.drop(answer.job)
            del self._jobs[answer.job]
            del self._drafts[draft.digest]

    def _add(self, draft: Draft, values: Iterable[Given]) -> None:
        for value in values:
            if isinstance(value, Piece):
                self._encoder.add(draft, [value])
            elif value is not None:
                _complete(draft, value)

    def _read_here(self, draft: Draft, file: Found) -> None:
        values = decode(file, self._recipe)
        try:
            while draft.error is None:
                self._add(draft, [next(values)])
        except StopIteration as end:
            _draw(draft, end.value)
        except Unreadable as error:
            draft.error = error


def recipe_for(
    rooms: Rooms, spaces: Sequence[Space], previews: PreviewOptions | None = None
) -> Recipe:
    """How files are read for these spaces together."""
    options = needs_of_all(rooms, spaces)
    if previews is not None:
        options = replace(options, preview_side=previews.side)
    preparers = (Preparer(one.id, frozenset(covered(one)), one.preparer) for one in spaces)
    return Recipe(options, tuple(preparers), previews)


def _complete(draft: Draft, whole: Whole) -> None:
    draft.modality = whole.modality  # a video without pictures is a sound
    draft.facts, draft.words = dict(whole.facts), whole.words
    draft.labels = whole.labels
    draft.truncated_at_s = whole.truncated_at_s
    draft.read = True


def _draw(draft: Draft, drawn: Drawn) -> None:
    draft.previews, draft.no_preview = drawn.previews, drawn.failed
    draft.drawn = True
