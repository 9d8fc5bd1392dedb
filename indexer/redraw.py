"""Previews of what is in the library already, drawn from its files. Nothing is embedded.

Most previews are by-products of reading a file, and there as soon as it is. Those of LATE are
drawn when nothing else is to do.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from indexer.decode import LATE
from indexer.pool import Limits, Pool
from indexer.pools import limits_of
from indexer.previews import PreviewFolder, folder_of
from indexer.scan import stat_of
from unisearch.catalog.rows import Stat
from unisearch.config import Settings
from unisearch.errors import UnisearchError, Unreadable
from unisearch.media.read import read
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.previews.places import found
from unisearch.previews.sketch import Sketch
from unisearch.records import MODALITIES, Modality, ReadOptions
from unisearch.wiring import PREVIEWS_FOLDER, Rooms, preview_options, read_options

logger = logging.getLogger(__name__)

#: So long a step waits for a worker.
STEP_S = 0.05
#: Whoever works with the library comes first.
_NICE = 10


class Later:
    """Draws what runs left, a little at a time. For the holder of the writer's lock only.

    A run that was killed may have left some, so there is something to look for at the start.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._due = True
        self._tried: set[bytes] = set()
        self._steps: Generator[str] | None = None
        self.doing = ""

    def look(self) -> None:
        """There may be more to draw."""
        self._due = True

    def step(self) -> bool:
        """Go on for STEP_S at most; whether there is more to do."""
        if self._steps is None:
            if not self._due:
                return False
            self._due = False
            self._steps = drawing(self._rooms, LATE, self._tried)
        try:
            self.doing = next(self._steps)
        except StopIteration:
            self.close()
        except UnisearchError as error:  # no worker starts: the next run says so, too
            logger.warning("no previews are drawn: %s", error)
            self.close()
        return self._due or self._steps is not None

    def close(self) -> None:
        """Leave the rest to the next holder."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None


def redraw(rooms: Rooms, tell: Callable[[str], object] = lambda _: None) -> int:
    """Draw all previews that are missing, as far as there is room; of how many contents.

    tell: called with what is being done
    """
    before = len(without_previews(rooms))
    with closing(drawing(rooms)) as steps:
        for doing in steps:
            tell(doing)
    return before - len(without_previews(rooms)) if before else 0


def without_previews(
    rooms: Rooms, modalities: Sequence[Modality] = MODALITIES
) -> list[tuple[bytes, bytes]]:
    """(digest, path) of each content that has none, by a file that still holds it."""
    if preview_options(rooms.settings) is None:
        return []
    folder, todo = rooms.library / PREVIEWS_FOLDER, []
    with rooms.catalog.view() as view:
        rows = view.files_by_digest(modalities)
    for digest, copies in groupby(rows, key=lambda row: row[0]):
        if not found(folder, digest):
            path = next((path for _, path, stat in copies if _holds(path, stat)), None)
            todo += [(digest, path)] if path is not None else []
    return todo


def drawing(
    rooms: Rooms, modalities: Sequence[Modality] = MODALITIES, tried: set[bytes] | None = None
) -> Generator[str]:
    """Draws what is missing; between two steps others may write. Gives what it is doing.

    tried: contents that are passed over; those that are drawn now are added
    """
    wanted, tried = preview_options(rooms.settings), set() if tried is None else tried
    todo = [one for one in without_previews(rooms, modalities) if one[0] not in tried]
    if wanted is None or not todo:
        return
    tried.update(digest for digest, _ in todo)
    options = replace(read_options(rooms.settings), preview_side=wanted.side)
    folder, waiting, jobs, done = folder_of(rooms), iter(todo), dict[int, bytes](), 0
    with Pool(_limits(rooms.settings)) as pool:
        while True:
            _submit(pool, folder, waiting, jobs, options, wanted)
            if not jobs:
                return
            yield f"drawing previews, {done:,} of {len(todo):,}"
            answer = pool.take(STEP_S)
            if answer is None or not answer.done:
                continue
            if answer.error is not None:
                logger.debug("no preview: %s", answer.error)
            digest = jobs.pop(answer.job)
            if answer.result and _is_known(rooms, digest):
                folder.put(digest, answer.result)
            done += 1


def _submit(
    pool: Pool,
    folder: PreviewFolder,
    waiting: Iterator[tuple[bytes, bytes]],
    jobs: dict[int, bytes],
    options: ReadOptions,
    wanted: PreviewOptions,
) -> None:
    """Hand out as much as the workers take."""
    while not pool.is_full:
        digest, path = next(waiting, (b"", b""))
        if not digest:
            return
        if folder.has_room(digest):
            jobs[pool.submit(path, draw, path, options, wanted)] = digest


def draw(
    path: bytes, options: ReadOptions, wanted: PreviewOptions
) -> Generator[None, None, list[Preview]]:
    """The task of a worker: the previews of a file. Raises Unreadable."""
    yield from ()
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    place = Path(os.fsdecode(path))
    reading = read(place, options)
    sketch = Sketch(path, reading, wanted)
    for part in reading.parts:
        sketch.look(part)
    return sketch.make()


def _limits(settings: Settings) -> Limits:
    """No network wants a core of its own here."""
    limits = limits_of(settings)
    return limits if settings.index.workers else replace(limits, workers=limits.workers + 1)


def _is_known(rooms: Rooms, digest: bytes) -> bool:
    """Whether the content is still in the library."""
    with rooms.catalog.view() as view:
        return bool(view.items_with_digest(digest))


def _holds(path: bytes, stat: Stat) -> bool:
    """Whether the file is there as it was when it was indexed."""
    try:
        return stat_of(os.lstat(path)).same_size_and_time(stat)
    except (OSError, Unreadable):
        return False
