"""Shapes as pictures from all around: numpy and Pillow only, for the decoding workers.

Source of the idea: H. Su et al., Multi-view convolutional neural networks for 3D shape
recognition, 2015. Averaged vectors of CLIP as R. Zhang et al., PointCLIP, 2022, have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from unisearch.clouds import draw_cloud, surface
from unisearch.raster import camera
from unisearch.records import ImageSample, PointSample, Sample
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.stage import frame_of, photograph

#: Part of a space's id: raise it whenever pictures change.
VERSION = 1
VIEWS = 8
ELEVATION_DEG = 20.0  # a little from above, as most photographs are
MOST_POINTS = 10_000


@dataclass(frozen=True)
class Views:
    """(VIEWS, ...): a shape from all around, each picture prepared as the network wants pictures.

    prepare: of one picture; side: what is drawn, px
    """

    prepare: Prepare
    side: int

    def __call__(self, sample: Sample) -> Array:
        assert isinstance(sample, PointSample)
        shape = surface(sample, MOST_POINTS)
        cameras = [camera(nth * 360.0 / VIEWS, ELEVATION_DEG) for nth in range(VIEWS)]
        frame = frame_of(shape.vertices, cameras)
        draw = partial(draw_cloud, shape)
        pictures = [photograph(draw, one, frame, self.side) for one in cameras]
        return np.stack([self.prepare(ImageSample(pixels)) for pixels in pictures])
