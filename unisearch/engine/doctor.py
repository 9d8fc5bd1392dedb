"""Examines a library and its surroundings and says what is wrong; changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterator, Mapping

from unisearch.catalog.rows import Lack, SpaceRow
from unisearch.engine.finding import (
    FREE,
    INDEX_AGAIN,
    REPAIR,
    RESTORE,
    Finding,
)
from unisearch.engine.vectors import snapshots, vectors
from unisearch.errors import ForeignSpace, LibraryError, UnisearchError, display
from unisearch.health.strays import copies, left_behind, unknown
from unisearch.held import opened
from unisearch.models.find import find_weights, verify
from unisearch.spaces.table import models_of
from unisearch.wiring import Rooms

Examination = Callable[[Rooms], Iterator[Finding]]

_SHOWN = 5
#: Why contents have no vector in a space, in words.
LACKS: Mapping[Lack, str] = {
    "away": "whose file was out of reach",
    "part": "of which some were lost while the file was out of reach",
    "failed": "that cannot be embedded",
    "todo": "that are still to be embedded",
}


def doctor(rooms: Rooms) -> list[Finding]:
    """What was looked at and what was found, in the order of EXAMINATIONS; reads every row."""
    return [finding for examine in EXAMINATIONS for finding in examined(rooms, examine)]


def examined(rooms: Rooms, examine: Examination) -> Iterator[Finding]:
    """The findings of one examination; damage that ends it is a finding too."""
    try:
        yield from examine(rooms)
    except LibraryError as error:
        yield Finding("error", examine.__name__, str(error), RESTORE)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Records of another kind than ever stored: a damaged catalogue that SQLite still reads.
        reason = " ".join(str(error).split())
        message = f"records that cannot be: {type(error).__name__}: {reason}"
        yield Finding("error", examine.__name__, message, RESTORE)


def catalogue(rooms: Rooms) -> Iterator[Finding]:
    """Pages, references, orphans, numbers, words and samples of the catalogue."""
    with rooms.catalog.view() as view:
        problems = view.problems()
        waiting = view.waiting()
    for problem in problems:
        advice = RESTORE if problem.kind == "pages" else REPAIR
        yield Finding("error", "catalogue", problem.message, advice)
    if waiting:
        shown = ", ".join(display(path) for path in waiting[:_SHOWN])
        more = f" and {len(waiting) - _SHOWN:,} more" if len(waiting) > _SHOWN else ""
        message = f"{len(waiting):,} files wait to be read again: {shown}{more}"
        yield Finding("warning", "catalogue", message, INDEX_AGAIN)
    if not problems:
        message = "pages, references, numbers, words and samples agree"
        yield Finding("ok", "catalogue", message)


def files(rooms: Rooms) -> Iterator[Finding]:
    """What lies in the library's folder beside what belongs there."""
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
    for path in left_behind(rooms, partitions):
        yield Finding("warning", "left behind", display(path), REPAIR)
    for path in unknown(rooms.library):
        yield Finding("warning", "unknown", f"{display(path)} is not of unisearch", FREE)
    for path in copies(rooms.library):
        message = f"{display(path)}: the catalogue before it was brought to a newer format"
        yield Finding("ok", "copy", message, FREE)


def weights(rooms: Rooms) -> Iterator[Finding]:
    """The weights of the library's spaces and of the configured one, and how complete they are."""
    with rooms.catalog.view() as view:
        rows = view.spaces()
        extents = {row.id: view.extent(row) for row in rows}
        gaps = {row.id: view.count_gaps(row.id) for row in rows}
    names = [row.name for row in rows if row.state != "left"] or [rooms.settings.space]
    for name in dict.fromkeys([*names, rooms.settings.space]):
        yield from _weights_of(rooms, name)
    for row in rows:
        yield from _of_space(rooms, row, extents[row.id], gaps[row.id])
    if rooms.settings.space not in names:
        listed = ", ".join(dict.fromkeys(names))
        message = f"configured, but the library is of '{listed}'"
        advice = f"set 'space: {names[0]}', or 'unisearch spaces switch {rooms.settings.space}'"
        yield Finding("warning", f"space {rooms.settings.space}", message, advice)


def _weights_of(rooms: Rooms, name: str) -> Iterator[Finding]:
    try:
        found = [find_weights(model, [rooms.settings.models]) for model in models_of(name)]
        for folder in found:
            verify(folder)  # all bytes, whatever was verified before
    except UnisearchError as error:
        yield Finding("error", f"space {name}", str(error), "bring the weights back")
    else:
        places = ", ".join(display(folder) for folder in found)
        message = f"weights verified: {places}" if found else "needs no weights"
        yield Finding("ok", f"space {name}", message)


def _of_space(
    rooms: Rooms, row: SpaceRow, extent: tuple[int, int], gaps: Mapping[Lack, int]
) -> Iterator[Finding]:
    subject, (done, total) = f"space {row.id}", extent
    if row.state == "left":
        message = "kept, but neither searched nor added to"
        yield Finding("ok", subject, message, f"'unisearch spaces drop {row.id}' frees its room")
        return
    try:
        opened(rooms, row)
    except ForeignSpace as error:
        advice = f"'unisearch spaces switch {rooms.settings.space}' embeds the files again"
        yield Finding("error", subject, str(error), advice)
    except UnisearchError:  # told of its weights
        pass
    if row.state == "building":
        message = f"{done:,} of {total:,} vectors are built; it is not searched before it is whole"
        yield Finding("ok", subject, message, "'unisearch index' or 'watch' goes on with it")
    if gaps:
        listed = ", ".join(f"{count:,} {LACKS[why]}" for why, count in sorted(gaps.items()))
        message = f"contents without all of their vectors there: {listed}"
        yield Finding("warning", subject, message, INDEX_AGAIN)


def folders(rooms: Rooms) -> Iterator[Finding]:
    """The indexed folders that are out of reach."""
    with rooms.catalog.view() as view:
        for root in view.roots():
            if not os.path.isdir(root.path):  # noqa: PTH112 (paths are bytes)
                message = f"not there now; its {root.items} items stay in the library"
                advice = "mount it, or 'unisearch relocate', or 'unisearch roots remove'"
                yield Finding("warning", f"root {display(root.path)}", message, advice)


def packages(rooms: Rooms) -> Iterator[Finding]:
    """Packages that are known to break each other."""
    del rooms
    installed = {
        name for name in ("faiss-cpu", "faiss-gpu", "open_clip_torch", "laion-clap") if has(name)
    }
    if {"faiss-cpu", "faiss-gpu"} <= installed:
        message = "both write the same folder"
        advice = "uninstall both, then install one of them"
        yield Finding("error", "faiss-cpu and faiss-gpu", message, advice)
    for name in sorted(installed & {"open_clip_torch", "laion-clap"}):
        message = "brings torchvision, which breaks transformers where it does not match torch"
        yield Finding("warning", name, message, "uninstall it when a space fails to load")


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
    snapshots,
    files,
    weights,
    folders,
    packages,
)
