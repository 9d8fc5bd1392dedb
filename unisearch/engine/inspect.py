"""What a library holds and in what state it is, without loading a model."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from unisearch.config import find_config
from unisearch.errors import display
from unisearch.wiring import Rooms


def status(rooms: Rooms) -> dict[str, Any]:
    """What the library holds, as plain values ready for JSON."""
    with rooms.catalog.view() as view:
        counts = view.counts()
        spaces = view.spaces()
        partitions = view.all_partitions()
        roots_ = view.roots()
        failures = Counter(failure.kind for failure in view.failures())
    config = find_config(None)
    return {
        "library": display(rooms.library),
        "config": display(config) if config else None,
        "space": rooms.settings.space,
        "modalities": {name: vars(count) for name, count in counts.items()},
        "spaces": [vars(space) for space in spaces],
        "partitions": [
            {"space": p.space, "modality": p.modality, "epoch": p.epoch, "rows": p.count}
            for p in partitions
        ],
        "roots": [
            {
                "path": display(root.path),
                "items": root.items,
                "present": os.path.isdir(root.path),  # noqa: PTH112 (paths are bytes)
            }
            for root in roots_
        ],
        "failures": dict(failures),
        "bytes": sum(file.stat().st_size for file in rooms.library.rglob("*") if file.is_file()),
    }


def duplicates(rooms: Rooms) -> list[list[bytes]]:
    """Groups of files with equal content, largest files first."""
    with rooms.catalog.view() as view:
        return [[item.path for item in group] for group in view.duplicates()]


def roots(rooms: Rooms) -> list[tuple[bytes, int]]:
    """(path, items) of each indexed folder."""
    with rooms.catalog.view() as view:
        return [(root.path, root.items) for root in view.roots()]
