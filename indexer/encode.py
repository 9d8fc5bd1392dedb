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
from unisearch.errors import MissingExtra, UnisearchError, Unreadable, VectorError
from unisearch.index.halves import to_halves
from unisearch.media.read import read
from unisearch.records import Modality, Prepared, Reading, ReadOptions
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
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    truncated_at_s: float | None = None
    spans: list[Span] = field(default_factory=list)
    vectors: list[NDArray[np.float16]] = field(default_factory=list)  # each (n, dim), unit rows
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
            reading = read(Path(os.fsdecode(file.path)), self._options)
            draft = Draft(digest, file.stat.size_bytes, reading.modality)
            self._fill(draft, file, reading)
        except Exception as error:
            raise unreadable(file.path, error) from error
        return draft

    def flush(self) -> None:
        """Encode everything that waits."""
        for modality in self._waiting:
            self._encode(modality)

    def _fill(self, draft: Draft, file: Found, reading: Reading) -> None:
        try:
            self._walk(draft, file, reading)
            if not _unchanged(file):
                raise Unreadable(file.path, "vanished", "it changed while it was read; run again")
            if not draft.spans:
                raise Unreadable(file.path, "corrupt", "there is nothing in it to index")
        except Exception as error:
            draft.error = unreadable(file.path, error)  # its parts that wait are not encoded
            raise draft.error from error

    def _walk(self, draft: Draft, file: Found, reading: Reading) -> None:
        for part in reading.parts:
            waiting = self._waiting[reading.modality]
            waiting.append(_Waiting(draft, file.path, self._space.prepare(part.sample)))
            draft.spans.append(Span(part.start_s, part.end_s, part.text))
            if len(waiting) >= self._batch:
                self._encode(reading.modality)
            if draft.error is not None:
                raise draft.error
        # A long sound knows its length only when it was walked through.
        draft.facts = {name: float(value) for name, value in reading.facts.items()}
        draft.labels = dict(reading.labels)
        draft.words, draft.truncated_at_s = reading.words, reading.truncated_at_s

    def _encode(self, modality: Modality) -> None:
        # Taken out first: after an interruption a draft may lack vectors, but never has one twice.
        taken, self._waiting[modality] = self._waiting[modality], []
        waiting = [one for one in taken if one.draft.error is None]
        if not waiting:
            return
        try:
            vectors = self._space.encode_prepared([one.prepared for one in waiting])
        except Exception as error:
            if isinstance(error, UnisearchError) and not isinstance(error, VectorError):
                raise
            logger.debug("a batch of %d %s parts failed: %s", len(waiting), modality, error)
            vectors = self._one_by_one(waiting)
        rows = range(len(waiting))
        for _, run in groupby(rows, key=lambda row: id(waiting[row].draft)):
            mine = list(run)
            self._keep(waiting[mine[0]], vectors[mine])

    def _keep(self, one: _Waiting, vectors: NDArray[np.float32]) -> None:
        """Rows of one file, rounded file by file: a bad one is the failure of its file alone."""
        if one.draft.error is not None:
            return
        try:
            one.draft.vectors.append(to_halves(vectors))
        except VectorError as error:
            reason = f"the space '{self._space.id}' cannot embed it: {error}"
            one.draft.error = Unreadable(one.path, "corrupt", reason)

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
    if isinstance(error, VectorError):
        return Unreadable(path, "corrupt", str(error))
    if isinstance(error, UnisearchError):
        raise error
    if isinstance(error, FileNotFoundError):
        return Unreadable(path, "vanished", "the file is no longer there")
    if isinstance(error, PermissionError):
        return Unreadable(path, "permission", "no permission to read the file")
    if isinstance(error, OSError) and error.errno:
        reason = f"the system cannot read it: {error.strerror}; the next run tries again"
        return Unreadable(path, "crash", reason, transient=True)
    if isinstance(error, MemoryError):
        return Unreadable(path, "memory", "too little memory to embed it")
    return Unreadable(path, "crash", f"{type(error).__name__}: {error}"[:300])
