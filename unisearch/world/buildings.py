"""Meshes of buildings. Their front faces +z."""

# ruff: noqa: RUF005  (vectors are added here, not lists)
from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Color, Floats, Model, turn

ROOFS = ((0.65, 0.25, 0.18), (0.35, 0.2, 0.15), (0.3, 0.33, 0.38), (0.75, 0.4, 0.2))
WALLS = (
    (0.93, 0.9, 0.82),
    (0.85, 0.7, 0.5),
    (0.7, 0.35, 0.28),
    (0.75, 0.82, 0.88),
    (0.95, 0.95, 0.95),
)
STONE = ((0.6, 0.59, 0.57), (0.7, 0.66, 0.58), (0.5, 0.5, 0.54))
PANE = (0.45, 0.65, 0.82)
WOOD = (0.42, 0.26, 0.14)


def gable(m: Model, y: float, w: float, d: float, high: float, roof: Color, wall: Color) -> None:
    """A pitched roof over a rectangle of width w and depth d, its ridge along z."""
    m.slab([(-w / 2, 0), (w / 2, 0), (0, high)], d, wall, (0, y, 0))
    for side in (-1, 1):
        slope = [
            (0, high + 0.05),
            (side * (w / 2 + 0.1), -0.05),
            (side * (w / 2 + 0.1), 0.03),
            (0, high + 0.13),
        ]
        m.slab(slope, d + 0.16, roof, (0, y, 0))


def window(
    m: Model, x: float, y: float, z: float, w: float, h: float, frame: Color = (0.96, 0.96, 0.96)
) -> None:
    """A window in a wall that faces +z or -z."""
    m.box((x, y, z), (w, h, 0.04), frame)
    m.box((x, y, z), (w * 0.8, h * 0.84, 0.05), PANE)
    m.box((x, y, z), (w * 0.08, h, 0.055), frame)
    m.box((x, y, z), (w, h * 0.07, 0.055), frame)


def house(m: Model, c: Chance) -> None:
    wall, roof = c.color(*WALLS), c.color(*ROOFS)
    w, d, high = c.between(1.0, 1.5), c.between(1.0, 1.3), c.pick([0.7, 0.8, 1.2])
    m.box((0, high / 2, 0), (w, high, d), wall)
    with m.placed(turned=turn(y=c.pick([0.0, 0.0, 90.0])) if abs(w - d) < 0.2 else None):
        gable(m, high, w, d, c.between(0.45, 0.7), roof, wall)
    m.box(
        (0, 0.24, d / 2),
        (0.26, 0.48, 0.04),
        c.color((0.5, 0.25, 0.12), (0.75, 0.15, 0.12), (0.2, 0.4, 0.3)),
    )
    m.ball((0.08, 0.24, d / 2 + 0.03), 0.02, (0.9, 0.75, 0.3), sides=6)
    for x in (-w * 0.32, w * 0.32):
        for z in (-d / 2, d / 2):
            window(m, x, 0.42, z, 0.24, 0.28)
            if high > 1:
                window(m, x, 0.95, z, 0.24, 0.28)
    for side in (-1, 1):
        with m.placed(turned=turn(y=90)):
            window(m, 0, 0.42, side * w / 2, 0.3, 0.28)
    if c.maybe(0.7):
        m.box((w * 0.27, high + 0.5, -d * 0.2), (0.16, 0.6, 0.16), (0.6, 0.3, 0.25))


def church(m: Model, c: Chance) -> None:
    wall, roof = c.color((0.95, 0.94, 0.9), (0.8, 0.75, 0.65), (0.65, 0.62, 0.6)), c.color(*ROOFS)
    m.box((0, 0.4, -0.3), (0.8, 0.8, 1.4), wall)
    gable(m, 0.8, 0.8, 1.4, 0.5, roof, wall)  # its ridge runs from the tower backwards
    with m.placed((0, 0, 0.0)):
        tall = c.between(1.35, 1.8)
        m.box((0, tall / 2, 0.55), (0.44, tall, 0.44), wall)
        m.lathe(
            [(0.34, tall), (0.0, tall + c.between(0.6, 1.0))],
            roof,
            (0, 0, 0.55),
            turn(y=45),
            sides=4,
        )
    top = tall + 0.6
    m.box((0, tall - 0.22, 0.55), (0.2, 0.26, 0.46), (0.15, 0.13, 0.12))
    m.box((0, tall - 0.22, 0.55), (0.46, 0.26, 0.2), (0.15, 0.13, 0.12))
    cross = c.color((0.95, 0.8, 0.25), (0.25, 0.22, 0.2))
    m.box((0, top + 0.45, 0.55), (0.045, 0.5, 0.045), cross)
    m.box((0, top + 0.52, 0.55), (0.24, 0.05, 0.045), cross)
    m.box((0, 0.24, 0.78), (0.22, 0.48, 0.03), WOOD)
    m.slab(
        0.11 * np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, np.pi, 9)]),
        0.03,
        WOOD,
        (0, 0.48, 0.78),
    )
    for z in (-0.75, -0.35, 0.05):
        for side in (-1, 1):
            with m.placed((side * 0.4, 0, z), turned=turn(y=90)):
                m.box((0, 0.42, 0), (0.16, 0.36, 0.04), PANE)


