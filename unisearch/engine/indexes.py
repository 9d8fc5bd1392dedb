"""How each partition is searched, for `status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unisearch.catalog.rows import PartitionRow
from unisearch.records import MODALITIES
from unisearch.wiring import Rooms, snapshots

#: Of what is never searched: what the vectors of another partition are mixed of.
PARTS = {"kind": "parts"}


def index_of(
    rooms: Rooms, partition: PartitionRow, all_partitions: Iterable[PartitionRow]
) -> dict[str, Any]:
    """The index of a partition as plain values; only manifests are read.

    kind: 'exact' when every row is compared, else 'snapshot', with its rows, the tail behind it,
    its files, and the measured recall for queries of each modality, None where it is untuned.
    all_partitions: queries of their modalities, and of text, are looked at
    """
    folder = snapshots(rooms.library, partition.space, partition.modality)
    chain = folder.chain(partition.epoch, partition.count, None)
    if partition.count <= rooms.settings.vectors.exact_rows or not chain:
        return {"kind": "exact"}
    efforts = chain[0].efforts
    asking = {"text", *efforts, *(p.modality for p in all_partitions if p.space == partition.space)}
    recalls = {
        name: efforts[name].recall if name in efforts else None
        for name in MODALITIES
        if name in asking
    }
    rows = chain[-1].stop
    tail = partition.count - rows
    return {"kind": "snapshot", "rows": rows, "tail": tail, "files": len(chain), "recall": recalls}


def told(index: dict[str, Any]) -> str:
    """The same in words."""
    if index["kind"] == "parts":
        return "parts, for 'turn'"
    if index["kind"] == "exact":
        return "exact"
    tuned = [f"{name} {recall:.3f}" for name, recall in index["recall"].items() if recall]
    untuned = [name for name, recall in index["recall"].items() if not recall]
    parts = [f"snapshot of {index['rows']:,} + {index['tail']:,} rows"]
    parts += [f"recall {', '.join(tuned)}"] if tuned else []
    parts += [f"untuned: {', '.join(untuned)}"] if untuned else []
    return "; ".join(parts)
