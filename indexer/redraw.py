"""Previews of what is in the library already, drawn anew from its files. Nothing is embedded."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from indexer.pool import Pool, limits_of
from indexer.previews import PreviewFolder, folder_of, listed
from indexer.scan import stat_of
from unisearch.catalog.rows import Stat
from unisearch.errors import Unreadable
from unisearch.media.read import read
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.previews.places import digest_of
from unisearch.previews.sketch import Sketch
from unisearch.records import ReadOptions
from unisearch.wiring import PREVIEWS_FOLDER, Rooms, preview_options, read_options

logger = logging.getLogger(__name__)


def without_previews(rooms: Rooms) -> list[tuple[bytes, bytes]]:
    """(digest, path) of each content that has none, by a file that still holds it."""
    known = _drawn(rooms.library / PREVIEWS_FOLDER)
    with rooms.catalog.view() as view:
        rows = view.files_by_digest()
    found = []
    for digest, copies in groupby(rows, key=lambda row: row[0]):
        if digest not in known:
            path = next((path for _, path, stat in copies if _holds(path, stat)), None)
            found += [(digest, path)] if path is not None else []
    return found


def redraw(rooms: Rooms, tell: Callable[[str], object] = lambda _: None) -> int:
    """Draw the previews that are missing, as far as there is room; of how many contents.

    tell: called with what is being done
    """
    wanted = preview_options(rooms.settings)
    todo = without_previews(rooms) if wanted else []
    if not wanted or not todo:
        return 0
    options = replace(read_options(rooms.settings), preview_side=wanted.side)
    folder, done = folder_of(rooms), 0
    with Pool(limits_of(rooms.settings)) as pool:
        for digest, previews in _answers(pool, folder, todo, options, wanted):
            done += bool(previews) and folder.put(digest, previews)
            tell(f"drawing previews, {done:,} of {len(todo):,}")
    return done


def draw(
    path: bytes, options: ReadOptions, wanted: PreviewOptions
) -> Generator[None, None, list[Preview]]:
    """The task of a worker: the previews of a file. Raises Unreadable."""
    yield from ()
    place = Path(os.fsdecode(path))
    reading = read(place, options)
    sketch = Sketch(path, reading, wanted)
    for part in reading.parts:
        sketch.look(part)
    return sketch.make()


def _answers(
    pool: Pool,
    folder: PreviewFolder,
    todo: list[tuple[bytes, bytes]],
    options: ReadOptions,
    wanted: PreviewOptions,
) -> Iterator[tuple[bytes, list[Preview]]]:
    waiting = iter(todo)
    jobs: dict[int, bytes] = {}
    while True:
        while not pool.is_full:
            digest, path = next(waiting, (b"", b""))
            if not digest:
                break
            if folder.has_room(digest):
                jobs[pool.submit(path, draw, path, options, wanted)] = digest
        if not jobs:
            return
        answer = pool.take(1.0)
        if answer is not None and answer.done:
            digest = jobs.pop(answer.job)
            if answer.error is not None:
                logger.debug("no preview: %s", answer.error)
            yield digest, answer.result or []


def _drawn(folder: Path) -> set[bytes | None]:
    """The contents that have a preview."""
    shares = (share for share in folder.glob("*") if share.is_dir())
    return {digest_of(path) for share in shares for path, size, _ in listed(share) if size}


def _holds(path: bytes, stat: Stat) -> bool:
    """Whether the file is there as it was when it was indexed."""
    try:
        return stat_of(os.lstat(path)).same_size_and_time(stat)
    except (OSError, Unreadable):
        return False
