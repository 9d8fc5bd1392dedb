"""A model on a turntable: a picture, and a film of one turn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unisearch.clouds import Cloud, cloud, draw_cloud
from unisearch.previews import webp
from unisearch.previews.draw import draw_solid
from unisearch.previews.gl import canvas
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.previews.mesh import Solid, solid
from unisearch.raster import camera
from unisearch.records import PointSample, TriangleMesh
from unisearch.stage import View, frame_of, photograph

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Shape = TypeVar("Shape", Solid, Cloud)

logger = logging.getLogger(__name__)

AZIMUTH_DEG, ELEVATION_DEG = 35.0, 20.0
TURN_S = 3.0
#: Drawn larger and averaged, so that edges are soft.
STILL_SCALE, TURN_SCALE = 1.5, 1.25
STILL_FACES, TURN_FACES = 150_000, 16_000
STILL_POINTS, TURN_POINTS = 60_000, 16_000


def make_turntable(shape: TriangleMesh | PointSample, options: PreviewOptions) -> list[Preview]:
    """A still from the front, the right and above, and a film that begins there.

    Large models are drawn with fewer triangles or points, so that the time is bounded.
    """
    if isinstance(shape, PointSample):
        many, few = cloud(shape, STILL_POINTS), cloud(shape, TURN_POINTS)
        return _turned(many, few, draw_cloud, options)
    large = solid(shape, STILL_FACES)
    small = large if len(large.faces) <= TURN_FACES else solid(shape, TURN_FACES, large.closed)
    card = canvas() if options.renderer == "auto" else None
    if card is not None:
        try:
            return _turned(large, small, card.draw, options)
        except Exception as error:  # whatever a driver says
            logger.debug("OpenGL failed: %s: %s", type(error).__name__, error)
        finally:
            card.forget()
    return _turned(large, small, draw_solid, options)


def _turned(
    large: Shape, small: Shape, draw: Callable[[Shape, View], Pixels], options: PreviewOptions
) -> list[Preview]:
    cameras = [
        camera(AZIMUTH_DEG - 360.0 * nth / options.turn_frames, ELEVATION_DEG)
        for nth in range(options.turn_frames)
    ]
    frame = frame_of(small.vertices, cameras)
    shown = [
        photograph(partial(draw, small), one, frame, options.turn_side, TURN_SCALE)
        for one in cameras
    ]
    first = photograph(partial(draw, large), cameras[0], frame, options.side, STILL_SCALE)
    frame_ms = round(1000.0 * TURN_S / options.turn_frames)
    return [Preview("still", webp.still(first)), Preview("turn", webp.film(shown, frame_ms))]
