"""The spaces of a library, and those that this installation knows, as plain values."""

from __future__ import annotations

from typing import Any

from unisearch.catalog.rows import SpaceRow
from unisearch.catalog.view import View
from unisearch.engine.inspect import background, folder_bytes
from unisearch.errors import ForeignSpace, UnisearchError
from unisearch.held import opened
from unisearch.models.find import find_folder
from unisearch.records import MODALITIES
from unisearch.spaces.table import SPACES, models_of
from unisearch.wiring import INDEX_FOLDER, VECTORS_FOLDER, Rooms


def holdings(rooms: Rooms) -> dict[str, Any]:
    """The spaces of the library, oldest first, and the known ones with whether their weights are
    here. Opens the library's own: their version shows in their weights."""
    with rooms.catalog.view() as view:
        rows = view.spaces()
        spaces = [_held(rooms, view, row) for row in rows]
    held = {row.name for row in rows}
    known = [
        {"name": name, "models": list(models_of(name)), "weights": has_weights(rooms, name),
         "held": name in held}
        for name in SPACES
    ]  # fmt: skip
    return {"spaces": spaces, "known": known}


def built(view: View, row: SpaceRow) -> float:
    """The share of a space that came by, in [0, 1]."""
    if row.state == "active":
        return 1.0
    done, total = view.extent(row)
    return done / total if total else 1.0


def has_weights(rooms: Rooms, name: str) -> bool:
    """Whether weights of the space lie here; they are not verified."""
    folders = [rooms.settings.models]
    return all(find_folder(model, folders) is not None for model in models_of(name))


def _held(rooms: Rooms, view: View, row: SpaceRow) -> dict[str, Any]:
    samples = {one.partition: one for one in view.backgrounds(row.id)}
    partitions = [one for one in view.all_partitions() if one.space == row.id]
    return {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "built": built(view, row),
        "here": _here(rooms, row),
        "modalities": [one for one in MODALITIES if row.covers(one)],
        "vectors": sum(one.count - one.dead for one in partitions),
        "bytes": sum(
            folder_bytes(rooms.library / top / row.id) for top in (VECTORS_FOLDER, INDEX_FOLDER)
        ),
        "backgrounds": {one.modality: background(samples.get(one.id)) for one in partitions},
        "lacks": dict(view.count_gaps(row.id)),
        "added": row.added,
    }


def _here(rooms: Rooms, row: SpaceRow) -> str:
    """'yes', or why it can neither answer nor grow."""
    if row.name not in SPACES:
        return "unknown"
    try:
        opened(rooms, row)
    except ForeignSpace:
        return "other version"
    except UnisearchError:
        return "no weights"
    return "yes"
