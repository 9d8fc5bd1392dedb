"""Vectors and what is known of their files into the library, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.backgrounds import renew
from indexer.encode import Draft
from indexer.previews import remove_previews
from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.write import Writing
from unisearch.records import GRID_VERSION, Modality
from unisearch.spaces.base import Space
from unisearch.wiring import row_files


def put_drafts(
    tx: Writing, library: Path, space: Space, drafts: Iterable[Draft]
) -> dict[Draft, int]:
    """Store each draft with its segments and rows; the id of its content.

    The rows are on the disk on return, and become visible when the transaction commits.
    """
    # Here, not earlier: a library without a vector belongs to no space.
    tx.add_space(space.id, space.name, space.dim)
    contents: dict[Draft, int] = {}
    new: dict[Modality, list[tuple[NDArray[np.int64], list[NDArray[np.float16]]]]]
    new = defaultdict(list)
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
            kinds = np.array([span.modality or draft.modality for span in draft.spans])
            for modality, rows in draft.vectors.items():
                new[modality].append((ids[kinds == modality], rows))
        contents[draft] = known
    for modality, stored in new.items():
        keys = np.concatenate([ids for ids, _ in stored])
        vectors = np.concatenate([piece for _, rows in stored for piece in rows])
        partition = tx.partition(space.id, modality)
        _append(tx, library, partition, keys, vectors)
    return contents


def settle(tx: Writing, library: Path) -> None:
    """Drop contents that lost their last item, and mark their rows as dead in every space."""
    # First: what is left when we are killed here belongs to something that is known.
    remove_previews(library, tx.dying())
    died = tx.collect()
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
    tail = tx.tail_block(partition)
    blocks = files.append(partition.epoch, partition.count, keys, vectors, tail)
    tx.commit_rows(partition, partition.count + len(keys), blocks)
    renew(tx, library, partition)
