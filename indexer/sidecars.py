"""Words from files beside pictures, sounds and models: taken in when those change, alone.

The item's content is neither read nor embedded again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import xxhash

from indexer.batch import MOST_CHANGES
from indexer.detect import Survey
from indexer.places import is_gone
from indexer.report import Report
from indexer.rules import found_at
from indexer.scan import Found
from unisearch.catalog.rows import DescribedRow
from unisearch.catalog.view import View
from unisearch.errors import Unreadable
from unisearch.media.sidecar import Description, base_of, names_beside, read_sidecar
from unisearch.wiring import Rooms

logger = logging.getLogger(__name__)

#: Part of every key: another one when the same files would give other words.
VERSION = b"1"

#: The file at a path, if it is there and wanted.
Look = Callable[[bytes], Found | None]


class _Change(NamedTuple):
    """An item and the files that stand beside it now."""

    item: int
    files: list[Found]
    key: bytes


def describe(rooms: Rooms, surveys: Iterable[Survey], report: Report) -> Iterator[None]:
    """Bring the words from beside files in step; a step after each commit."""
    wanted = rooms.settings.index.sidecars != "off"
    for survey in surveys:
        with rooms.catalog.view() as view:
            changes = list(_changes(rooms, survey, view, wanted))
        for at in range(0, len(changes), MOST_CHANGES):
            part = changes[at : at + MOST_CHANGES]
            read = [(change, _read(change.files)) for change in part]
            with rooms.catalog.write() as tx:
                for change, (words, tags) in read:
                    if change.files:
                        tx.put_sidecar(change.item, change.key, words, tags)
                    else:
                        tx.drop_sidecar(change.item)
            report.described += len(part)
            yield


def _changes(rooms: Rooms, survey: Survey, view: View, wanted: bool) -> Iterator[_Change]:
    look: Look
    if os.path.isdir(survey.place):  # noqa: PTH112 (bytes)
        rows = [row for row in view.described(survey.place) if _is_there(row.path, survey)]
        look = survey.beside.get
    else:
        rows = [row for row in around(survey.place, view) if not is_gone(row.path)]
        look = partial(found_at, rooms)
    for row in rows:
        change = _change(row, look if wanted else _nothing)
        if change is not None:
            yield change


def _is_there(path: bytes, survey: Survey) -> bool:
    """Whether the walk saw that file, so that what it did not see beside it is not there."""
    return path not in survey.gone and path not in survey.away and survey.covers(path)


def around(place: bytes, view: View) -> list[DescribedRow]:
    """The items that a single file is, or may say something of."""
    base = base_of(place)
    found = view.described_as(place) + (view.described_as(base) if base else [])
    return [row for row in found if row.path == place or place in names_beside(row.path)]


def _nothing(path: bytes) -> None:
    """As if nothing stood beside any file."""
    del path


def _change(row: DescribedRow, look: Look) -> _Change | None:
    """What is beside the item now; None when that is what its words were taken from."""
    files = []
    if row.modality != "text":
        files = [file for path in names_beside(row.path) if (file := look(path)) is not None]
    key = _key(row.path, files) if files else b""
    return None if key == (row.key or b"") else _Change(row.item, files, key)


def _key(path: bytes, files: Iterable[Found]) -> bytes:
    """Changes with the files, but not when they are moved together with what they stand beside."""
    digest = xxhash.xxh3_128(VERSION)
    folder = len(os.path.dirname(path))  # noqa: PTH120 (bytes)
    for file in files:
        marks = file.stat if file.firm else file.stat._replace(inode=0, ctime_ns=0)
        digest.update(repr((file.path[folder:], marks._replace(device=0))).encode())
    return digest.digest()


def _read(files: Iterable[Found]) -> Description:
    """What they say together. One that cannot be read says nothing until it changes."""
    words: list[str] = []
    tags: list[str] = []
    for file in files:
        try:
            found = read_sidecar(Path(os.fsdecode(file.path)))
        except Unreadable as error:
            logger.warning("no words from beside a file: %s", error)
            continue
        words.append(found.words)
        tags += found.tags
    return Description(" ".join(dict.fromkeys(filter(None, words))), tuple(dict.fromkeys(tags)))
