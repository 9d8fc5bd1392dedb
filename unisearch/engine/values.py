"""Python values as terms: text, paths, ids, bytes, PIL images, arrays, samples."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.engine.terms import Term, Vector, existing, not_empty
from unisearch.errors import UsageError
from unisearch.media.image import image_sample
from unisearch.records import AudioSample, ImageSample, PointSample, ReadOptions, Sample


def term_of(value: Any, image_min_side: int = ReadOptions.image_min_side) -> Term:
    """The term that a Python value stands for.

    str: a sentence; Path: a file; int: an item id; bytes: the content of a file; a PIL image;
    a sample of records.py; a terms.Vector; (array, modality) for pixels uint8 (h, w, 3) or points
    (n, 3), with colours (n, 6); (array, 'audio', rate_hz) for mono sound. A Term of any of these
    carries a weight. image_min_side: as in ReadOptions, for PIL images
    Raises UsageError for anything else.
    """
    match value:
        case Term():
            return replace(term_of(value.value, image_min_side), weight=value.weight)
        case str():
            return Term(not_empty(value, value))
        case bool():
            raise UsageError(f"{value!r} is no term")
        case int():
            return Term(value)
        case Vector():
            return Term(value)
        case Path():
            return Term(existing(os.fspath(value)))
        case bytes() | bytearray():
            return Term(bytes(value))
    return Term(sample_of(value, image_min_side))


def sample_of(value: Any, image_min_side: int) -> Sample:
    """The sample that a PIL image, an array with its modality or a sample stands for."""
    if isinstance(value, Sample):
        return value
    if isinstance(value, Image.Image):
        try:
            return image_sample(value, image_min_side)
        except (OSError, ValueError) as error:
            raise UsageError(f"the picture cannot be read: {error}") from None
    match value:
        case (np.ndarray() as array, "image"):
            return pixels(array)
        case (np.ndarray() as array, "3d"):
            return cloud(array)
        case (np.ndarray() as array, "audio", int(rate)) if rate > 0:
            return sound(array, rate)
    raise UsageError(
        f"{type(value).__name__} is no term: str, Path, item id, bytes, PIL image, sample, "
        "(array, 'image' | '3d') or (array, 'audio', rate_hz)"
    )


def pixels(array: NDArray[Any]) -> ImageSample:
    """Pixels uint8 (h, w, 3) as a sample."""
    if array.dtype != "uint8" or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise UsageError(f"an image is uint8 (h, w, 3), not {array.dtype} {array.shape}")
    return ImageSample(array)


def cloud(array: NDArray[Any]) -> PointSample:
    """Points (n, 3), or with colours in [0, 1] (n, 6), as a sample."""
    if array.ndim != 2 or array.shape[1] not in (3, 6) or not len(array):
        raise UsageError(f"a point cloud is (n, 3), with colours (n, 6), not {array.shape}")
    rows = finite(array)
    return PointSample(rows[:, :3], colors=rows[:, 3:] if rows.shape[1] == 6 else None)


def sound(array: NDArray[Any], rate_hz: int) -> AudioSample:
    """Mono sound (n,) as a sample."""
    if array.ndim != 1 or not len(array):
        raise UsageError(f"a sound is mono, (n,), not {array.shape}")
    return AudioSample(finite(array), rate_hz)


def finite(array: NDArray[Any]) -> NDArray[np.float32]:
    """The array as float32. Raises UsageError when it holds NaN, infinity or no numbers."""
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise UsageError("an array as a term holds finite numbers only")
    return array.astype(np.float32)
