"""What a library holds and in what state it is, without loading a model."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

from unisearch.catalog.backgrounds import BackgroundRow
from unisearch.catalog.rows import RootRow
from unisearch.engine.answer import path_json
from unisearch.engine.background import share_of_sample
from unisearch.engine.indexes import PARTS, index_of
from unisearch.errors import display
from unisearch.wiring import Rooms


def status(rooms: Rooms) -> dict[str, Any]:
    """What the library holds, as plain values ready for JSON."""
    with rooms.catalog.view() as view:
        counts = view.counts()
        spaces = view.spaces()
        partitions = view.all_partitions()
        samples = {row.partition: row for row in view.backgrounds()}
        roots_ = view.roots()
        failures = Counter(failure.kind for failure in view.failures())
        truncated = view.truncated()
    searched = {space.id for space in spaces}
    config = rooms.settings.file
    return {
        "library": display(rooms.library),
        "config": display(config) if config else None,
        "space": rooms.settings.space,
        "modalities": {name: vars(count) for name, count in counts.items()},
        "spaces": [
            {"id": one.id, "name": one.name, "dim": one.dim, "added": one.added, "state": one.state}
            for one in spaces
        ],
        "partitions": [
            {
                "space": p.space,
                "modality": p.modality,
                "epoch": p.epoch,
                "rows": p.count,
                "dead": p.dead,
                "index": index_of(rooms, p, partitions) if p.space in searched else PARTS,
                "background": background(samples.get(p.id)) if p.space in searched else "",
            }
            for p in partitions
        ],
        "roots": [
            {
                **path_json(root.path),
                "items": root.items,
                "whole": root.whole,
                "present": os.path.isdir(root.path),  # noqa: PTH112 (paths are bytes)
            }
            for root in roots_
        ],
        "failures": dict(failures),
        "truncated": [{**path_json(path), "at_s": at_s} for path, at_s in truncated],
        "bytes": folder_bytes(rooms.library),
    }


def background(sample: BackgroundRow | None) -> str:
    """What scores of a partition are compared with, in words; see docs/ranking.md."""
    share = share_of_sample(sample.kinds) if sample else 0.0
    if sample is None or share == 0:
        return "reference, synthetic"
    own = f"library sample of {sample.rows:,}, {sample.kinds:,} kinds"
    return own if share == 1 else f"{own} ({share:.0%}), and reference, synthetic"


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder; those that vanish meanwhile count nothing."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(inside, name).lstat().st_size
    return total


def duplicates(rooms: Rooms) -> list[list[bytes]]:
    """Groups of files with equal content, largest files first."""
    with rooms.catalog.view() as view:
        return [[item.path for item in group] for group in view.duplicates()]


def roots(rooms: Rooms) -> list[RootRow]:
    """The indexed folders; one that is not whole holds only files that were named."""
    with rooms.catalog.view() as view:
        return view.roots()
