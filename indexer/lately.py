"""Contents that left the library a short while ago, with their vectors, in memory.

In a storm of changes a file may be missed where it was and only later be seen where it is; or
another takes its name before its own new name is looked at. Its content is dropped then, and comes
back: without being embedded again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encode import Draft
from unisearch.catalog.rows import DyingRow, PartitionRow, StoredPart
from unisearch.catalog.write import Writing
from unisearch.errors import LibraryDamaged
from unisearch.index.rows import BLOCK_ROWS, is_sound, rows_of
from unisearch.previews.make import Preview
from unisearch.previews.places import found
from unisearch.records import Modality
from unisearch.wiring import PREVIEWS_FOLDER, row_files

#: So long they are remembered, and how much of them.
KEEP_S, MOST_BYTES = 3_600.0, 64 * 1024**2
#: Of one commit; more is no storm but a folder that was taken out.
MOST_CONTENTS = 5_000
#: Blocks of rows that are compared with their checksums for it, of each partition.
MOST_BLOCKS = 64

_Vectors = dict[str, dict[Modality, list[NDArray[np.float16]]]]


@dataclass(frozen=True)
class _Kept:
    draft: Draft
    size_bytes: int
    until: float


class Lately:
    """What was dropped, newest last. For one thread at a time, as all that writes.

    clock: seconds that never go back
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, _Kept] = {}
        self._bytes = 0

    def keep(self, tx: Writing, library: Path) -> None:
        """Remember what `collect` is about to remove."""
        rows = tx.dying_contents(MOST_CONTENTS)
        parts = {row.id: tx.parts_of(row.id) for row in rows}
        vectors = _vectors(tx, library, parts) if rows else {}
        until = self._clock() + KEEP_S
        for row in rows:
            draft = _draft(row, parts[row.id], vectors.get(row.id, {}), library)
            self._forget(row.digest)
            self._kept[row.digest] = kept = _Kept(draft, _size_of(draft), until)
            self._bytes += kept.size_bytes
        self._bound()

    def draft(
        self, digest: bytes, path: bytes, spaces: Mapping[str, frozenset[Modality]]
    ) -> Draft | None:
        """That content as it was, None where it is not known, or lacks vectors of these spaces.

        path: the file that has it now; spaces: as of Draft
        """
        self._bound()
        kept = self._kept.get(digest)
        if kept is None:
            return None
        vectors = {space: dict(rows) for space, rows in kept.draft.vectors.items()}
        draft = replace(kept.draft, path=path, spaces=spaces, vectors=vectors)
        return draft if draft.whole else None

    def clear(self) -> None:
        """Remember nothing."""
        self._kept.clear()
        self._bytes = 0

    def _bound(self) -> None:
        now = self._clock()
        for digest, kept in list(self._kept.items()):
            if kept.until > now and self._bytes <= MOST_BYTES:
                break
            self._forget(digest)

    def _forget(self, digest: bytes) -> None:
        kept = self._kept.pop(digest, None)
        self._bytes -= kept.size_bytes if kept else 0


def _draft(row: DyingRow, parts: Iterable[StoredPart], vectors: _Vectors, library: Path) -> Draft:
    return Draft(
        row.digest,
        row.size_bytes,
        row.modality,
        facts=dict(row.facts),
        words=row.words,
        labels=row.labels,
        truncated_at_s=row.truncated_at_s,
        spans=[part.span for part in parts],
        vectors=vectors,
        previews=_previews(library, row.digest),
        read=True,
        drawn=True,
    )


def _previews(library: Path, digest: bytes) -> list[Preview]:
    """None where one cannot be read: they are drawn again."""
    try:
        held = found(library / PREVIEWS_FOLDER, digest)
        return [Preview(kind, path.read_bytes()) for kind, path in held.items()]
    except OSError:
        return []


def _size_of(draft: Draft) -> int:
    """About as much memory as it takes."""
    vectors = sum(
        rows.nbytes for kinds in draft.vectors.values() for some in kinds.values() for rows in some
    )
    texts = sum(200 + len(span.text) for span in draft.spans)
    return 1_000 + vectors + texts + sum(len(one.data) for one in draft.previews)


def _vectors(
    tx: Writing, library: Path, parts: Mapping[int, Iterable[StoredPart]]
) -> dict[int, _Vectors]:
    """The rows of these contents, by content, space and modality."""
    segments: dict[Modality, list[int]] = defaultdict(list)
    owners: dict[Modality, list[int]] = defaultdict(list)
    for content, some in parts.items():
        for part in some:
            segments[part.span.modality or "text"].append(part.id)
            owners[part.span.modality or "text"].append(content)
    states = {row.id: row.state for row in tx.spaces_and_parts()}
    rows: dict[int, _Vectors] = defaultdict(lambda: defaultdict(dict))
    for partition in tx.all_partitions():
        modality = partition.modality
        if states.get(partition.space) in ("active", "parts") and segments[modality]:
            held, vectors = _rows(tx, library, partition, np.array(segments[modality]))
            of = np.array(owners[modality])[held]
            for content in np.unique(of).tolist():
                rows[content][partition.space][modality] = [vectors[of == content]]
    return rows


def _rows(
    tx: Writing, library: Path, partition: PartitionRow, keys: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
    """Which of these keys have a row that is as it was written, and the rows of those."""
    none = np.zeros(len(keys), bool)
    try:
        stored = row_files(library, partition).open(partition.epoch, partition.count)
    except LibraryDamaged:  # the doctor tells
        return none, np.empty((0, partition.dim), np.float16)
    at = rows_of(stored.keys, keys)
    seals = {one.block: one for one in tx.blocks(partition.space, partition.modality)}
    wanted = np.unique(at[at >= 0] // BLOCK_ROWS)[:MOST_BLOCKS].tolist()
    sound = [block for block in wanted if block in seals and is_sound(stored, seals[block])]
    held = (at >= 0) & np.isin(at // BLOCK_ROWS, sound)
    return held, stored.vectors[at[held]]