def crenels(m: Model, r: float, y: float, color: Color, count: int = 8) -> None:
    """Teeth on top of a round tower."""
    for a in np.linspace(0, 2 * np.pi, count, endpoint=False):
        m.box(
            (r * np.cos(a), y + 0.07, r * np.sin(a)),
            (0.12, 0.14, 0.12),
            color,
            turn(y=-np.rad2deg(a)),
        )


def castle(m: Model, c: Chance) -> None:
    stone = c.color(*STONE)
    roof = c.color((0.75, 0.2, 0.18), (0.25, 0.35, 0.6), (0.35, 0.2, 0.4))
    pointed = c.maybe(0.6)
    high, r = c.between(0.9, 1.2), 0.22
    for x in (-0.75, 0.75):
        for z in (-0.6, 0.6):
            m.lathe(
                [
                    (r * 1.1, 0),
                    (r, 0.1),
                    (r, high),
                    (r * 1.15, high + 0.04),
                    (r * 1.15, high + 0.14),
                ],
                stone,
                (x, 0, z),
            )
            if pointed:
                m.lathe([(r * 1.3, high + 0.12), (0, high + 0.65)], roof, (x, 0, z))
            else:
                with m.placed((x, 0, z)):
                    crenels(m, r, high + 0.12, stone)
            m.box((x, high * 0.7, z + np.sign(z) * r), (0.06, 0.18, 0.04), (0.15, 0.13, 0.15))
    wall = 0.6
    for z in (-0.6, 0.6):
        m.box((0, wall / 2, z), (1.5, wall, 0.14), stone * 0.93)
        for x in np.linspace(-0.5, 0.5, 6):
            m.box((x, wall + 0.05, z), (0.1, 0.12, 0.14), stone * 0.93)
    for x in (-0.75, 0.75):
        m.box((x, wall / 2, 0), (0.14, wall, 1.2), stone * 0.9)
        for z in np.linspace(-0.36, 0.36, 4):
            m.box((x, wall + 0.05, z), (0.14, 0.12, 0.1), stone * 0.9)
    m.box((0, 0.22, 0.68), (0.34, 0.44, 0.03), WOOD)
    m.slab(
        0.17 * np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, np.pi, 9)]),
        0.03,
        WOOD,
        (0, 0.44, 0.68),
    )
    keep = high + c.between(0.2, 0.5)
    m.box((0, keep / 2, -0.1), (0.6, keep, 0.55), stone)
    for x in (-0.22, 0.0, 0.22):
        for z in (-0.32, 0.12):
            m.box((x, keep + 0.06, z), (0.12, 0.14, 0.1), stone)
    m.rod((0, keep, -0.1), (0, keep + 0.6, -0.1), 0.02, (0.3, 0.3, 0.3), sides=6)
    m.slab([(0.02, keep + 0.6), (0.35, keep + 0.5), (0.02, keep + 0.38)], 0.02, roof, (0, 0, -0.1))


def windmill(m: Model, c: Chance) -> None:
    wall, cap = c.color(*WALLS), c.color(*ROOFS)
    high = c.between(1.1, 1.4)
    m.lathe([(0.42, 0), (0.28, high)], wall, sides=c.pick([8, 20]))
    m.lathe([(0.32, high), (0.26, high + 0.16), (0, high + 0.36)], cap, sides=16)
    m.box((0, 0.2, 0.39), (0.2, 0.4, 0.06), WOOD)
    window(m, 0, 0.75, 0.33, 0.14, 0.18)
    hub = np.array([0, high + 0.08, 0.42])
    m.rod((0, high + 0.08, 0), hub + [0, 0, 0.05], 0.05, WOOD)
    spin, cloth = (
        c.between(0, 90),
        c.color((0.95, 0.93, 0.88), (0.95, 0.93, 0.88), (0.8, 0.3, 0.25)),
    )
    for i in range(4):
        with m.placed(hub, turned=turn(z=spin + 90 * i)):
            m.rod((0, 0, 0), (0, 0.85, 0), 0.025, WOOD, sides=6)
            m.box((0.11, 0.5, 0), (0.2, 0.66, 0.015), cloth)
            for y in np.linspace(0.2, 0.8, 4):
                m.box((0.11, y, 0.005), (0.22, 0.02, 0.025), WOOD)


