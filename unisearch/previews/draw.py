"""Solids and clouds drawn by our own z-buffer. Always there; `gl` draws the same faster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unisearch.previews.mesh import Solid
from unisearch.raster import distinct, nearest
from unisearch.stage import View, evenly, ground, project, to_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LIGHT = np.array([-0.42, 0.70, 0.58])  # towards the light: from the left, above, behind the camera
AMBIENT, DIRECT, SKY = 0.42, 0.62, 0.2  # light from everywhere, from LIGHT, more from above
LAYERS = 24


def draw_solid(solid: Solid, view: View) -> NDArray[np.uint8]:
    """uint8 (size, size, 3): lit from both sides, as windings of real files are not reliable."""
    screen, nearness = project(solid.vertices, view)
    corners = screen[solid.faces]  # (f, 3, 2)
    areas = _areas(corners)
    # Of a closed surface what looks away is hidden by what does not; y points down on the screen.
    drawn = np.flatnonzero(areas < 0 if solid.closed else areas != 0)
    drawn = bounded(drawn, corners, view.size)
    picture = ground(view.size).copy().reshape(-1, 3)
    if len(drawn):
        winner = nearest(corners[drawn], nearness[solid.faces[drawn]], view.size)
        seen, number = distinct(winner, len(drawn))
        pixels, faces = np.flatnonzero(winner >= 0), drawn[seen[seen < len(drawn)]]
        which = number[winner[pixels]]
        light = _light(solid.normals[faces], areas[faces], view)
        planes = _planes(corners[faces], areas[faces], light)
        x, y = pixels % view.size + 0.5, pixels // view.size + 0.5
        strength = planes[0][which] * x + planes[1][which] * y + planes[2][which]
        strength = np.clip(strength, _least(light)[which], -_least(-light)[which])
        picture[pixels] = np.minimum(solid.colors[faces][which] * strength[:, None], 1.0)
    return to_bytes(picture, view.size)


def bounded(drawn: Ints, corners: Floats, size: int) -> Ints:
    """As many of the triangles as cover the picture LAYERS times, from all over.

    So many large ones behind each other, as a file can be made to hold, would take hours.
    """
    shown = corners[drawn]
    wide, high = np.minimum(-_least(-shown) - _least(shown), size).T
    pixels = float(wide @ high) / 2
    most = LAYERS * size**2
    return drawn if pixels <= most else evenly(drawn, max(1, int(len(drawn) * most / pixels)))


def _least(values: Floats) -> Floats:
    """The least of three, along the second axis; numpy's own way is ten times slower for so few."""
    return np.asarray(np.minimum(np.minimum(values[:, 0], values[:, 1]), values[:, 2]))


def _areas(corners: Floats) -> Floats:
    """Twice the area on the screen, (f,); negative where the corners run anticlockwise."""
    (px, py), (qx, qy) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return np.asarray(px * qy - py * qx)


def _light(normals: Floats, areas: Floats, view: View) -> Floats:
    """How light each corner is (f, 3): Lambert's cosine, and a little more light from the sky."""
    facing = np.where(areas < 0, 1.0, -1.0)[:, None]
    towards = view.camera.T @ (LIGHT / np.linalg.norm(LIGHT))
    direct = np.maximum((normals @ towards) * facing, 0.0)
    sky = 1.0 + SKY * (normals @ view.camera[1]) * facing
    return np.asarray(AMBIENT * sky + DIRECT * direct)


def _planes(corners: Floats, areas: Floats, values: Floats) -> Floats:
    """(3, f): a x + b y + c is the value of each corner (f, 3) there, and between them even."""
    (px, py), (qx, qy) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    p, q = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    area = np.where(np.abs(areas) < 1e-9, np.inf, areas)
    a, b = (p * qy - q * py) / area, (q * px - p * qx) / area
    return np.stack([a, b, values[:, 0] - a * corners[:, 0, 0] - b * corners[:, 0, 1]])
