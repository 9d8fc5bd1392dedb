from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from unisearch.previews.make import Preview
from unisearch.previews.sound import SoundSketch
from unisearch.records import TriangleMesh

RATE_HZ = 16_000

#: The corners of a cube and its twelve triangles, two to a side, seen anticlockwise from outside.
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
SIDES = {
    "left": (0, 1, 3, 2),
    "right": (4, 6, 7, 5),
    "below": (0, 4, 5, 1),
    "above": (2, 3, 7, 6),
    "back": (0, 2, 6, 4),
    "front": (1, 5, 7, 3),
}


def cube(**colors: tuple[float, float, float]) -> TriangleMesh:
    """A cube of 2 units; sides without a colour of their own are red."""
    faces, rgb = [], []
    for name, (a, b, c, d) in SIDES.items():
        faces += [(a, b, c), (a, c, d)]
        rgb += 2 * [colors.get(name, (1.0, 0.0, 0.0))]
    return TriangleMesh(CORNERS, np.array(faces, np.int32), np.array(rgb, np.float32))


def ball(side: int) -> TriangleMesh:
    """A closed ball of about 2 side² triangles, grey on the left and green on the right."""
    u, v = np.meshgrid(np.arange(side), np.arange(1, side))
    around, down = 2 * np.pi * u / side, np.pi * v / side
    rows = np.stack(
        [np.sin(down) * np.cos(around), np.cos(down), np.sin(down) * np.sin(around)], -1
    )
    vertices = np.concatenate([rows.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    here = np.arange((side - 1) * side).reshape(side - 1, side)
    a, b = here[:-1], np.roll(here, -1, axis=1)[:-1]
    c, d = here[1:], np.roll(here, -1, axis=1)[1:]
    top, bottom = np.full(side, len(vertices) - 2), np.full(side, len(vertices) - 1)
    parts = [(a, b, d), (a, d, c), (top, b[0], a[0]), (bottom, c[-1], d[-1])]
    faces = np.concatenate([np.stack(part, axis=-1).reshape(-1, 3) for part in parts])
    rgb = np.full((len(faces), 3), 0.6, np.float32)
    rgb[vertices[faces].mean(axis=1)[:, 0] > 0] = (0.1, 0.7, 0.1)
    return TriangleMesh(vertices.astype(np.float32), faces.astype(np.int32), rgb)


def sketch(samples: NDArray[np.floating], rate_hz: int = RATE_HZ) -> SoundSketch:
    """All of a sound at once."""
    sound = SoundSketch(rate_hz)
    sound.add(np.asarray(samples, np.float32))
    return sound


def opened(preview: Preview) -> Image.Image:
    """The picture in a preview, decoded."""
    image = Image.open(io.BytesIO(preview.data), formats=["WEBP"])
    image.load()
    return image


def pixels(preview: Preview) -> NDArray[np.int64]:
    """(h, w, 3) of a still, as numbers that may be subtracted."""
    return np.asarray(opened(preview).convert("RGB")).astype(np.int64)


def frames(preview: Preview) -> list[NDArray[np.int64]]:
    """The pictures of a film."""
    return [
        np.asarray(frame.convert("RGB")).astype(np.int64)
        for frame in ImageSequence.Iterator(opened(preview))
    ]
