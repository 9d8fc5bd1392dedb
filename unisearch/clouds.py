"""Clouds of points made ready for drawing, and drawn as small balls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unisearch.raster import Z_UP
from unisearch.records import PointSample
from unisearch.stage import DISTANCE, View, centred, evenly, ground, project, to_bytes

Floats = NDArray[np.float64]

NO_COLOR = (0.72, 0.74, 0.78)
LIGHT = np.array([-0.42, 0.70, 0.58]) / np.linalg.norm([-0.42, 0.70, 0.58])  # in the camera's axes
AMBIENT, DIRECT = 0.42, 0.66
GAPLESS = 1.8


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points in a sphere of radius 1, y upward, with sRGB colours and the radius of a ball.

    normals: unit rows, to light the points by; None: each is a ball with light from the front
    """

    vertices: Floats  # (n, 3)
    colors: Floats  # (n, 3)
    radius: float
    normals: Floats | None = None  # (n, 3)


def cloud(sample: PointSample, most: int) -> Cloud:
    """The cloud with at most so many points; without colours of its own, coloured by height."""
    sample = thinned(sample, most)
    points = centred(sample.points, sample.up).astype(np.float64)
    colors = by_height(points) if sample.colors is None else sample.colors.astype(np.float64)
    # So that balls of a surface about as large as the sphere's touch each other.
    radius = float(np.clip(1.7 / np.sqrt(len(points)), 0.006, 0.05))
    return Cloud(points, colors, radius)


def thinned(cloud: PointSample, most: int) -> PointSample:
    """At most so many of the points, evenly from all of the file."""
    if len(cloud.points) <= most:
        return cloud
    rows = evenly(np.arange(len(cloud.points)), most)
    normals = None if cloud.normals is None else cloud.normals[rows]
    colors = None if cloud.colors is None else cloud.colors[rows]
    return PointSample(cloud.points[rows], normals, colors, cloud.up)


def by_height(points: Floats) -> Floats:
    """Blue at the foot over teal to sand on top, of one lightness."""
    stops = np.array([(0.42, 0.56, 0.80), (0.44, 0.72, 0.68), (0.86, 0.78, 0.56)])
    low, high = points[:, 1].min(), points[:, 1].max()
    at = 2.0 * (points[:, 1] - low) / max(float(high - low), 1e-12)
    return np.stack([np.interp(at, [0, 1, 2], channel) for channel in stops.T], axis=1)


def draw_cloud(what: Cloud, view: View) -> NDArray[np.uint8]:
    """uint8 (size, size, 3): the nearest ball of each pixel, darker at its edge and at steps."""
    screen, nearness = project(what.vertices, view)
    reach = max(1.0, what.radius * view.scale / DISTANCE)  # px
    whole = int(np.ceil(reach))
    dy, dx = np.mgrid[-whole : whole + 1, -whole : whole + 1].reshape(2, -1)
    inside = dx**2 + dy**2 <= reach**2 + 0.5
    dx, dy = dx[inside], dy[inside]
    bulge = np.sqrt(np.maximum(0.0, 1.0 - (dx**2 + dy**2) / (reach + 0.7) ** 2))
    number, depth = _nearest_balls(screen, nearness, dx, dy, bulge * what.radius, view.size)
    seen = np.flatnonzero(number >= 0)
    point, step = number[seen] % len(what.vertices), number[seen] // len(what.vertices)
    if what.normals is None:
        strength = 0.72 + 0.33 * bulge[step]
    else:
        strength = _light(what.normals[point], view)
    strength *= _steps(depth, view.size)[seen]
    picture = ground(view.size).copy().reshape(-1, 3)
    picture[seen] = np.clip(what.colors[point] * strength[:, None], 0.0, 1.0)
    return to_bytes(picture, view.size)


def surface(sample: PointSample, most: int) -> Cloud:
    """As `cloud`, for points of a surface: lit by their normals, of one grey without colours.

    Balls are larger, for points that were drawn at random leave gaps.
    """
    sample = thinned(sample, most)
    plain = cloud(sample, most)
    if sample.normals is None:
        return replace(plain, radius=GAPLESS * plain.radius)
    turn = Z_UP if sample.up == "z" else np.eye(3)
    colors = plain.colors
    if sample.colors is None:
        colors = np.broadcast_to(np.asarray(NO_COLOR), plain.vertices.shape)
    normals = sample.normals.astype(np.float64) @ turn.T
    return Cloud(plain.vertices, colors, GAPLESS * plain.radius, normals)


def _light(normals: Floats, view: View) -> Floats:
    """How light each point is (n,): from the camera's upper left, on the side that is seen.

    Lambert's cosine; windings of real files, and so the sign of a normal, are not reliable.
    """
    turned = normals @ view.camera.T
    turned = np.where(turned[:, 2:] < 0, -turned, turned)
    return np.asarray(AMBIENT + DIRECT * np.maximum(turned @ LIGHT, 0.0))


def _nearest_balls(
    screen: Floats,
    nearness: Floats,
    dx: NDArray[np.int64],
    dy: NDArray[np.int64],
    bulge: Floats,
    size: int,
) -> tuple[NDArray[np.int64], Floats]:
    """For each pixel offset * n + point of what is nearest there, or -1; and its nearness, or 0."""
    count = len(screen)
    column, row = np.floor(screen).astype(np.int64).T
    best = np.full(size * size, -1, np.int64)
    for nth in range(len(dx)):
        x, y = column + dx[nth], row + dy[nth]
        shown = np.flatnonzero((x >= 0) & (x < size) & (y >= 0) & (y < size))
        near = 1.0 / (1.0 / nearness[shown] - bulge[nth])
        # 31 bits of nearness (below 1), and behind them who it is.
        key = (near * (1 << 30)).astype(np.int64) << 32 | (nth * count + shown)
        np.maximum.at(best, y[shown] * size + x[shown], key)
    number = np.where(best < 0, -1, best & 0xFFFFFFFF)
    return number, np.where(best < 0, 0.0, (best >> 32) / (1 << 30))


def _steps(depth: Floats, size: int) -> Floats:
    """Less light where something nearer stands beside: it makes shapes of loose points.

    Source: C. Boucheny, Eye-Dome Lighting, PhD thesis, Grenoble 2009.
    """
    field = depth.reshape(size, size)
    reach = max(1, size // 160)
    padded = np.pad(field, reach)
    darker = np.zeros_like(field)
    tolerated = 0.02  # the balls themselves are no steps
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        y, x = reach + dy * reach, reach + dx * reach
        beside = padded[y : y + size, x : x + size]
        darker += np.maximum(0.0, np.log(beside + 1e-9) - np.log(field + 1e-9) - tolerated) * (
            field > 0
        )
    return np.asarray(np.exp(-2.5 * np.minimum(darker, 0.6))).reshape(-1)
