"""Triangles on a screen: a z-buffer of our own, in numpy, for all rooms that draw.

Each triangle is cut into the pixel rows that it meets, each row into pixels; all of that happens
for many triangles at once. The nearest triangle of a pixel wins by one integer comparison.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGE = 1e-6  # px; neighbours both claim a pixel centre on their common edge, so no gap opens
DEPTH_STEPS = 1 << 21
CHUNK = 400_000  # pixels expanded at once: bounds memory for meshes with many large triangles
NOTHING = np.iinfo(np.int64).max

#: Turns models whose z axis points up, for `camera`.
Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def camera(azimuth_deg: float, elevation_deg: float) -> Floats:
    """World to camera (3, 3): x right, y up, z to the viewer; azimuth 0 looks at what faces +z."""
    a, e = np.deg2rad([azimuth_deg, elevation_deg])
    back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    return np.stack([right, np.cross(back, right), back])


def distinct(numbers: Ints | NDArray[np.int32], count: int) -> tuple[Ints, Ints]:
    """Which of 0 ... count - 1 occur, and for each of these its place among those that do.

    Like np.unique, but without sorting; -1 counts as count - 1.
    """
    flags = np.zeros(count, dtype=bool)
    flags[numbers.reshape(-1)] = True
    return np.flatnonzero(flags), np.cumsum(flags) - 1


def nearest(screen: Floats, nearness: Floats, size: int) -> Ints:
    """Number of the nearest triangle for each pixel (size * size,), -1 where there is none.

    screen: corners in px (f, 3, 2), y downward; nearness: 1 / distance of each corner (f, 3)
    Depth is rounded to steps; of triangles at one depth the later one wins, so that a part laid
    exactly on another one shows without speckles.
    """
    near, far = nearness.max(), nearness.min()
    steps = DEPTH_STEPS / max(near - far, 1e-12)
    low, high = _pixel_box(screen, size)
    filled = (high[0] >= low[0]) & (high[1] >= low[1])
    drawn = np.flatnonzero(filled)  # most small triangles hold no pixel centre
    corners = np.ascontiguousarray(screen[drawn].transpose(1, 2, 0))  # (3, 2, n)
    planes, slope = _edges(corners), _depth_planes(corners, nearness[drawn].T)
    triangle, row = _expand(low[1][drawn], high[1][drawn] - low[1][drawn] + 1)
    left, right = _spans(planes, triangle, row, size)
    columns = right - left + 1
    shown = np.flatnonzero(columns > 0)
    triangle, row, left, columns = triangle[shown], row[shown], left[shown], columns[shown]
    # Along a row the depth is a line: what does not change there is computed once per row.
    by_row = slope[1][triangle] * (row + 0.5)
    by_column, base = slope[0][triangle], slope[2][triangle]
    number, start = 0xFFFFFFFF - drawn[triangle], row * size
    best = np.full(size * size, NOTHING)
    ends = np.cumsum(columns)
    cuts = np.searchsorted(ends, np.arange(CHUNK, ends[-1] if len(ends) else 0, CHUNK))
    for part in np.split(np.arange(len(columns)), cuts):
        span, x = _expand(left[part], columns[part])
        span = part[0] + span if len(part) else span
        depth = by_column[span] * (x + 0.5) + by_row[span] + base[span]
        key = ((near - np.clip(depth, far, near)) * steps + 0.5).astype(np.int64) << 32
        np.minimum.at(best, start[span] + x, key | number[span])
    return np.where(best == NOTHING, -1, 0xFFFFFFFF - (best & 0xFFFFFFFF))


def _pixel_box(screen: Floats, size: int) -> tuple[list[Ints], list[Ints]]:
    """First and last column and row, each (f,), whose pixel centres a triangle can reach."""
    low, high = [], []
    for axis in range(2):
        a, b, c = (screen[:, corner, axis] for corner in range(3))
        first = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5 - EDGE)
        last = np.floor(np.maximum(np.maximum(a, b), c) - 0.5 + EDGE)
        low.append(np.maximum(first, 0).astype(np.int64))
        high.append(np.minimum(last, size - 1).astype(np.int64))
    return low, high


def _edges(corners: Floats) -> list[tuple[Floats, Floats, Floats]]:
    """Half-planes a x + b y + c >= 0 of the three edges, (n,) each; nowhere true without area."""
    planes = []
    for here, ahead in ((0, 1), (1, 2), (2, 0)):
        a = corners[here, 1] - corners[ahead, 1]
        b = corners[ahead, 0] - corners[here, 0]
        planes.append((a, b, -(a * corners[here, 0] + b * corners[here, 1])))
    area = planes[0][2] + planes[1][2] + planes[2][2]
    sign = np.where(area < 0, -1.0, 1.0)
    thin = np.abs(area) < 1e-9  # 0 x + 0 y - 1 >= 0 holds nowhere
    return [
        (
            np.where(thin, 0.0, a * sign),
            np.where(thin, 0.0, b * sign),
            np.where(thin, -1.0, c * sign),
        )
        for a, b, c in planes
    ]


def _depth_planes(corners: Floats, nearness: Floats) -> Floats:
    """Nearness as a plane over the screen, (3, n): it is linear in screen x and y."""
    (px, py), (qx, qy) = corners[1] - corners[0], corners[2] - corners[0]
    dp, dq = nearness[1] - nearness[0], nearness[2] - nearness[0]
    area = px * qy - py * qx
    area = np.where(np.abs(area) < 1e-9, np.inf, area)
    gx = (dp * qy - dq * py) / area
    gy = (dq * px - dp * qx) / area
    return np.stack([gx, gy, nearness[0] - gx * corners[0, 0] - gy * corners[0, 1]])


def _expand(start: Ints, count: Ints) -> tuple[Ints, Ints]:
    """For each i the numbers start[i] ... start[i] + count[i] - 1, with their i beside them."""
    owner = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    return owner, np.arange(len(owner)) + (start - first)[owner]


def _spans(
    planes: list[tuple[Floats, Floats, Floats]], triangle: Ints, row: Ints, size: int
) -> tuple[Ints, Ints]:
    """First and last pixel column of each (triangle, row); last < first where it is empty."""
    y = row + 0.5
    left, right = np.full(len(row), -0.5), np.full(len(row), size + 0.5)
    for a, b, c in planes:
        flat = np.abs(a) < 1e-12
        rest = b[triangle] * y + c[triangle]
        at = -rest / np.where(flat, 1.0, a)[triangle]
        np.maximum(left, at, out=left, where=((a > 0) & ~flat)[triangle])
        np.minimum(right, at, out=right, where=((a < 0) & ~flat)[triangle])
        right[flat[triangle] & (rest < -EDGE)] = -np.inf
    left = np.clip(np.ceil(left - 0.5 - EDGE), 0, size)
    right = np.clip(np.floor(right - 0.5 + EDGE), -1, size - 1)
    return left.astype(np.int64), right.astype(np.int64)
