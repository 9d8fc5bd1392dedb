"""What an open library knows of its items, and of itself: for every door."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

from unisearch.catalog.rows import ItemRow, RootRow
from unisearch.engine import inspect
from unisearch.engine.answer import path_json
from unisearch.engine.hit_media import preview_of
from unisearch.errors import UnisearchError, UnknownName, UsageError
from unisearch.previews.places import KINDS, found
from unisearch.registry import Entry, load
from unisearch.wiring import PREVIEWS_FOLDER, Rooms

NO_ITEM = "item {}: the library has no such item"
NO_ROOT = "root {}: the library has no such folder"
#: Who writes is named as a string: what only reads does not need it.
WRITER = {"look": Entry("indexer.look:look")}


class Items:
    """The part of an Engine that asks nobody for likeness."""

    rooms: Rooms
    since: float  # time.monotonic() when it was opened

    def status(self) -> dict[str, Any]:
        """How the library is: ready, syncing, what it holds; as `GET /v1/status` tells it."""
        return status(self.rooms, self.since)

    def item(self, item: int) -> dict[str, Any]:
        """What is known of an item. Raises UnisearchError when there is none of that id."""
        return known(self.rooms, row_of(self.rooms, item))

    def content(self, item: int) -> bytes:
        """The file of an item.

        Raises UnisearchError when there is none of that id, or its file is gone or is a link now.
        """
        row = row_of(self.rooms, item)
        with open(open_below(row.root_path, row.path), "rb") as file:
            return file.read()

    def preview(self, item: int, kind: str = "still") -> bytes | None:
        """A preview of an item: 'still' or 'turn' (WebP) or 'text' (UTF-8); None for none (yet)."""
        if kind not in KINDS:
            raise UnknownName("preview", kind, KINDS)
        return preview_of(self.rooms.catalog, self.rooms.library, item, kind)


def find(rooms: Rooms, item: int) -> ItemRow | None:
    """The item of that id, None when there is none."""
    with rooms.catalog.view() as view:
        return view.item(item)


def row_of(rooms: Rooms, item: int) -> ItemRow:
    """The item of that id. Raises UnisearchError."""
    row = find(rooms, item)
    if row is None:
        raise UnisearchError(NO_ITEM.format(item))
    return row


def find_root(rooms: Rooms, root: int) -> RootRow | None:
    """The indexed folder of that id, None when there is none."""
    return next((row for row in inspect.roots(rooms) if row.id == root), None)


def folder_of(rooms: Rooms, root: int | None, under: Path | str | None) -> Path | str | None:
    """The folder that a question names in one of both ways.

    Raises UsageError for both at a time, UnisearchError for an id that the library has not.
    """
    if root is None:
        return under
    if under is not None:
        raise UsageError("choose one of under and root")
    row = find_root(rooms, root)
    if row is None:
        raise UnisearchError(NO_ROOT.format(root))
    return Path(os.fsdecode(row.path))


def known(rooms: Rooms, row: ItemRow) -> dict[str, Any]:
    """An item as plain values."""
    with rooms.catalog.view() as view:
        tags = view.tags(row.id)
        labels = view.labels(row.content) if row.content is not None else {}
        digest = view.digest_of(row.content) if row.content is not None else None
    return {
        "item": row.id,
        "root": row.root,
        "path_b64": None,
        **path_json(row.path),
        "modality": row.modality,
        "size_bytes": row.stat.size_bytes,
        "mtime_s": row.stat.mtime_ns / 1e9,
        "facts": dict(row.facts),
        "tags": tags,
        "labels": labels,
        "truncated_at_s": row.truncated_at_s,
        "previews": list(found(rooms.library / PREVIEWS_FOLDER, digest)) if digest else [],
    }


def status(rooms: Rooms, since: float, ready: bool = True) -> dict[str, Any]:
    """What a library holds, and what the process that writes to it is doing.

    since: time.monotonic() when it was opened; ready: whether questions are answered at once
    """
    library = inspect.status(rooms)
    writer = load("look", WRITER, "look")(rooms.library)
    return {
        "ready": ready,
        "syncing": bool(writer and writer["run"]),
        "lag_s": writer["delay_s"]["p50"] if writer else None,
        "uptime_s": time.monotonic() - since,
        "items": {name: count["items"] for name, count in library["modalities"].items()},
        "library": library,
        "writer": writer,
    }


def open_below(root: bytes, path: bytes) -> int:
    """A descriptor of that file; no link on the way from the root is followed.

    Raises UnisearchError for what is not there any more, or is no regular file.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        if path == root:  # a single file that was named
            handle = os.open(path, flags)
        else:
            handle = _walk(root, path[len(root) :].strip(b"/").split(b"/"), flags)
    except OSError:
        raise UnisearchError("the file is not there any more, or not to be read") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnisearchError("there is no regular file any more")
    return handle


def _walk(root: bytes, names: list[bytes], flags: int) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names[:-1]:
            step = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            deeper = os.open(name, step, dir_fd=folder)
            os.close(folder)
            folder = deeper
        return os.open(names[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
