"""Pictures of meshes: a triangle z-buffer of our own, in numpy.

Each triangle is cut into the pixel rows that it meets, each row into pixels; all of that happens
for many triangles at once. The nearest triangle of a pixel wins by one integer comparison.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unisearch.records import TriangleMesh
from unisearch.world.chance import Chance, hue

Floats = NDArray[np.float64]

NO_COLOR = (0.72, 0.72, 0.72)
LIGHT = (-0.45, 0.75, 0.6)  # towards the light: from the left, above, behind the camera
DISTANCE = 3.2  # from the camera to the middle, in radii of the mesh
EDGE = 1e-6  # px; neighbours both claim a pixel centre on their common edge, so no gap opens
DEPTH_STEPS = 1 << 21
CHUNK = 400_000  # pixels expanded at once: bounds memory for meshes with many large triangles


def render(
    mesh: TriangleMesh,
    azimuth_deg: float,
    elevation_deg: float,
    side: int = 96,
    supersample: int = 2,
    light: ArrayLike = LIGHT,
    margin: float = 0.06,
    ambient: float = 0.45,
) -> NDArray[np.uint8]:
    """The mesh in perspective on nothing: uint8 (side, side, 4), RGBA, alpha not premultiplied.

    azimuth_deg: 0 looks at the side that faces +z, 90 at the one that faces +x
    light: direction towards the light in the camera's axes (right, up, to the viewer)
    margin: share of the side that stays empty at each edge; ambient: share of light from everywhere
    Surfaces are lit from both sides, as windings of real files are not reliable.
    """
    size = side * supersample
    if not len(mesh.faces):
        return np.zeros((side, side, 4), np.uint8)
    up_fix = _Z_UP if mesh.up == "z" else np.eye(3)
    camera = _camera(azimuth_deg, elevation_deg) @ up_fix
    points = _centred(mesh.vertices.astype(np.float64) @ camera.T, mesh.faces)
    screen, nearness = _project(points, mesh.faces, size, margin * size)
    winner = _nearest(screen[mesh.faces], nearness[mesh.faces], size)
    seen, number = _distinct(winner, len(mesh.faces))
    colors = _shade(points[mesh.faces[seen]], _base_colors(mesh, seen), light, ambient)
    return _resolve(winner >= 0, colors[number[winner]], side, supersample)


_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def _camera(azimuth_deg: float, elevation_deg: float) -> Floats:
    """World to camera: x right, y up, z to the viewer."""
    a, e = np.deg2rad([azimuth_deg, elevation_deg])
    back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    return np.stack([right, np.cross(back, right), back])


def _centred(points: Floats, faces: NDArray[np.int32]) -> Floats:
    """The points moved and scaled so that those in use fit a sphere of radius 1."""
    used = points[_distinct(faces, len(points))[0]]
    low, high = used.min(axis=0), used.max(axis=0)
    radius = max(float(np.linalg.norm(high - low)) / 2, 1e-12)
    return np.asarray((points - (low + high) / 2) / radius)


def _distinct(
    numbers: NDArray[np.int64] | NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of 0 ... count - 1 occur, and for each of these its place among those that do.

    Like np.unique, but without sorting; -1 counts as count - 1.
    """
    flags = np.zeros(count, dtype=bool)
    flags[numbers.reshape(-1)] = True
    return np.flatnonzero(flags), np.cumsum(flags) - 1


def _project(
    points: Floats, faces: NDArray[np.int32], size: int, margin: float
) -> tuple[Floats, Floats]:
    """Points on the screen in px (v, 2) and their nearness 1 / distance (v,)."""
    # What no face uses may lie behind the camera: it is not drawn, but must not divide by zero.
    nearness = 1.0 / np.maximum(DISTANCE - points[:, 2], 0.1)
    plane = points[:, :2] * nearness[:, None]
    used = plane[_distinct(faces, len(points))[0]]
    low, high = used.min(axis=0), used.max(axis=0)
    scale = (size - 2 * margin) / max(float((high - low).max()), 1e-12)
    return (plane - (low + high) / 2) * [scale, -scale] + size / 2, nearness


