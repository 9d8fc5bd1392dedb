"""A term of a question in, its unit vector out."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.terms import Sentence
from unisearch.errors import Unreadable, UsageError
from unisearch.media.read import read
from unisearch.records import Modality, ReadOptions, Sample, TextSample
from unisearch.spaces.base import Space

#: Segments of a file that are in memory at a time while it is encoded.
BATCH = 32

#: First bytes of formats, and the suffix under which the readers know them.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"\xff\xfb", ".mp3"),
    (b"glTF", ".glb"),
    (b"ply", ".ply"),
    (b"solid", ".stl"),
    (b"Kaydara FBX", ".fbx"),
    (b"%PDF", ".pdf"),
)


def encode_value(
    space: Space, value: Sentence | Path | Sample | bytes, options: ReadOptions
) -> tuple[Modality, NDArray[np.float32]]:
    """(modality, unit vector (dim,)) of a sentence, a file, a sample or a file's bytes.

    A file of several segments is asked for as a whole: the mean of their vectors.
    Raises Unreadable for a file that cannot be read.
    """
    match value:
        case Sentence(text):
            return "text", space.encode([TextSample(text)])[0]
        case Path():
            return encode_file(space, value, options)
        case bytes():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "query").with_suffix(suffix_of(value))
                file.write_bytes(value)
                return encode_file(space, file, options)
        case _:
            return value.modality, space.encode([value])[0]


def encode_file(
    space: Space, path: Path, options: ReadOptions
) -> tuple[Modality, NDArray[np.float32]]:
    """(modality, unit vector (dim,)) of a file."""
    reading = read(path, options)
    if reading.modality not in space.modalities:
        reason = f"the space '{space.name}' has no {reading.modality}"
        raise Unreadable(path, "unsupported", reason)
    samples = (part.sample for part in reading.parts)
    return reading.modality, mean_vector(space, samples)


def mean_vector(space: Space, samples: Iterable[Sample]) -> NDArray[np.float32]:
    """The unit vector (dim,) in the middle of the samples' vectors, read a few at a time."""
    total = np.zeros(space.dim, dtype=np.float64)
    rest = iter(samples)
    while batch := list(itertools.islice(rest, BATCH)):
        total += space.encode(batch).sum(axis=0)
    return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


def suffix_of(content: bytes) -> str:
    """The suffix of a file's format, by its first bytes. Raises UsageError when unknown."""
    if content[:4] == b"RIFF":
        return ".webp" if content[8:12] == b"WEBP" else ".wav"
    for signature, suffix in SIGNATURES:
        if content.startswith(signature):
            return suffix
    raise UsageError("these bytes are of no known format; give a file or a sample instead")
