"""Solids as triangles, and the Model that collects them with their colours.

Everything is built around the unit form of each solid, which is made once; a part is that form
stretched, turned and moved. Lengths have no unit: a finished mesh is scaled by who shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unisearch.records import TriangleMesh

Floats = NDArray[np.float64]
Faces = NDArray[np.int64]
Solid = tuple[Floats, Faces]
Color = ArrayLike  # three numbers, sRGB in [0, 1]
Point = Sequence[float] | Floats


def turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Floats:
    """The matrix (3, 3) that turns column vectors about x, then y, then z; degrees."""
    a, b, c = np.deg2rad([x, y, z])
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)


@lru_cache
def unit_box() -> Solid:
    """A cube of side 1 around the origin."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    faces = [[q[i] for i in pick] for q in quads for pick in ((0, 1, 2), (0, 2, 3))]
    return corners, np.array(faces)


def grid_faces(rows: int, columns: int, closed: bool = True) -> Faces:
    """Triangles between `rows` rings of `columns` vertices each, stored ring after ring."""
    around = np.arange(columns if closed else columns - 1)
    next_around = (around + 1) % columns
    start = (np.arange(rows - 1) * columns)[:, None]
    a, b = start + around, start + next_around
    c, d = a + columns, b + columns
    return np.stack([a, c, b, b, c, d], axis=-1).reshape(-1, 3)


def lathe(profile: ArrayLike, sides: int = 20) -> Solid:
    """The surface that a profile of (radius, height) from bottom to top draws around the y axis.

    Ends of radius > 0 are closed with a disc.
    """
    outline = np.asarray(profile, dtype=float)
    if outline[0, 0] > 1e-9:
        outline = np.concatenate([[[0.0, outline[0, 1]]], outline])
    if outline[-1, 0] > 1e-9:
        outline = np.concatenate([outline, [[0.0, outline[-1, 1]]]])
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    radius, height = outline[:, 0, None], outline[:, 1, None]
    rings = [radius * np.cos(angle), height + 0 * angle, -radius * np.sin(angle)]
    faces = grid_faces(len(outline), sides)[:, ::-1]
    return np.stack(rings, axis=-1).reshape(-1, 3), faces