def _nearest(screen: Floats, nearness: Floats, size: int) -> NDArray[np.int64]:
    """Number of the nearest triangle for each pixel (size * size,), -1 where there is none.

    Depth is rounded to steps; of triangles at one depth the later one wins, so that a part laid
    exactly on another one shows without speckles.
    """
    near, far = nearness.max(), nearness.min()
    steps = DEPTH_STEPS / max(near - far, 1e-12)
    low, high = _pixel_box(screen, size)
    filled = (high[:, 0] >= low[:, 0]) & (high[:, 1] >= low[:, 1])
    drawn = np.flatnonzero(filled)  # most small triangles hold no pixel centre
    edges, slope = _edges(screen[drawn]), _depth_planes(screen[drawn], nearness[drawn])
    triangle, row = _expand(low[drawn, 1], high[drawn, 1] - low[drawn, 1] + 1)
    left, right = _spans(edges, triangle, row, size)
    columns = np.maximum(right - left + 1, 0)
    best = np.full(size * size, np.iinfo(np.int64).max)
    ends = np.cumsum(columns)
    cuts = np.searchsorted(ends, np.arange(CHUNK, ends[-1] if len(ends) else 0, CHUNK))
    for part in np.split(np.arange(len(columns)), cuts):
        span, x = _expand(left[part], columns[part])
        t, y = triangle[part][span], row[part][span]
        at = slope[t]
        depth = at[:, 0] * (x + 0.5) + at[:, 1] * (y + 0.5) + at[:, 2]
        key = ((near - np.clip(depth, far, near)) * steps + 0.5).astype(np.int64) << 32
        np.minimum.at(best, y * size + x, key | (0xFFFFFFFF - drawn[t]))
    return np.where(best == np.iinfo(np.int64).max, -1, 0xFFFFFFFF - (best & 0xFFFFFFFF))


