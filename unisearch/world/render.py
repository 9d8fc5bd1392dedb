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
    up_fix = _Z_UP if mesh.up == "z" else np.eye(3)
    camera = _camera(azimuth_deg, elevation_deg) @ up_fix
    corners = mesh.vertices.astype(np.float64)[mesh.faces] @ camera.T  # (f, 3, 3)
    if not len(corners):
        return np.zeros((side, side, 4), np.uint8)
    screen, nearness = _project(corners, size, margin * size)
    winner = _nearest(screen, nearness, size)
    colors = _shade(mesh, corners, np.asarray(light, dtype=float), ambient)
    return _resolve(winner, colors, side, supersample)


_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def _camera(azimuth_deg: float, elevation_deg: float) -> Floats:
    """World to camera: x right, y up, z to the viewer."""
    a, e = np.deg2rad([azimuth_deg, elevation_deg])
    back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    return np.stack([right, np.cross(back, right), back])


def _project(corners: Floats, size: int, margin: float) -> tuple[Floats, Floats]:
    """Corners on the screen in px (f, 3, 2) and their nearness 1 / distance (f, 3)."""
    flat = corners.reshape(-1, 3)
    low, high = flat.min(axis=0), flat.max(axis=0)
    middle = (low + high) / 2
    radius = max(float(np.linalg.norm(high - low)) / 2, 1e-12)
    moved = (corners - middle) / radius
    nearness = 1.0 / (DISTANCE - moved[..., 2])
    plane = moved[..., :2] * nearness[..., None]
    low2, high2 = plane.reshape(-1, 2).min(axis=0), plane.reshape(-1, 2).max(axis=0)
    scale = (size - 2 * margin) / max(float((high2 - low2).max()), 1e-12)
    screen = (plane - (low2 + high2) / 2) * [scale, -scale] + size / 2
    return screen, nearness


def _nearest(screen: Floats, nearness: Floats, size: int) -> NDArray[np.int64]:
    """Number of the nearest triangle for each pixel (size * size,), -1 where there is none.

    Depth is rounded to steps; of triangles at one depth the later one wins, so that a part laid
    exactly on another one shows without speckles.
    """
    edges, keep = _edges(screen)
    slope = _depth_planes(screen, nearness)
    low = np.maximum(np.ceil(screen[..., 1].min(axis=1) - 0.5 - EDGE), 0).astype(np.int64)
    high = np.minimum(np.floor(screen[..., 1].max(axis=1) - 0.5 + EDGE), size - 1).astype(np.int64)
    rows = np.where(keep, np.maximum(high - low + 1, 0), 0)
    triangle, row = _expand(low, rows)
    left, right = _spans(edges, triangle, row, size)
    columns = np.maximum(right - left + 1, 0)
    near, far = nearness.max(), nearness.min()
    steps = DEPTH_STEPS / max(near - far, 1e-12)
    best = np.full(size * size, np.iinfo(np.int64).max)
    ends = np.cumsum(columns)
    cuts = np.searchsorted(ends, np.arange(CHUNK, ends[-1] if len(ends) else 0, CHUNK))
    for part in np.split(np.arange(len(columns)), cuts):
        span, x = _expand(left[part], columns[part])
        t, y = triangle[part][span], row[part][span]
        at = slope[t]
        depth = at[:, 0] * (x + 0.5) + at[:, 1] * (y + 0.5) + at[:, 2]
        key = ((near - np.clip(depth, far, near)) * steps + 0.5).astype(np.int64) << 32
        np.minimum.at(best, y * size + x, key | (0xFFFFFFFF - t))
    return np.where(best == np.iinfo(np.int64).max, -1, 0xFFFFFFFF - (best & 0xFFFFFFFF))


def _edges(screen: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Half-planes a x + b y + c >= 0 of the edges (f, 3, 3), and which triangles have area."""
    ahead = np.roll(screen, -1, axis=1)
    a = screen[..., 1] - ahead[..., 1]
    b = ahead[..., 0] - screen[..., 0]
    c = -(a * screen[..., 0] + b * screen[..., 1])
    area = c.sum(axis=1)
    sign = np.where(area < 0, -1.0, 1.0)[:, None]
    return np.stack([a * sign, b * sign, c * sign], axis=-1), np.abs(area) > 1e-9


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
    mine = edges[triangle]  # (s, 3, 3)
    a, rest = mine[..., 0], mine[..., 1] * (row + 0.5)[:, None] + mine[..., 2]
    flat = np.abs(a) < 1e-12
    at = -rest / np.where(flat, 1.0, a)
    left = np.where((a > 0) & ~flat, at, -np.inf).max(axis=1)
    right = np.where((a < 0) & ~flat, at, np.inf).min(axis=1)
    left = np.clip(np.ceil(left - 0.5 - EDGE), 0, size).astype(np.int64)
    right = np.clip(np.floor(right - 0.5 + EDGE), -1, size - 1).astype(np.int64)
    outside = (flat & (rest < -EDGE)).any(axis=1)
    return left, np.where(outside, left - 1, right)


def _shade(mesh: TriangleMesh, corners: Floats, light: Floats, ambient: float) -> Floats:
    """Lit colour of each triangle (f, 3) in [0, 1]: Lambert's cosine plus light from everywhere."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-30
    flat = corners.reshape(-1, 3)
    low, high = flat.min(axis=0), flat.max(axis=0)
    reach = DISTANCE * float(np.linalg.norm(high - low)) / 2
    eye = (low + high) / 2 + [0.0, 0.0, reach]
    away = np.einsum("ij,ij->i", normals, eye - corners[:, 0]) < 0
    facing = np.where(away[:, None], -normals, normals)
    direct = np.maximum(facing @ (light / np.linalg.norm(light)), 0.0)
    sky = 1.0 + 0.15 * facing[:, 1]  # what looks up is a little brighter
    strength = ambient * sky + (1.05 - ambient) * direct
    base = NO_COLOR if mesh.face_colors is None else mesh.face_colors
    return np.asarray(np.clip(np.asarray(base) * strength[:, None], 0.0, 1.0))


def _resolve(
    winner: NDArray[np.int64], colors: Floats, side: int, supersample: int
) -> NDArray[np.uint8]:
    """Averages the small pixels to the picture; colour counts only where something is."""
    seen = winner >= 0
    paint = np.where(seen[:, None], colors[winner], 0.0)
    stack = np.concatenate([paint, seen[:, None]], axis=1)
    blocks = stack.reshape(side, supersample, side, supersample, 4).mean(axis=(1, 3))
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
        ground = make_background(background, max(h, w))[:h, :w].astype(float)
    else:
        ground = np.asarray(background, dtype=float)
    alpha = rgba[..., 3:].astype(float) / 255
    return np.asarray(rgba[..., :3] * alpha + ground * (1 - alpha) + 0.5, dtype=np.uint8)
