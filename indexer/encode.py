"""Files into vectors: read one after another, encoded in batches of one modality."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.scan import Found, stat_of
from unisearch.catalog.rows import Span
from unisearch.errors import MissingExtra, UnisearchError, Unreadable
from unisearch.media.read import read
from unisearch.records import Modality, Prepared, ReadOptions
from unisearch.spaces.base import Space

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Draft:
    """A new content on its way into the library. Samples are dropped as soon as encoded.

    error: set when it turns out that it cannot be embedded
    """

    digest: bytes
    size_bytes: int
    modality: Modality
    facts: dict[str, float] = field(default_factory=dict)
    words: str = ""
    truncated_at_s: float | None = None
    spans: list[Span] = field(default_factory=list)
    vectors: list[NDArray[np.float16]] = field(default_factory=list)  # each (n, dim)
    error: Unreadable | None = None

    @property
    def whole(self) -> bool:
        """Whether every part has its vector."""
        return 0 < len(self.spans) == sum(map(len, self.vectors))


class _Waiting(NamedTuple):
    draft: Draft
    path: bytes
    prepared: Prepared


class Encoder:
    """Collects prepared parts and encodes them in batches."""

    def __init__(self, space: Space, options: ReadOptions, batch: int) -> None:
        self._space = space
        self._options = options
        self._batch = batch
        self._waiting: dict[Modality, list[_Waiting]] = defaultdict(list)

    def draft(self, file: Found, digest: bytes) -> Draft:
        """Read the file; its vectors are complete after `flush`.

        Raises Unreadable, also when the file changed while it was read.
        """
        try:
            draft = self._read(file, digest)
        except Exception as error:
            raise unreadable(file.path, error) from error
        if not _unchanged(file):
            raise Unreadable(file.path, "vanished", "it changed while it was read; run again")
        if not draft.spans:
            raise Unreadable(file.path, "corrupt", "there is nothing in it to index")
        return draft

    def flush(self) -> None:
        """Encode everything that waits."""
        for modality in self._waiting:
            self._encode(modality)

    def _read(self, file: Found, digest: bytes) -> Draft:
        reading = read(Path(os.fsdecode(file.path)), self._options)
        draft = Draft(digest, file.stat.size_bytes, reading.modality)
        for part in reading.parts:
            waiting = self._waiting[reading.modality]
            waiting.append(_Waiting(draft, file.path, self._space.prepare(part.sample)))
            draft.spans.append(Span(part.start_s, part.end_s, part.text))
            if len(waiting) >= self._batch:
                self._encode(reading.modality)
        # A long sound knows its length only when it was walked through.
        draft.facts = {name: float(value) for name, value in reading.facts.items()}
        draft.words, draft.truncated_at_s = reading.words, reading.truncated_at_s
        return draft

    def _encode(self, modality: Modality) -> None:
        # Taken out first: after an interruption a draft may lack vectors, but never has one twice.
        waiting, self._waiting[modality] = self._waiting[modality], []
        if not waiting:
            return
        try:
            vectors = self._space.encode_prepared([one.prepared for one in waiting])
        except UnisearchError:
            raise
        except Exception as error:
            logger.debug("a batch of %d %s parts failed: %s", len(waiting), modality, error)
            vectors = self._one_by_one(waiting)
        good: NDArray[np.bool_] = np.all(np.isfinite(vectors), axis=1)
        rows = range(len(waiting))
        for _, run in groupby(rows, key=lambda row: id(waiting[row].draft)):
            mine = list(run)
            draft, path, _ = waiting[mine[0]]
            draft.vectors.append(vectors[mine].astype(np.float16))
            if not good[mine].all() and draft.error is None:
                draft.error = Unreadable(path, "corrupt", "it has no finite vector")

    def _one_by_one(self, waiting: list[_Waiting]) -> NDArray[np.float32]:
        """The vectors of a batch that failed as a whole; NaN for those that fail alone too."""
        rows = np.full((len(waiting), self._space.dim), np.nan, np.float32)
        for row, one in enumerate(waiting):
            try:
                rows[row] = self._space.encode_prepared([one.prepared])[0]
            except Exception as error:
                one.draft.error = unreadable(one.path, error)
        return rows


def _unchanged(file: Found) -> bool:
    try:
        return stat_of(os.lstat(file.path)).same_file(file.stat)
    except OSError as error:
        raise unreadable(file.path, error) from error


def unreadable(path: bytes, error: Exception) -> Unreadable:
    """Whatever went wrong with one file, as its failure; raises what concerns all files."""
    if isinstance(error, Unreadable):
        return error
    if isinstance(error, MissingExtra):
        return Unreadable(path, "unsupported", str(error))
    if isinstance(error, UnisearchError):
        raise error
    if isinstance(error, FileNotFoundError):
        return Unreadable(path, "vanished", "the file is no longer there")
    if isinstance(error, PermissionError):
        return Unreadable(path, "permission", "no permission to read the file")
    if isinstance(error, MemoryError):
        return Unreadable(path, "memory", "too little memory to embed it")
    return Unreadable(path, "crash", f"{type(error).__name__}: {error}"[:300])
