"""Vectors and what is known of their files into the library, in one transaction."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.backgrounds import renew
from indexer.encode import Draft
from indexer.lately import Lately
from indexer.previews import remove_previews
from indexer.spaces import hold
from unisearch.catalog.rows import PartitionRow, SpaceRow, StoredPart
from unisearch.catalog.write import Writing
from unisearch.index import durable
from unisearch.index.check import strays
from unisearch.records import GRID_VERSION, Modality
from unisearch.spaces.base import Space
from unisearch.wiring import row_files

#: Keys (n,) and pieces of their rows, by space and modality.
_New = dict[tuple[str, Modality], list[tuple[NDArray[np.int64], list[NDArray[np.float16]]]]]


def put_drafts(
    tx: Writing, library: Path, spaces: Sequence[Space], drafts: Iterable[Draft]
) -> dict[Draft, int]:
    """Store each draft with its segments and rows; the id of its content.

    spaces: those of a library that has none yet
    An active space that a draft was not embedded into has a gap there, to be filled later. A space
    that is being built comes to it in its turn.
    The rows are on the disk on return, and become visible when the transaction commits.
    """
    # Here, not earlier: a library without a vector belongs to no space.
    if not tx.spaces():
        for space in spaces:
            hold(tx, space, "active")
    held = tx.spaces_and_parts()
    contents: dict[Draft, int] = {}
    new: _New = defaultdict(list)
    for draft in drafts:
        known = tx.content_of(draft.digest, draft.size_bytes, GRID_VERSION)
        if known is None:
            known = tx.put_content(
                draft.digest,
                draft.size_bytes,
                draft.modality,
                draft.facts,
                draft.words,
                draft.truncated_at_s,
                draft.labels,
            )
            ids = tx.put_segments(known, draft.spans)
            _share_out(tx, new, held, known, ids, draft)
        contents[draft] = known
    _append_all(tx, library, new)
    return contents


def renew_drafts(tx: Writing, library: Path, drafts: Mapping[int, Draft]) -> None:
    """Give contents that are known already, by id, new segments with these rows in every active
    space; the old segments die in all spaces."""
    held = tx.spaces_and_parts()
    new: _New = defaultdict(list)
    died: dict[Modality, list[NDArray[np.int64]]] = defaultdict(list)
    for content, draft in drafts.items():
        ids, gone = tx.renew_segments(content, draft.spans)
        for modality, keys in gone.items():
            died[modality].append(keys)
        _share_out(tx, new, held, content, ids, draft)
    _bury(tx, library, {kind: np.concatenate(keys) for kind, keys in died.items()})
    _append_all(tx, library, new)


def put_rows(
    tx: Writing,
    library: Path,
    space: SpaceRow,
    drafts: Iterable[tuple[Sequence[StoredPart], Draft]],
) -> None:
    """Store the rows of drafts, each of the segments of its content, which are known: of one
    space, in the ascending order of the segments."""
    new: _New = defaultdict(list)
    held = tx.spaces_and_parts()
    for parts, draft in drafts:
        ids = np.array([part.id for part in parts], np.int64)
        _gather(new, space, held, ids, draft)
    _append_all(tx, library, new)


def _share_out(
    tx: Writing,
    new: _New,
    held: Sequence[SpaceRow],
    content: int,
    ids: NDArray[np.int64],
    draft: Draft,
) -> None:
    """The rows of a content to the active spaces that it was embedded into; gaps in the others."""
    for row in held:
        if row.state != "active":
            continue
        if row.id in draft.spaces:
            _gather(new, row, held, ids, draft)
            for space in {row.id, row.parts_id} - {""}:
                tx.drop_gap(space, content)
        elif any(map(row.covers, draft.modalities())):
            tx.put_gap(row.id, content, "todo")


def _gather(
    new: _New, space: SpaceRow, held: Iterable[SpaceRow], ids: NDArray[np.int64], draft: Draft
) -> None:
    """The rows of a content in a space, and their parts, as far as the library holds these."""
    kinds = np.array([span.modality or draft.modality for span in draft.spans])
    for one in {space.id, space.parts_id}.intersection(row.id for row in held):
        for modality, rows in draft.vectors.get(one, {}).items():
            new[one, modality].append((ids[kinds == modality], rows))


def _append_all(tx: Writing, library: Path, new: _New) -> None:
    for (space, modality), stored in new.items():
        keys = np.concatenate([ids for ids, _ in stored])
        vectors = np.concatenate([piece for _, rows in stored for piece in rows])
        # Of a space that was here before, open readers may still hold rows of an early epoch.
        epoch = time.time_ns() // 1_000 if len(tx.spaces_and_parts()) > 1 else 0
        _append(tx, library, tx.partition(space, modality, epoch), keys, vectors)


def settle(tx: Writing, library: Path, lately: Lately | None = None) -> None:
    """Drop contents that lost their last item, and mark their rows as dead in every space.

    lately: remembers them for a while
    """
    if lately is not None:
        lately.keep(tx, library)
    # First: what is left when we are killed here belongs to something that is known.
    remove_previews(library, tx.dying())
    _bury(tx, library, tx.collect())


def _bury(tx: Writing, library: Path, died: Mapping[Modality, NDArray[np.int64]]) -> None:
    """Mark the rows of segments that are gone as dead in every space."""
    for partition in tx.all_partitions() if died else ():
        keys = died.get(partition.modality)
        if keys is not None and partition.count:
            files = row_files(library, partition)
            tx.bury(partition, files.find(partition.epoch, partition.count, keys))
            renew(tx, library, partition)


def _append(
    tx: Writing,
    library: Path,
    partition: PartitionRow,
    keys: NDArray[np.int64],
    vectors: NDArray[np.float16],
) -> None:
    files = row_files(library, partition)
    if not partition.count:  # a writer that was killed here may have begun another epoch
        durable.unlink(strays(files, partition.epoch))
    tail = tx.tail_block(partition)
    blocks = files.append(partition.epoch, partition.count, keys, vectors, tail)
    tx.commit_rows(partition, partition.count + len(keys), blocks)
    renew(tx, library, partition)
