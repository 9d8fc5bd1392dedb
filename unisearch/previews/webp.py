"""Pictures as WebP."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: 0 to 100; from about 75 on, artefacts are no longer seen at the size of a preview.
QUALITY = 78
#: 0 (fast) to 6 (small): 4 takes three times as long as 2 and saves a tenth of the bytes.
EFFORT = 2


def still(pixels: NDArray[np.uint8]) -> bytes:
    """The picture, uint8 (h, w, 3), as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=EFFORT)
    return file.getvalue()


def film(frames: Sequence[NDArray[np.uint8]], frame_ms: int) -> bytes:
    """The pictures, each uint8 (h, w, 3), one after another for ever."""
    first, *others = [Image.fromarray(frame) for frame in frames]
    file = io.BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=frame_ms,
        loop=0,
        quality=QUALITY - 8,
        method=EFFORT,
    )
    return file.getvalue()
