"""Where things are drawn: a camera that looks at their middle, the ground behind them, the frame.

For all rooms that draw; what is drawn is moved into a sphere of radius 1 around (0, 0, 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.raster import Z_UP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pixels = NDArray[np.uint8]

DISTANCE = 3.4  # from the camera to the middle, in radii of what is drawn
CENTRE_LIGHT, EDGE_LIGHT = 0.60, 0.40  # of the ground: neither white nor black things vanish
MARGIN = 0.06  # share of the side


@dataclass(frozen=True, eq=False)
class View:
    """From where one picture is taken.

    camera: world to camera (3, 3); scale: px per unit at distance 1; size: px of a side
    middle: what height at distance 1 is in the middle of the picture
    """

    camera: Floats
    scale: float
    size: int
    middle: float = 0.0


def project(points: Floats, view: View) -> tuple[Floats, Floats]:
    """Points on the screen in px (n, 2), y downward, and their nearness 1 / distance (n,)."""
    turned = points @ view.camera.T
    nearness = 1.0 / (DISTANCE - turned[:, 2])
    plane = turned[:, :2] * nearness[:, None] - [0.0, view.middle]
    return plane * [view.scale, -view.scale] + view.size / 2, nearness


@lru_cache(maxsize=4)
def ground(size: int) -> Floats:
    """A grey (size, size, 3) in [0, 1], a little brighter in the middle."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    share = np.clip(np.hypot(x, y + 0.15) / 1.3, 0.0, 1.0)[..., None] ** 1.5
    grey = CENTRE_LIGHT + (EDGE_LIGHT - CENTRE_LIGHT) * share
    return np.asarray(grey * [0.985, 0.995, 1.02])


def centred(points: NDArray[np.float32], up: str | None) -> NDArray[np.float32]:
    """Moved and scaled into a sphere of radius 1 around the middle of their box, y upward."""
    middle = (points.min(axis=0).astype(np.float64) + points.max(axis=0)) / 2
    moved = points - middle.astype(np.float32)
    longest = np.float32(np.abs(moved).max())
    if longest > 0:
        moved /= longest  # first, for the squares of very large and small numbers are not finite
        moved /= np.sqrt(np.square(moved).sum(axis=1).max())
    return np.asarray(moved @ Z_UP.T.astype(np.float32) if up == "z" else moved)


def evenly(numbers: Ints, most: int) -> Ints:
    """At most so many of them, from all over."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.arange(most) * len(numbers) // most]


def frame_of(vertices: Floats, cameras: Sequence[Floats]) -> tuple[float, float]:
    """(half a side, height of its middle) at distance 1 of a square that holds every picture."""
    wide, low, high = 0.0, np.inf, -np.inf
    for one in cameras:
        turned = vertices @ one.T
        plane = turned[:, :2] / (DISTANCE - turned[:, 2:])
        wide = max(wide, float(np.abs(plane[:, 0]).max()))
        low, high = min(low, float(plane[:, 1].min())), max(high, float(plane[:, 1].max()))
    # Of a single place nearly nothing is to be seen; what is longer is never narrower than that.
    return max(wide, (high - low) / 2, 0.1), (low + high) / 2


def photograph(
    draw: Callable[[View], Pixels],
    towards: Floats,
    frame: tuple[float, float],
    side: int,
    supersample: float = 1.5,
) -> Pixels:
    """uint8 (side, side, 3): drawn larger and averaged, so that edges are soft.

    frame: as `frame_of` gives it
    """
    size = round(side * supersample)
    view = View(towards, size * (0.5 - MARGIN) / frame[0], size, frame[1])
    picture = Image.fromarray(draw(view))
    return np.asarray(picture.resize((side, side), Image.Resampling.HAMMING))


def to_bytes(picture: Floats, size: int) -> NDArray[np.uint8]:
    """A picture (size * size, 3) in [0, 1] as uint8 (size, size, 3)."""
    return np.asarray(picture * 255.0 + 0.5, np.uint8).reshape(size, size, 3)
