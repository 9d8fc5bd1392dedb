"""Colours of surfaces: sRGB and linear light, textures, vertex colours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

#: Where one part of a model declares a colour and another does not, the other is neutral grey.
UNDECLARED = 0.5

#: Textures are read at about this many pixels per side: one colour per triangle needs no more.
TEXTURE_SIDE = 1024


def to_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light in [0, 1] as sRGB in [0, 1] (IEC 61966-2-1)."""
    clipped = np.clip(linear, 0.0, 1.0)
    curved = 1.055 * clipped ** (1 / 2.4) - 0.055
    return np.where(clipped <= 0.0031308, 12.92 * clipped, curved).astype(np.float32)


def to_linear(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB in [0, 1] as linear light in [0, 1] (IEC 61966-2-1)."""
    clipped = np.clip(srgb, 0.0, 1.0)
    curved = ((clipped + 0.055) / 1.055) ** 2.4
    return np.where(clipped <= 0.04045, clipped / 12.92, curved).astype(np.float32)


def unit_rgb(values: ArrayLike) -> NDArray[np.float32]:
    """The first three columns in [0, 1]; integers are scaled by the range of their type."""
    array = np.asarray(values)
    rgb = np.atleast_2d(array)[..., :3].astype(np.float32)
    if array.dtype.kind in "ui":
        rgb /= np.float32(np.iinfo(array.dtype).max)
    return np.clip(np.nan_to_num(rgb), 0.0, 1.0)


def texture_pixels(image: Image, max_pixels: int) -> NDArray[np.float32] | None:
    """The texture as sRGB float32 (h, w, 3) in [0, 1]; None when it is damaged or too large.

    A model whose texture cannot be read is still a model: its material's colour is used.
    """
    width, height = image.size
    if width * height > max_pixels:
        logger.warning("texture of %d x %d pixels left out: too large", width, height)
        return None
    try:
        image.draft("RGB", (TEXTURE_SIDE, TEXTURE_SIDE))  # JPEG only: decodes at a smaller scale
        return np.asarray(image.convert("RGB"), dtype=np.float32) / 255.0
    except (OSError, ValueError, SyntaxError) as error:
        logger.warning("texture left out: %s", error)
        return None


def sampled(pixels: NDArray[np.float32], uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """The pixel under each coordinate, (n, 3); u to the right, v upward, both repeating."""
    height, width = pixels.shape[:2]
    wrapped = np.nan_to_num(uv) % 1.0
    column = np.minimum((wrapped[:, 0] * width).astype(np.int64), width - 1)
    row = np.minimum(((1.0 - wrapped[:, 1]) * height).astype(np.int64), height - 1)
    found: NDArray[np.float32] = pixels[row, column]
    return found
