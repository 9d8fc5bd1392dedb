from __future__ import annotations

import numpy as np

from tests.previews.conftest import pixels
from unisearch.previews.make import PreviewOptions, make
from unisearch.records import ImageSample


def quarters(height: int, width: int) -> ImageSample:
    """Red, green, blue and white, from the upper left on."""
    picture = np.zeros((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    picture[:y, :x, 0] = picture[:y, x:, 1] = picture[y:, :x, 2] = 255
    picture[y:, x:] = 255
    return ImageSample(picture)


def test_a_large_picture_is_shrunk_as_a_whole() -> None:
    [preview] = make("image", quarters(1500, 2000), PreviewOptions(side=512))

    shown = pixels(preview)
    assert shown.shape == (384, 512, 3)
    near = {(20, 20): (255, 0, 0), (20, 490): (0, 255, 0), (360, 20): (0, 0, 255)}
    for (y, x), color in near.items():
        assert np.abs(shown[y, x] - color).max() < 30


def test_a_small_picture_keeps_its_size() -> None:
    assert pixels(make("image", quarters(30, 40))[0]).shape == (30, 40, 3)


def test_a_line_of_pixels_stays_visible() -> None:
    assert pixels(make("image", quarters(2, 60_000), PreviewOptions(side=300))[0]).shape[1] == 300
