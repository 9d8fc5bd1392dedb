"""A picture, smaller."""

from __future__ import annotations

import numpy as np
from PIL import Image

from unisearch.previews import webp
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.records import ImageSample


def make_thumbnail(sample: ImageSample, options: PreviewOptions) -> list[Preview]:
    """The whole picture with its longest side at most `options.side`; none is enlarged."""
    picture = Image.fromarray(sample.pixels)
    scale = options.side / max(picture.size)
    if scale < 1.0:
        width, height = (max(1, round(length * scale)) for length in picture.size)
        # Averages whole blocks first, down to twice the size: as good, and five times as fast.
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return [Preview("still", webp.still(np.asarray(picture)))]
