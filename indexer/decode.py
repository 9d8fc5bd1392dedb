"""A file into what the network of a space reads. Runs in a worker: loads no network."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from indexer.scan import Found, stat_of
from unisearch.errors import MissingExtra, UnisearchError, Unreadable, VectorError
from unisearch.media.read import read
from unisearch.records import Modality, Prepared, ReadOptions, Sample

if TYPE_CHECKING:
    from unisearch.previews.make import Preview, PreviewOptions

#: Texts that only Python code reads: no library in C sees their bytes.
PLAIN = frozenset(
    (
        *(".txt", ".text", ".md", ".markdown", ".rst", ".srt", ".vtt"),
        *(".csv", ".tsv", ".json", ".jsonl", ".ndjson"),
    )
)
#: A larger one may take its time, or the memory.
PLAIN_BYTES = 64 * 1024
#: Their previews take longer than all else of them, and are drawn when nothing else is to do.
LATE: tuple[Modality, ...] = ("3d",)


class Preparer(NamedTuple):
    """The CPU part of one space. covers: the modalities of what it embeds"""

    space: str
    covers: frozenset[Modality]
    prepare: Callable[[Sample], Prepared]


@dataclass(frozen=True)
class Recipe:
    """How files are read, once for all spaces that they are embedded into.

    options: enough for each of them; previews: how they are drawn, None where none are wanted
    """

    options: ReadOptions
    preparers: tuple[Preparer, ...]
    previews: PreviewOptions | None = None


class Piece(NamedTuple):
    """A part of a file, ready for the network of each space that covers it."""

    start_s: float | None
    end_s: float | None
    text: str
    modality: Modality
    prepared: Mapping[str, Prepared]


@dataclass(frozen=True)
class Whole:
    """What is known of a file after its last piece; see Reading."""

    modality: Modality
    facts: Mapping[str, float]
    words: str
    labels: Mapping[str, tuple[str, ...]]
    truncated_at_s: float | None


class Drawn(NamedTuple):
    """The previews of a file. failed: making them failed, which is no failure of the file."""

    previews: list[Preview]
    failed: bool


#: What `decode` gives: pieces, then what is known of the whole; None has both on their way at once.
Given = Piece | Whole | None


def decode(file: Found, recipe: Recipe) -> Generator[Given, None, Drawn]:
    """The pieces of the file, what is known of the whole, and in the end its previews.

    Whatever happens once the whole was given concerns the previews alone.
    Raises Unreadable, also when the file changed while it was read; other errors of ours, which
    concern all files, as they are.
    """
    try:
        return (yield from _pieces(file, recipe))
    except Exception as error:
        raise unreadable(file.path, error) from error


def is_plain(file: Found) -> bool:
    """Whether reading the file here, in the writer's own process, cannot end or hold up that."""
    suffix = Path(os.fsdecode(file.path)).suffix.lower()
    return suffix in PLAIN and file.stat.size_bytes <= PLAIN_BYTES


def _pieces(file: Found, recipe: Recipe) -> Generator[Given, None, Drawn]:
    reading = read(Path(os.fsdecode(file.path)), recipe.options)
    sketch = None
    if recipe.previews is not None and reading.modality not in LATE:
        from unisearch.previews.sketch import Sketch

        sketch = Sketch(file.path, reading, recipe.previews)
    count = 0
    for part in reading.parts:
        if sketch:
            sketch.look(part)
        modality = part.sample.modality
        prepared = {
            one.space: one.prepare(part.sample)
            for one in recipe.preparers
            if modality in one.covers
        }
        yield Piece(part.start_s, part.end_s, part.text, modality, prepared)
        count += 1
    if not _unchanged(file):
        raise Unreadable(file.path, "vanished", "it changed while it was read; run again")
    if not count:
        raise Unreadable(file.path, "corrupt", "there is nothing in it to index")
    # A long sound knows its length only when it was walked through.
    yield Whole(
        reading.modality,
        {name: float(value) for name, value in reading.facts.items()},
        reading.words,
        dict(reading.labels),
        reading.truncated_at_s,
    )
    if sketch is None:
        return Drawn([], False)
    yield None
    return Drawn(sketch.make(), sketch.failed)


def _unchanged(file: Found) -> bool:
    try:
        return stat_of(os.lstat(file.path)).same_file(file.stat)
    except OSError as error:
        raise unreadable(file.path, error) from error


def unreadable(path: bytes, error: Exception) -> Unreadable:
    """Whatever went wrong with one file, as its failure; raises what concerns all files."""
    if isinstance(error, Unreadable):
        return error
    if isinstance(error, MissingExtra):
        return Unreadable(path, "unsupported", str(error))
    if isinstance(error, VectorError):
        return Unreadable(path, "corrupt", str(error))
    if isinstance(error, UnisearchError):
        raise error
    if isinstance(error, FileNotFoundError):
        return Unreadable(path, "vanished", "the file is no longer there")
    if isinstance(error, PermissionError):
        return Unreadable(path, "permission", "no permission to read the file")
    if isinstance(error, OSError) and error.errno:
        reason = f"the system cannot read it: {error.strerror}; the next run tries again"
        return Unreadable(path, "crash", reason, transient=True)
    if isinstance(error, MemoryError):
        return Unreadable(path, "memory", "too little memory to embed it")
    return Unreadable(path, "crash", f"{type(error).__name__}: {error}"[:300])
