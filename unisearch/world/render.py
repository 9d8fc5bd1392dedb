"""Pictures of meshes, lit and laid on grounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unisearch.raster import Z_UP, camera, distinct, nearest
from unisearch.records import TriangleMesh
from unisearch.world.chance import Chance, hue

Floats = NDArray[np.float64]

NO_COLOR = (0.72, 0.72, 0.72)
LIGHT = (-0.45, 0.75, 0.6)  # towards the light: from the left, above, behind the camera
DISTANCE = 3.2  # from the camera to the middle, in radii of the mesh


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
    up_fix = Z_UP if mesh.up == "z" else np.eye(3)
    view = camera(azimuth_deg, elevation_deg) @ up_fix
    points = _centred(mesh.vertices.astype(np.float64) @ view.T, mesh.faces)
    screen, nearness = _project(points, mesh.faces, size, margin * size)
    winner = nearest(screen[mesh.faces], nearness[mesh.faces], size)
    seen, number = distinct(winner, len(mesh.faces))
    colors = _shade(points[mesh.faces[seen]], _base_colors(mesh, seen), light, ambient)
    return _resolve(winner >= 0, colors[number[winner]], side, supersample)


def _centred(points: Floats, faces: NDArray[np.int32]) -> Floats:
    """The points moved and scaled so that those in use fit a sphere of radius 1."""
    used = points[distinct(faces, len(points))[0]]
    low, high = used.min(axis=0), used.max(axis=0)
    radius = max(float(np.linalg.norm(high - low)) / 2, 1e-12)
    return np.asarray((points - (low + high) / 2) / radius)


def _project(
    points: Floats, faces: NDArray[np.int32], size: int, margin: float
) -> tuple[Floats, Floats]:
    """Points on the screen in px (v, 2) and their nearness 1 / distance (v,)."""
    # What no face uses may lie behind the camera: it is not drawn, but must not divide by zero.
    nearness = 1.0 / np.maximum(DISTANCE - points[:, 2], 0.1)
    plane = points[:, :2] * nearness[:, None]
    used = plane[distinct(faces, len(points))[0]]
    low, high = used.min(axis=0), used.max(axis=0)
    scale = (size - 2 * margin) / max(float((high - low).max()), 1e-12)
    return (plane - (low + high) / 2) * [scale, -scale] + size / 2, nearness


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
