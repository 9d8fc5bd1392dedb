"""Examines a library and its surroundings and says what is wrong; changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.view import View
from unisearch.errors import LibraryDamaged, LibraryError, UnisearchError, display
from unisearch.models.find import find_weights
from unisearch.spaces.table import SPACES
from unisearch.wiring import Rooms, row_files


@dataclass(frozen=True)
class Finding:
    """One thing looked at. level 'error': answers may be wrong or missing until it is mended."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str


Examination = Callable[[Rooms], Iterator[Finding]]


def doctor(rooms: Rooms) -> list[Finding]:
    """What was looked at and what was found, in the order of EXAMINATIONS; reads every row."""
    return [finding for examine in EXAMINATIONS for finding in examined(rooms, examine)]


def examined(rooms: Rooms, examine: Examination) -> Iterator[Finding]:
    """The findings of one examination; damage that ends it is a finding too."""
    try:
        yield from examine(rooms)
    except LibraryError as error:
        yield Finding("error", examine.__name__, str(error))


def catalogue(rooms: Rooms) -> Iterator[Finding]:
    """Pages, references and orphans of the catalogue."""
    with rooms.catalog.view() as view:
        problems = view.problems()
    for problem in problems:
        yield Finding("error", "catalogue", problem)
    if not problems:
        yield Finding("ok", "catalogue", "pages, references and contents agree")


def vectors(rooms: Rooms) -> Iterator[Finding]:
    """Checksums of every row, and whether rows and segments belong together."""
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
        for partition in partitions:
            yield from examine_partition(rooms, view, partition)
    if not partitions:
        yield Finding("ok", "vectors", "none yet")


def examine_partition(rooms: Rooms, view: View, partition: PartitionRow) -> Iterator[Finding]:
    """One partition: its blocks, then its keys beside the catalogue's segments."""
    subject = f"vectors {partition.space}/{partition.modality}"
    files = row_files(rooms.library, partition)
    blocks = view.blocks(partition.space, partition.modality)
    damaged = files.verify(partition.epoch, partition.count, blocks)
    for block in damaged:
        yield Finding("error", subject, f"block {block} (4096 rows each) fails its checksum")
    try:
        keys = np.array(files.open(partition.epoch, partition.count).keys)
    except LibraryDamaged as error:
        yield Finding("error", subject, str(error))
        return
    dead = view.partitions(partition.space)[partition.modality].dead
    live = np.delete(keys, dead)
    wanted = view.segments(modalities=[partition.modality])
    missing, foreign = np.setdiff1d(wanted, live), np.setdiff1d(live, wanted)
    if len(missing):
        yield Finding("error", subject, f"{len(missing)} segments have no vector")
    if len(foreign):
        yield Finding("error", subject, f"{len(foreign)} live rows belong to no segment")
    if len(np.unique(live)) < len(live):
        yield Finding("error", subject, "a segment has two live rows")
    if not (damaged or len(missing) or len(foreign)):
        yield Finding("ok", subject, f"{len(live)} live rows, {len(dead)} dead; checksums hold")


def weights(rooms: Rooms) -> Iterator[Finding]:
    """The weights of the configured space, and whether the library's vectors are of it."""
    name = rooms.settings.space
    try:
        folder = find_weights(name, [rooms.settings.models])
    except UnisearchError as error:
        yield Finding("error", f"space {name}", str(error))
    else:
        found = f"weights verified: {display(folder)}" if folder else "needs no weights"
        yield Finding("ok", f"space {name}", found)
    with rooms.catalog.view() as view:
        foreign = {space.name for space in view.spaces()} - {name}
    for other in sorted(foreign):
        known = "" if other in SPACES else ", which this unisearch does not know"
        yield Finding("warning", f"space {other}", f"the library also holds its vectors{known}")


def folders(rooms: Rooms) -> Iterator[Finding]:
    """The indexed folders that are out of reach."""
    with rooms.catalog.view() as view:
        for root in view.roots():
            if not os.path.isdir(root.path):  # noqa: PTH112 (paths are bytes)
                message = f"not there now; its {root.items} items stay in the library"
                yield Finding("warning", f"root {display(root.path)}", message)


def packages(rooms: Rooms) -> Iterator[Finding]:
    """Packages that are known to break each other."""
    del rooms
    installed = {
        name for name in ("faiss-cpu", "faiss-gpu", "open_clip_torch", "laion-clap") if has(name)
    }
    if {"faiss-cpu", "faiss-gpu"} <= installed:
        message = "both write the same folder: uninstall both, then install one of them"
        yield Finding("error", "faiss-cpu and faiss-gpu", message)
    for name in sorted(installed & {"open_clip_torch", "laion-clap"}):
        message = "brings torchvision, which breaks transformers where it does not match torch"
        yield Finding("warning", name, message)


def has(distribution: str) -> bool:
    """Whether a package is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


EXAMINATIONS: tuple[Examination, ...] = (
    catalogue,
    vectors,
    weights,
    folders,
    packages,
)