@lru_cache
def unit_ball(sides: int = 16) -> Solid:
    """A sphere of radius 1 around the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    profile = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    profile[[0, -1], 0] = 0
    return lathe(profile, sides)


@lru_cache
def unit_rod(ratio: float = 1.0, sides: int = 14) -> Solid:
    """A cylinder of radius 1 from y = 0 to 1; `ratio` is the radius of its upper end."""
    return lathe([(1.0, 0.0), (ratio, 1.0)], sides)


@lru_cache
def unit_torus(ratio: float, sides: int = 24, tube: int = 8) -> Solid:
    """A ring of radius 1 in the xz plane; `ratio` is the radius of its tube."""
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    b = np.linspace(0, 2 * np.pi, tube + 1)[None, :]
    reach = 1 + ratio * np.cos(b)
    rings = [reach * np.cos(a), ratio * np.sin(b) + 0 * a, reach * np.sin(a)]
    vertices = np.stack(rings, axis=-1)
    vertices = np.concatenate([vertices, vertices[:1]])
    return vertices.reshape(-1, 3), grid_faces(sides + 1, tube + 1, closed=False)


def ears(outline: Floats) -> Faces:
    """Triangles (n - 2, 3) of a simple counter-clockwise polygon (n, 2), by ear clipping."""
    left = list(range(len(outline)))
    found: list[tuple[int, int, int]] = []
    while len(left) > 3:
        for i in range(len(left)):
            trio = (left[i - 1], left[i], left[(i + 1) % len(left)])
            others = outline[[j for j in left if j not in trio]]
            a, b, c = (outline[j] for j in trio)
            if _is_ear(a, b, c, others):
                found.append(trio)
                left.pop(i)
                break
        else:  # only rounding errors are left: any corner will do
            found.append((left[0], left[1], left[2]))
            left.pop(1)
    return np.array([*found, tuple(left)])


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _is_ear(a: Floats, b: Floats, c: Floats, others: Floats) -> bool:
    if _cross(b - a, c - b) <= 1e-12:
        return False
    signs = [_cross(q - p, others - p) > 0 for p, q in ((a, b), (b, c), (c, a))]
    return not np.logical_and.reduce(signs).any()


def extrusion(outline: ArrayLike) -> Solid:
    """A slab over a simple polygon in the xy plane, from z = -0.5 to 0.5."""
    flat = np.asarray(outline, dtype=float)
    if _cross(flat, np.roll(flat, -1, axis=0)).sum() < 0:
        flat = flat[::-1]
    n, front = len(flat), ears(flat)
    sheets = [np.column_stack([flat, np.full(n, z)]) for z in (-0.5, 0.5)]
    walls = grid_faces(2, n)[:, ::-1]
    return np.concatenate(sheets), np.concatenate([front[:, ::-1], front + n, walls])


def tube(path: ArrayLike, radii: ArrayLike, sides: int = 10) -> Solid:
    """A closed pipe along a path (n, 3) with one radius, or one radius per point."""
    points = np.asarray(path, dtype=float)
    radius = np.broadcast_to(np.asarray(radii, dtype=float), len(points))
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    # A reference that is far from every direction of the path keeps the rings from twisting.
    reference = np.eye(3)[np.argmin(np.abs(along).max(axis=0))]
    side = np.cross(along, reference)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
    other = np.cross(side, along)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    ring = np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None]
    rings = points[:, None] + radius[:, None, None] * ring
    rings = np.concatenate([0 * rings[:1] + points[0], rings, 0 * rings[:1] + points[-1]])
    return rings.reshape(-1, 3), grid_faces(len(points) + 2, sides)


class Model:
    """Collects coloured parts; y is up."""

    def __init__(self) -> None:
        self._parts: list[tuple[Floats, Faces, Floats]] = []

    def add(
        self, solid: Solid, color: Color, at: Point = (0, 0, 0), size: ArrayLike = 1.0,
        turned: Floats | None = None,
    ) -> None:  # fmt: skip
        """Puts a solid: stretched by `size`, then turned, then moved to `at`."""
        vertices = solid[0] * np.asarray(size, dtype=float)
        if turned is not None:
            vertices = vertices @ turned.T
        paint = np.broadcast_to(np.asarray(color, dtype=float), (len(solid[1]), 3))
        self._parts.append((vertices + np.asarray(at, dtype=float), solid[1], paint))

    def box(
        self, at: Point, size: ArrayLike, color: Color, turned: Floats | None = None,
        top: float | tuple[float, float] = 1.0,
    ) -> None:  # fmt: skip
        """A box around `at`; `top` narrows its upper face (in x and z)."""
        corners, faces = unit_box()
        narrow = np.broadcast_to(np.asarray(top, dtype=float), 2)
        if (narrow != 1).any():
            scale = np.where(corners[:, 1:2] > 0, [narrow[0], 1.0, narrow[1]], 1.0)
            corners = corners * scale
        self.add((corners, faces), color, at, size, turned)

    def ball(
        self, at: Point, radius: ArrayLike, color: Color, turned: Floats | None = None,
        sides: int = 16,
    ) -> None:  # fmt: skip
        """An ellipsoid with one radius or three."""
        self.add(unit_ball(sides), color, at, radius, turned)

    def rod(
        self, start: Point, end: Point, radius: float, color: Color, tip: float | None = None,
        sides: int = 12,
    ) -> None:  # fmt: skip
        """A cylinder between two points; `tip` is the radius at its end (0 makes a cone)."""
        a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        length = float(np.linalg.norm(b - a)) + 1e-9
        y = (b - a) / length
        x = np.cross(y, [0.0, 0.0, 1.0] if abs(y[2]) < 0.9 else [1.0, 0.0, 0.0])
        x /= np.linalg.norm(x)
        frame = np.stack([x, y, np.cross(x, y)], axis=1)
        ratio = 1.0 if tip is None else round(tip / radius, 2)
        self.add(unit_rod(ratio, sides), color, a, (radius, length, radius), frame)

    def ring(
        self, at: Point, radius: float, thick: float, color: Color, turned: Floats | None = None,
        sides: int = 24,
    ) -> None:  # fmt: skip
        """A torus that lies in the xz plane before it is turned."""
        self.add(unit_torus(round(thick / radius, 2), sides), color, at, radius, turned)

    def lathe(
        self, profile: ArrayLike, color: Color, at: Point = (0, 0, 0),
        turned: Floats | None = None, sides: int = 20,
    ) -> None:  # fmt: skip
        """A turned body, see the function of that name."""
        self.add(lathe(profile, sides), color, at, 1.0, turned)

    def slab(
        self, outline: ArrayLike, depth: float, color: Color, at: Point = (0, 0, 0),
        turned: Floats | None = None,
    ) -> None:  # fmt: skip
        """A polygon of the xy plane with a thickness along z."""
        self.add(extrusion(outline), color, at, (1, 1, depth), turned)

    def tube(self, path: ArrayLike, radii: ArrayLike, color: Color, sides: int = 10) -> None:
        """A bent pipe, see the function of that name."""
        self.add(tube(path, radii, sides), color)

    @contextmanager
    def placed(
        self, at: Point = (0, 0, 0), size: ArrayLike = 1.0, turned: Floats | None = None
    ) -> Iterator[None]:
        """Whatever is added inside is stretched, turned and moved as one."""
        first = len(self._parts)
        yield
        for i in range(first, len(self._parts)):
            vertices, faces, colors = self._parts[i]
            vertices = vertices * np.asarray(size, dtype=float)
            if turned is not None:
                vertices = vertices @ turned.T
            self._parts[i] = (vertices + np.asarray(at, dtype=float), faces, colors)

    def mesh(self) -> TriangleMesh:
        """All parts as one mesh, its bounding box centred; triangles without area are left out."""
        starts = np.cumsum([0, *(len(part[0]) for part in self._parts)])
        vertices = np.concatenate([part[0] for part in self._parts])
        faces = np.concatenate([p[1] + s for p, s in zip(self._parts, starts, strict=False)])
        colors = np.concatenate([part[2] for part in self._parts])
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        kept = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-12
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        return TriangleMesh(
            vertices=(vertices - middle).astype(np.float32),
            faces=faces[kept].astype(np.int32),
            face_colors=np.clip(colors[kept], 0, 1).astype(np.float32),
        )
