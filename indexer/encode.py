"""Prepared parts into vectors, in batches of one modality."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.decode import Piece, unreadable
from unisearch.catalog.rows import Span
from unisearch.errors import UnisearchError, Unreadable, VectorError
from unisearch.held import covered
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
    spaces: into which it is embedded, and the modalities that each of them covers
    vectors: unit rows (n, dim) in pieces, by space and modality in the order of its spans; of
        mixed ones also their parts (n, 2 dim), under the id of those
    """

    digest: bytes
    size_bytes: int
    modality: Modality
    facts: dict[str, float] = field(default_factory=dict)
    words: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truncated_at_s: float | None = None
    spans: list[Span] = field(default_factory=list)
    spaces: Mapping[str, frozenset[Modality]] = field(default_factory=dict)
    vectors: dict[str, dict[Modality, list[NDArray[np.float16]]]] = field(default_factory=dict)
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
        """Whether every part has its vector in each space that covers it."""
        if not self.read or not self.spans:
            return False
        kinds = Counter(span.modality or self.modality for span in self.spans)
        return all(
            sum(map(len, self.vectors.get(space, {}).get(kind, ()))) == count
            for space, covers in self.spaces.items()
            for kind, count in kinds.items()
            if kind in covers
        )

    @property
    def is_covered(self) -> bool:
        """Whether any part of it gets a vector."""
        return any(self.modalities() & covers for covers in self.spaces.values())

    def modalities(self) -> set[Modality]:
        """Of its parts: a video has shots and windows of sound."""
        return {span.modality or self.modality for span in self.spans}


class _Waiting(NamedTuple):
    draft: Draft
    prepared: Prepared


#: What is encoded together: parts of one modality, for one space.
_Kind = tuple[str, Modality]


class Encoder:
    """Collects prepared parts and encodes them in batches of one modality for one space.

    told: called after each batch
    """

    def __init__(
        self, spaces: Sequence[Space], batch: int, told: Callable[[], None] | None = None
    ) -> None:
        self._spaces = {space.id: space for space in spaces}
        self.spaces = tuple(spaces)
        self._batch = batch
        self._told = told
        self._waiting: dict[_Kind, list[_Waiting]] = defaultdict(list)
        self._bytes: dict[_Kind, int] = defaultdict(int)

    def adopt(self, spaces: Sequence[Space]) -> None:
        """From now on drafts are for these spaces; those that began before stay what they are."""
        self._spaces |= {space.id: space for space in spaces}
        self.spaces = tuple(spaces)

    def covers(self) -> dict[str, frozenset[Modality]]:
        """The spaces that drafts are for, with what each of them covers."""
        return {space.id: frozenset(covered(space)) for space in self.spaces}

    def add(self, draft: Draft, pieces: Iterable[Piece]) -> None:
        """Take pieces of a draft; their vectors are complete after `flush` at the latest."""
        for piece in pieces:
            if draft.error is not None:
                return
            draft.spans.append(Span(piece.start_s, piece.end_s, piece.text, piece.modality))
            for space, prepared in piece.prepared.items():
                kind = space, piece.modality
                waiting = self._waiting[kind]
                waiting.append(_Waiting(draft, prepared))
                self._bytes[kind] += sum(array.nbytes for array in prepared.arrays)
                if len(waiting) >= self._batch or self._bytes[kind] >= MOST_BYTES:
                    self._encode(kind, len(waiting))

    def count(self) -> int:
        """How many parts wait to be encoded."""
        return sum(map(len, list(self._waiting.values())))

    def flush(self, drafts: Iterable[Draft], until: float = math.inf) -> None:
        """Encode what waits of the modalities of these drafts; until: on the monotonic clock."""
        most = self._batch if until == math.inf else HURRIED
        unfinished = [draft for draft in drafts if not draft.whole]
        kinds = {
            (space, kind) for one in unfinished for space in one.spaces for kind in one.modalities()
        }
        for kind in sorted(kinds):
            while self._waiting[kind] and time.monotonic() < until:
                self._encode(kind, most)

    def _encode(self, kind: _Kind, most: int) -> None:
        # Taken out first: after an interruption a draft may lack vectors, but never has one twice.
        taken = self._waiting[kind][:most]
        del self._waiting[kind][:most]
        if not self._waiting[kind]:
            self._bytes[kind] = 0
        waiting = [one for one in taken if one.draft.error is None]
        if not waiting:
            return
        space = self._spaces[kind[0]]
        try:
            vectors = space.encode_stored([one.prepared for one in waiting])
        except Exception as error:
            if isinstance(error, UnisearchError) and not isinstance(error, VectorError):
                raise
            logger.debug("a batch of %d %s parts failed: %s", len(waiting), kind[1], error)
            vectors = self._one_by_one(space, waiting)
        if self._told is not None:
            self._told()
        rows = range(len(waiting))
        for _, run in groupby(rows, key=lambda row: id(waiting[row].draft)):
            mine = list(run)
            self._keep(space, waiting[mine[0]], vectors[mine])

    def _keep(self, space: Space, one: _Waiting, vectors: NDArray[np.float32]) -> None:
        """Rows of one file, rounded file by file: a bad one is the failure of its file alone."""
        if one.draft.error is not None:
            return
        try:
            halves = [(space.id, to_halves(vectors[:, : space.dim]))]
            if vectors.shape[1] > space.dim:
                halves.append((space.parts_id, to_halves(vectors[:, space.dim :])))
            # The vectors last: a draft with all of them has all their parts, too.
            for where, rows in reversed(halves):
                pieces = one.draft.vectors.setdefault(where, {})
                pieces.setdefault(one.prepared.modality, []).append(rows)
        except VectorError as error:
            reason = f"the space '{space.id}' cannot embed it: {error}"
            one.draft.error = Unreadable(one.draft.path, "corrupt", reason)

    def _one_by_one(self, space: Space, waiting: list[_Waiting]) -> NDArray[np.float32]:
        """The vectors of a batch that failed as a whole; NaN for those that fail alone too.

        Raises UnisearchError when the device fails for every one of several.
        """
        width = space.stored_width(waiting[0].prepared.modality)
        rows = np.full((len(waiting), width), np.nan, np.float32)
        failed: list[Exception] = []
        for row, one in enumerate(waiting):
            try:
                rows[row] = space.encode_stored([one.prepared])[0]
            except Exception as error:
                failed.append(error)
                one.draft.error = _not_embedded(one.draft.path, error)
        if len(failed) == len(waiting) > 1 and all(isinstance(one, OF_DEVICE) for one in failed):
            raise UnisearchError(
                f"the network fails on '{space.device}' ({_line(failed[-1])}): free memory "
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
