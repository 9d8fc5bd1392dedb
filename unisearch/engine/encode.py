"""A file in, its unit vector out."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.terms import Vector
from unisearch.errors import Unreadable
from unisearch.media.read import modality_of, read
from unisearch.media.signature import looks_like
from unisearch.records import Modality, Prepared, ReadOptions, Sample, TextSample
from unisearch.spaces.base import Space

#: Segments of a file that are in memory at a time while it is encoded.
BATCH = 32


def likely_modality(value: str | Path | bytes | Sample | Vector) -> Modality:
    """What a term is, as far as it shows without reading; text in doubt."""
    match value:
        case str():
            return "text"
        case Path():
            return modality_of(value) or "text"
        case bytes():
            return modality_of(Path("query" + suffix_of(value))) or "text"
        case _:
            return value.modality


#: Reads a file: (path, what readers should deliver, a space's modalities and its CPU part) to the
#: parts of the modality that it begins with. Raises Unreadable.
Decode = Callable[
    [Path, ReadOptions, tuple[Modality, ...], Callable[[Sample], Prepared]], Iterator[Prepared]
]


def decode(
    path: Path,
    options: ReadOptions,
    modalities: tuple[Modality, ...],
    prepare: Callable[[Sample], Prepared],
) -> Iterator[Prepared]:
    """The parts of a file, read in this process; see Decode."""
    _, samples = samples_of(path, options, modalities)
    yield from map(prepare, samples)


def samples_of(
    path: Path, options: ReadOptions, modalities: tuple[Modality, ...]
) -> tuple[Modality, Iterator[Sample]]:
    """(modality, samples) of a file, which is read while one walks through them.

    modalities: of the space. Of a video what is seen counts; what is heard only where nothing is.
    Raises Unreadable, also on the way.
    """
    samples = (part.sample for part in read(path, options).parts)
    first = next(samples)
    if first.modality not in modalities:
        raise Unreadable(path, "unsupported", f"the space has no {first.modality}")
    same = itertools.takewhile(lambda sample: sample.modality == first.modality, samples)
    return first.modality, itertools.chain([first], same)


def encode(
    space: Space,
    value: str | Path | bytes | Sample | Vector,
    options: ReadOptions,
    read_file: Decode = decode,
) -> tuple[Modality, NDArray[np.float32]]:
    """(modality, unit vector (dim,)) of what a term holds. Raises Unreadable."""
    match value:
        case Vector():
            return value.modality, value.of(space.dim)
        case str():
            return "text", space.encode([TextSample(value)])[0]
        case Path():
            return encode_file(space, value, options, read_file)
        case bytes():
            return encode_bytes(space, value, options, read_file)
        case _:
            return value.modality, space.encode([value])[0]


def encode_bytes(
    space: Space, content: bytes, options: ReadOptions, read_file: Decode = decode
) -> tuple[Modality, NDArray[np.float32]]:
    """(modality, unit vector (dim,)) of a file's content."""
    suffix = suffix_of(content)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "query").with_suffix(suffix)
        file.write_bytes(content)
        try:
            return encode_file(space, file, options, read_file)
        except Unreadable as error:
            raise Unreadable(f"{len(content)} bytes", error.kind, error.reason) from None


def encode_file(
    space: Space, path: Path, options: ReadOptions, read_file: Decode = decode
) -> tuple[Modality, NDArray[np.float32]]:
    """(modality, unit vector (dim,)) of a file.

    A file of several segments is asked for as a whole: the mean of their vectors.
    Raises Unreadable for a file that cannot be read.
    """
    parts = read_file(path, options, space.modalities, space.preparer)
    first = next(parts)
    return first.modality, mean_vector(space, itertools.chain([first], parts))


def mean_vector(space: Space, parts: Iterable[Prepared]) -> NDArray[np.float32]:
    """The unit vector (dim,) in the middle of the parts' vectors, encoded a few at a time."""
    total = np.zeros(space.dim, dtype=np.float64)
    rest = iter(parts)
    while batch := list(itertools.islice(rest, BATCH)):
        total += space.encode_prepared(batch).sum(axis=0)
    return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


def suffix_of(content: bytes) -> str:
    """The suffix of a file's format, by its first bytes. Raises Unreadable when unknown."""
    found = looks_like(content)
    if found is None or modality_of(Path("query" + found.suffix)) is None:
        raise Unreadable(f"{len(content)} bytes", "unsupported", "of no format that is read")
    return found.suffix
