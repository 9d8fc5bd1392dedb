"""Prepared parts into vectors, in batches of one modality."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.decode import Piece, unreadable
from unisearch.catalog.rows import Span
from unisearch.errors import UnisearchError, Unreadable, VectorError
from unisearch.index.halves import to_halves
from unisearch.previews.make import Preview
from unisearch.records import Modality, Prepared
from unisearch.spaces.base import Space

logger = logging.getLogger(__name__)

#: Prepared parts of one modality that wait for a batch to be full, at most.
MOST_BYTES = 128 * 1024**2
#: Parts at once when a run is to end soon.
HURRIED = 16
#: Errors of the device that a network runs on, or of its driver: PyTorch's own are RuntimeErrors.
OF_DEVICE = (RuntimeError, MemoryError)


@dataclass(eq=False)
class Draft:
    """A new content on its way into the library. Samples are dropped as soon as encoded.

    error: set when it turns out that it cannot be embedded
    path: the file that it is read from; read: whether all its parts are here
    drawn: whether its previews are, too, or will never be
    vectors: unit rows (n, dim) in pieces, by modality in the order of its spans
    """

    digest: bytes
    size_bytes: int
    modality: Modality
    facts: dict[str, float] = field(default_factory=dict)
    words: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truncated_at_s: float | None = None
    spans: list[Span] = field(default_factory=list)
    vectors: dict[Modality, list[NDArray[np.float16]]] = field(default_factory=dict)
    previews: list[Preview] = field(default_factory=list)
    no_preview: bool = False  # making them failed
    error: Unreadable | None = None
    path: bytes = b""
    read: bool = False
    drawn: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more of it will come."""
        return self.drawn or self.error is not None

    @property
    def whole(self) -> bool:
        """Whether every part has its vector."""
        rows = sum(len(piece) for pieces in self.vectors.values() for piece in pieces)
        return self.read and 0 < len(self.spans) == rows

    def modalities(self) -> set[Modality]:
        """Of its parts: a video has shots and windows of sound."""
        return {span.modality or self.modality for span in self.spans}


class _Waiting(NamedTuple):
    draft: Draft
    prepared: Prepared


class Encoder:
    """Collects prepared parts and encodes them in batches of one modality."""

    def __init__(self, space: Space, batch: int) -> None:
        self._space = space
        self._batch = batch
        self._waiting: dict[Modality, list[_Waiting]] = defaultdict(list)
        self._bytes: dict[Modality, int] = defaultdict(int)

    def add(self, draft: Draft, pieces: Iterable[Piece]) -> None:
        """Take pieces of a draft; their vectors are complete after `flush` at the latest."""
        for piece in pieces:
            if draft.error is not None:
                return
            modality = piece.prepared.modality
            waiting = self._waiting[modality]
            draft.spans.append(Span(piece.start_s, piece.end_s, piece.text, modality))
            waiting.append(_Waiting(draft, piece.prepared))
            self._bytes[modality] += sum(array.nbytes for array in piece.prepared.arrays)
            if len(waiting) >= self._batch or self._bytes[modality] >= MOST_BYTES:
                self._encode(modality, len(waiting))

    def count(self) -> int:
        """How many parts wait to be encoded."""
        return sum(map(len, list(self._waiting.values())))

    def flush(self, drafts: Iterable[Draft], until: float = math.inf) -> None:
        """Encode what waits of the modalities of these drafts; until: on the monotonic clock."""
        most = self._batch if until == math.inf else HURRIED
        unfinished = [draft.modalities() for draft in drafts if not draft.whole]
        for modality in sorted(set().union(*unfinished)):
            while self._waiting[modality] and time.monotonic() < until:
                self._encode(modality, most)

    def _encode(self, modality: Modality, most: int) -> None:
        # Taken out first: after an interruption a draft may lack vectors, but never has one twice.
        taken = self._waiting[modality][:most]
        del self._waiting[modality][:most]
        if not self._waiting[modality]:
            self._bytes[modality] = 0
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
            pieces = one.draft.vectors.setdefault(one.prepared.modality, [])
            pieces.append(to_halves(vectors))
        except VectorError as error:
            reason = f"the space '{self._space.id}' cannot embed it: {error}"
            one.draft.error = Unreadable(one.draft.path, "corrupt", reason)

    def _one_by_one(self, waiting: list[_Waiting]) -> NDArray[np.float32]:
        """The vectors of a batch that failed as a whole; NaN for those that fail alone too.

        Raises UnisearchError when the device fails for every one of several.
        """
        rows = np.full((len(waiting), self._space.dim), np.nan, np.float32)
        failed: list[Exception] = []
        for row, one in enumerate(waiting):
            try:
                rows[row] = self._space.encode_prepared([one.prepared])[0]
            except Exception as error:
                failed.append(error)
                one.draft.error = _not_embedded(one.draft.path, error)
        if len(failed) == len(waiting) > 1 and all(isinstance(one, OF_DEVICE) for one in failed):
            raise UnisearchError(
                f"the network fails on '{self._space.device}' ({_line(failed[-1])}): free memory "
                "there, or set `device: cpu`, and run again"
            )
        return rows


def _not_embedded(path: bytes, error: Exception) -> Unreadable:
    """Why one part has no vector. What a device does not manage today is not the file's fault."""
    if not isinstance(error, OF_DEVICE):
        return unreadable(path, error)
    reason = f"the network failed ({_line(error)}); the next run tries again"
    return Unreadable(path, "crash", reason, transient=True)


def _line(error: Exception) -> str:
    """Libraries explain such errors on a page; the first line says what it is."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
