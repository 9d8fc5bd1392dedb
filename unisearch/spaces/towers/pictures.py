"""Pictures on their way to published networks: numpy and Pillow only, for the decoding workers.

Sources: transformers 5.23, CLIPImageProcessorPil and SiglipImageProcessorPil, which these equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.records import ImageSample, Sample

#: A picture longer than so many times its short side is cut to that before it is resized: a strip
#: of 1 x 60,000 px would take gigabytes, and all but its middle is cut away later.
LONGEST = 64


@dataclass(frozen=True)
class Crop:
    """uint8 (side, side, 3): the short side resized to `side`, the middle of the long one.

    resample: Pillow's number of the filter; 3: bicubic, 2: bilinear
    """

    side: int
    resample: int = 3

    def __call__(self, sample: Sample) -> NDArray[np.uint8]:
        assert isinstance(sample, ImageSample)
        short = min(sample.pixels.shape[:2])
        pixels = _middle(sample.pixels, LONGEST * short)
        height, width = pixels.shape[:2]
        size = (int(self.side * width / short), int(self.side * height / short))
        return _middle(_resized(pixels, size, self.resample), self.side)


@dataclass(frozen=True)
class Squeeze:
    """uint8 (side, side, 3): the whole picture, its proportions given up."""

    side: int
    resample: int = 2

    def __call__(self, sample: Sample) -> NDArray[np.uint8]:
        assert isinstance(sample, ImageSample)
        return _resized(sample.pixels, (self.side, self.side), self.resample)


def _middle(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """What is in the middle of a picture, at most so many px high and wide."""
    height, width = pixels.shape[:2]
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return np.ascontiguousarray(pixels[top : top + most, left : left + most])


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int], resample: int) -> NDArray[np.uint8]:
    """The picture in that (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling(resample)))