def _pixel_box(screen: Floats, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last column and row (f, 2) whose pixel centres a triangle can reach."""
    a, b, c = screen[:, 0], screen[:, 1], screen[:, 2]  # min(axis=1) over three is ten times slower
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5 - EDGE)
    high = np.floor(np.maximum(np.maximum(a, b), c) - 0.5 + EDGE)
    return np.maximum(low, 0).astype(np.int64), np.minimum(high, size - 1).astype(np.int64)


def _edges(screen: Floats) -> Floats:
    """Half-planes a x + b y + c >= 0 of the three edges (f, 3, 3); none without area."""
    ahead = np.roll(screen, -1, axis=1)
    a = screen[..., 1] - ahead[..., 1]
    b = ahead[..., 0] - screen[..., 0]
    c = -(a * screen[..., 0] + b * screen[..., 1])
    area = c.sum(axis=1)
    sign = np.where(area < 0, -1.0, 1.0)[:, None]
    planes = np.stack([a * sign, b * sign, c * sign], axis=-1)
    planes[np.abs(area) < 1e-9] = [0.0, 0.0, -1.0]  # 0 x + 0 y - 1 >= 0 holds nowhere
    return planes


def _depth_planes(screen: Floats, nearness: Floats) -> Floats:
    """Nearness as a plane over the screen, (f, 3): it is linear in screen x and y."""
    p, q = screen[:, 1] - screen[:, 0], screen[:, 2] - screen[:, 0]
    dp, dq = nearness[:, 1] - nearness[:, 0], nearness[:, 2] - nearness[:, 0]
    area = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    area = np.where(np.abs(area) < 1e-9, np.inf, area)
    gx = (dp * q[:, 1] - dq * p[:, 1]) / area
    gy = (dq * p[:, 0] - dp * q[:, 0]) / area
    return np.stack([gx, gy, nearness[:, 0] - gx * screen[:, 0, 0] - gy * screen[:, 0, 1]], axis=1)


def _expand(
    start: NDArray[np.int64], count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each i the numbers start[i] ... start[i] + count[i] - 1, with their i beside them."""
    owner = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    return owner, np.arange(len(owner)) + (start - first)[owner]


def _spans(
    edges: Floats, triangle: NDArray[np.int64], row: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last pixel column of each (triangle, row); last < first where it is empty."""
    y = row + 0.5
    left, right = np.full(len(row), -0.5), np.full(len(row), size + 0.5)
    for edge in range(3):
        a, b, c = (edges[triangle, edge, i] for i in range(3))
        rest = b * y + c
        flat = np.abs(a) < 1e-12
        at = -rest / np.where(flat, 1.0, a)
        left = np.where((a > 0) & ~flat, np.maximum(left, at), left)
        right = np.where((a < 0) & ~flat, np.minimum(right, at), right)
        right = np.where(flat & (rest < -EDGE), -np.inf, right)
    left = np.clip(np.ceil(left - 0.5 - EDGE), 0, size)
    right = np.clip(np.floor(right - 0.5 + EDGE), -1, size - 1)
    return left.astype(np.int64), right.astype(np.int64)


def _base_colors(mesh: TriangleMesh, faces: NDArray[np.int64]) -> Floats:
    """The colours (n, 3) of some faces before any light."""
    if mesh.face_colors is None:
        return np.broadcast_to(np.asarray(NO_COLOR), (len(faces), 3))
    return mesh.face_colors[faces].astype(np.float64)


def _shade(corners: Floats, base: Floats, light: ArrayLike, ambient: float) -> Floats:
    """Lit colours (n, 3) in [0, 1]: Lambert's cosine plus light from everywhere."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-30
    to_eye = np.array([0.0, 0.0, DISTANCE]) - corners[:, 0]
    away = np.einsum("ij,ij->i", normals, to_eye) < 0
    facing = np.where(away[:, None], -normals, normals)
    towards = np.asarray(light, dtype=float)
    direct = np.maximum(facing @ (towards / np.linalg.norm(towards)), 0.0)
    sky = 1.0 + 0.15 * facing[:, 1]  # what looks up is a little brighter
    strength = ambient * sky + (1.05 - ambient) * direct
    return np.asarray(np.clip(base * strength[:, None], 0.0, 1.0))


def _resolve(
    seen: NDArray[np.bool_], paint: Floats, side: int, supersample: int
) -> NDArray[np.uint8]:
    """Averages the small pixels to the picture; colour counts only where something is."""
    stack = np.concatenate([paint * seen[:, None], seen[:, None]], axis=1)
    blocks = stack.reshape(side, supersample, side * supersample, 4).mean(axis=1)
    blocks = blocks.reshape(side, side, supersample, 4).mean(axis=2)
    alpha = blocks[..., 3:]
    blocks[..., :3] /= np.maximum(alpha, 1e-9)
    return np.asarray(np.clip(blocks, 0, 1) * 255 + 0.5, dtype=np.uint8)


def make_background(seed: int, side: int) -> NDArray[np.uint8]:
    """A plain ground (side, side, 3): white (half of the seeds), one colour, or a gradient."""
    chance = Chance("background", "", seed)
    kind = chance.between(0, 1)
    if kind < 0.5:
        return np.full((side, side, 3), 255, np.uint8)
    first = hue(chance.between(0, 1), chance.between(0, 0.6), chance.between(0.2, 1))
    second = first
    if kind >= 0.75:
        second = hue(chance.between(0, 1), chance.between(0, 0.5), chance.between(0.2, 1))
    angle = chance.between(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    ramp = (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / (2 * np.sqrt(2)))[..., None]
    return np.asarray((first * (1 - ramp) + second * ramp) * 255 + 0.5, dtype=np.uint8)


def lay_on(rgba: NDArray[np.uint8], background: int | ArrayLike | None = None) -> NDArray[np.uint8]:
    """The picture on a ground: uint8 (h, w, 3).

    background: None for white, a seed for make_background, a colour (3,) or a picture (h, w, 3)
    in 0-255
    """
    if background is None:
        ground: NDArray[np.float64] = np.full(3, 255.0)
    elif isinstance(background, (int, np.integer)):
        h, w = rgba.shape[:2]
        ground = make_background(int(background), max(h, w))[:h, :w].astype(float)
    else:
        ground = np.asarray(background, dtype=float)
    alpha = rgba[..., 3:].astype(float) / 255
    return np.asarray(rgba[..., :3] * alpha + ground * (1 - alpha) + 0.5, dtype=np.uint8)