def lighthouse(m: Model, c: Chance) -> None:
    stripe, bands = (
        c.color((0.82, 0.12, 0.12), (0.82, 0.12, 0.12), (0.15, 0.3, 0.6), (0.12, 0.12, 0.13)),
        c.pick([4, 5, 6]),
    )
    high, low_r, top_r = c.between(1.4, 1.7), 0.34, 0.2
    for i in range(bands):
        a, b = i / bands, (i + 1) / bands
        r = [low_r + (top_r - low_r) * t for t in (a, b)]
        m.lathe([(r[0], a * high), (r[1], b * high)], stripe if i % 2 else (0.96, 0.96, 0.95))
    m.lathe([(0.27, high), (0.29, high + 0.05)], (0.2, 0.2, 0.22))
    m.ring((0, high + 0.14, 0), 0.28, 0.015, (0.2, 0.2, 0.22))
    m.lathe([(0.15, high + 0.05), (0.15, high + 0.3)], (1.0, 0.92, 0.5))
    for a in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        m.rod(
            (0.155 * np.cos(a), high + 0.05, 0.155 * np.sin(a)),
            (0.155 * np.cos(a), high + 0.3, 0.155 * np.sin(a)),
            0.012,
            (0.2, 0.2, 0.22),
            sides=4,
        )
    m.lathe([(0.2, high + 0.3), (0.0, high + 0.48)], stripe)
    if c.maybe(0.7):
        for _ in range(9):
            a = c.between(0, 6.28)
            m.ball(
                (0.45 * np.cos(a), 0, 0.45 * np.sin(a)),
                c.between(0.1, 0.2),
                c.color(*STONE),
                sides=6,
            )
    m.box((0, 0.15, low_r), (0.15, 0.3, 0.06), WOOD)


def skyscraper(m: Model, c: Chance) -> None:
    wall = c.color((0.55, 0.6, 0.66), (0.75, 0.72, 0.66), (0.3, 0.36, 0.45), (0.6, 0.4, 0.32))
    glass: Floats = c.color((0.55, 0.78, 0.92), (0.3, 0.45, 0.6), (0.98, 0.9, 0.55))
    y, w, d = 0.0, c.between(0.6, 0.75), c.between(0.55, 0.7)
    for _ in range(c.pick([1, 2, 3])):
        floors = c.whole(6, 11)
        high = floors * 0.15
        m.box((0, y + high / 2, 0), (w, high, d), wall)
        for floor in range(floors):
            level = y + floor * 0.15 + 0.08
            for i in range(4):
                x, z = (i - 1.5) * w / 4.2, (i - 1.5) * d / 4.2
                m.box((x, level, 0), (w / 6.5, 0.09, d + 0.01), glass)
                m.box((0, level, z), (w + 0.01, 0.09, d / 6.5), glass)
        y, w, d = y + high, w * 0.72, d * 0.72
    if c.maybe(0.6):
        m.rod((0, y, 0), (0, y + 0.5, 0), 0.025, (0.4, 0.4, 0.42), 0.005, sides=6)
    m.box((0, 0.08, 0.36), (0.2, 0.16, 0.06), (0.15, 0.15, 0.17))


def tent(m: Model, c: Chance) -> None:
    cloth = c.color() if c.maybe(0.7) else c.color((0.45, 0.5, 0.3), (0.8, 0.72, 0.5))
    w, d, high = c.between(1.1, 1.4), c.between(1.2, 1.6), c.between(0.75, 0.95)
    for side in (-1, 1):
        m.slab(
            [(0, high), (side * w / 2, 0), (side * (w / 2 + 0.04), 0), (0, high + 0.05)], d, cloth
        )
        m.slab(
            [(side * 0.12, 0), (side * w / 2, 0), (0, high)],
            0.02,
            cloth * 0.85,
            (0, 0, d / 2 - 0.06),
        )
        m.rod(
            (side * w / 2, 0.02, d / 2),
            (side * (w / 2 + 0.25), 0, d / 2 + 0.12),
            0.012,
            (0.85, 0.8, 0.65),
            sides=4,
        )
    m.slab([(-0.14, 0), (0.14, 0), (0, high * 0.9)], 0.02, (0.12, 0.1, 0.1), (0, 0, d / 2 - 0.07))
    m.slab([(-w / 2, 0), (w / 2, 0), (0, high)], 0.02, cloth * 0.8, (0, 0, -d / 2 + 0.05))
    for z in (-d / 2, d / 2):
        m.rod((0, 0, z * 0.97), (0, high + 0.12, z * 0.97), 0.022, WOOD, sides=6)


BUILDERS = {
    "house": house, "church": church, "castle": castle, "windmill": windmill,
    "lighthouse": lighthouse, "skyscraper": skyscraper, "tent": tent,
}  # fmt: skip
