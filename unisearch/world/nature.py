"""Meshes of plants, fire and weather."""

from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Floats, Model, grid_faces, turn

BARK = ((0.42, 0.28, 0.16), (0.35, 0.25, 0.18), (0.5, 0.38, 0.26))
LEAF = ((0.2, 0.5, 0.15), (0.3, 0.6, 0.2), (0.15, 0.4, 0.18), (0.45, 0.6, 0.2))
WHITE = (0.96, 0.96, 0.96)


def tree(m: Model, c: Chance) -> None:
    bark = c.color(*BARK)
    leaf = (
        c.color(*LEAF)
        if c.maybe(0.8)
        else c.color((0.85, 0.45, 0.12), (0.85, 0.7, 0.15), (0.75, 0.2, 0.1))
    )
    high, r = c.between(0.6, 0.9), c.between(0.4, 0.55)
    m.rod((0, 0, 0), (0, high + 0.2, 0), 0.11, bark, 0.06)
    for _ in range(3):
        a = c.between(0, 6.28)
        m.rod(
            (0, high * c.between(0.6, 0.9), 0),
            (0.35 * np.cos(a), high + 0.15, 0.35 * np.sin(a)),
            0.045,
            bark,
            0.025,
            sides=6,
        )
    for _ in range(c.whole(6, 11)):
        v = c.rng.normal(size=3)
        v *= r * 0.65 / np.linalg.norm(v)
        size = c.between(0.22, 0.34)
        m.ball(v * [1, 0.7, 1] + [0, high + 0.35, 0], size, leaf * c.between(0.85, 1.12), sides=10)
    m.ball((0, high + 0.35, 0), r * 0.75, leaf, sides=12)
    if c.maybe(0.2):
        for _ in range(12):
            v = c.rng.normal(size=3)
            m.ball(
                v / np.linalg.norm(v) * (r + 0.15) * np.array([1, 0.75, 1]) + [0, high + 0.35, 0],
                0.05,
                (0.85, 0.1, 0.1),
                sides=8,
            )


def pine_tree(m: Model, c: Chance) -> None:
    leaf = c.color((0.1, 0.38, 0.18), (0.15, 0.45, 0.25), (0.1, 0.3, 0.2))
    layers, r = c.whole(3, 5), c.between(0.42, 0.58)
    m.rod((0, 0, 0), (0, 0.4, 0), 0.08, c.color(*BARK))
    snow = c.maybe(0.25)
    for i in range(layers):
        y, wide = 0.25 + i * 0.32, r * (1 - i / (layers + 0.7))
        m.lathe(
            [(wide, y), (wide * 0.3, y + 0.4), (0, y + 0.52)], leaf * (0.85 + 0.08 * i), sides=14
        )
        if snow:
            m.lathe([(wide * 0.62, y + 0.2), (0, y + 0.54)], WHITE, sides=14)
    if not snow and c.maybe(0.3):
        top = 0.25 + (layers - 1) * 0.32 + 0.52
        m.ball((0, top, 0), 0.07, (0.98, 0.8, 0.15), sides=8)
        for i in range(14):
            y = 0.35 + c.between(0, 0.32 * layers)
            reach = r * (1 - (y - 0.2) / (0.36 * layers + 0.3))
            a = i * 2.4
            m.ball(
                (reach * np.cos(a), y, reach * np.sin(a)),
                0.045,
                c.color((0.85, 0.1, 0.1), (0.95, 0.8, 0.2), (0.2, 0.4, 0.9)),
                sides=8,
            )


def palm_tree(m: Model, c: Chance) -> None:
    bark, leaf = (
        c.color((0.55, 0.4, 0.25), (0.6, 0.48, 0.32)),
        c.color((0.25, 0.55, 0.15), (0.35, 0.6, 0.2)),
    )
    s = np.linspace(0, 1, 9)
    high, bend = c.between(1.2, 1.6), c.between(0.1, 0.45)
    path = np.stack([bend * s**2, high * s, 0 * s], axis=1)
    m.tube(path, 0.09 - 0.03 * s, bark)
    for point in path[1:-1]:
        m.ring(point, 0.08, 0.016, bark * 0.75)
    top, count = path[-1], c.whole(7, 10)
    for i in range(count):
        a, droop = 2 * np.pi * i / count + c.between(-0.15, 0.15), c.between(0.25, 0.5)
        t = np.linspace(0, 1, 7)
        out = np.stack([np.cos(a) * t, 0 * t, np.sin(a) * t], axis=1) * 0.75
        out[:, 1] = 0.28 * np.sin(np.pi * t * 0.7) - droop * t**2
        wide = 0.13 * np.sin(np.pi * np.clip(t * 0.95 + 0.04, 0, 1)) + 0.01
        across = np.array([-np.sin(a), 0, np.cos(a)])
        drop = np.stack([0 * t, -wide * 0.5, 0 * t], axis=1)
        for side in (-1, 1):
            strip = np.stack([out, out + side * wide[:, None] * across + drop], axis=1)
            blade = (strip.reshape(-1, 3), grid_faces(7, 2, closed=False))
            m.add(blade, leaf * (0.9 if side < 0 else 1.05), top)
    for a in (0.3, 2.2, 4.3) if c.maybe(0.6) else ():
        m.ball(
            top + np.array([0.09 * np.cos(a), -0.07, 0.09 * np.sin(a)]),
            0.07,
            (0.4, 0.25, 0.12),
            sides=10,
        )


def flower(m: Model, c: Chance) -> None:
    petal = c.color(
        (0.95, 0.3, 0.5),
        (0.98, 0.85, 0.2),
        (0.95, 0.95, 0.95),
        (0.6, 0.3, 0.8),
        (0.9, 0.15, 0.15),
        (0.4, 0.55, 0.95),
    )
    green = c.color(*LEAF)
    tulip = c.maybe(0.3)
    m.tube([(0, 0, 0), (0.03, 0.3, 0), (0, 0.7, 0)], 0.03, green)
    for side in (-1, 1):
        m.ball((side * 0.15, 0.25, 0), (0.18, 0.03, 0.07), green, turn(z=side * 40))
    if tulip:
        m.ball((0, 0.82, 0), (0.14, 0.17, 0.14), petal * 0.85)
        for i in range(6):
            a = turn(y=60 * i)
            m.ball(
                a @ np.array([0.1, 0.88, 0]),
                (0.05, 0.2, 0.1),
                petal * (0.9 + 0.15 * (i % 2)),
                a @ turn(z=-12),
            )
        return
    with m.placed((0, 0.75, 0), turned=turn(x=c.between(20, 70))):
        count, long = c.pick([5, 6, 8, 12]), c.between(0.18, 0.26)
        for i in range(count):
            a = turn(y=360 * i / count)
            m.ball(
                a @ np.array([0.1 + long * 0.8, 0.02, 0]),
                (long, 0.03, min(0.14, 0.75 / count + 0.02)),
                petal,
                a @ turn(z=10),
            )
        m.ball((0, 0.03, 0), (0.13, 0.08, 0.13), c.color((0.98, 0.8, 0.15), (0.45, 0.25, 0.1)))


def cactus(m: Model, c: Chance) -> None:
    green = c.color((0.25, 0.55, 0.25), (0.35, 0.6, 0.3), (0.2, 0.45, 0.3))
    high, r = c.between(0.9, 1.3), c.between(0.15, 0.2)
    arms = [(1, c.between(0.3, 0.5)), (-1, c.between(0.45, 0.7))][: c.pick([1, 2, 2])]
    _ribbed(m, [(0, 0, 0), (0, high * 0.5, 0), (0, high, 0)], r, green)
    for side, y in arms:
        top = y + c.between(0.25, 0.4)
        _ribbed(
            m,
            [(0, y, 0), (side * 0.28, y, 0), (side * 0.38, y + 0.08, 0), (side * 0.4, top, 0)],
            r * 0.6,
            green,
        )
    for i in range(60):
        a, y = i * 2.4, c.between(0.05, high)
        v = np.array([np.cos(a), 0, np.sin(a)])
        m.rod(
            v * r * 0.95 + [0, y, 0],
            v * (r + 0.06) + [0, y, 0],
            0.008,
            (0.95, 0.93, 0.8),
            0.0,
            sides=3,
        )
    if c.maybe(0.5):
        m.ball((0, high + r * 0.9, 0), (0.08, 0.06, 0.08), (0.95, 0.3, 0.55), sides=8)
    if c.maybe(0.5):
        m.lathe(
            [(0.26, -0.35), (0.34, -0.02), (0.37, -0.02), (0.37, 0.05), (0, 0.04)],
            c.color((0.75, 0.38, 0.22)),
        )


def _ribbed(m: Model, path: list[tuple[float, float, float]], r: float, green: Floats) -> None:
    m.tube(path, r, green, sides=14)
    m.ball(path[-1], r, green, sides=12)
    m.ball(path[-2], r, green, sides=12)


def mushroom(m: Model, c: Chance) -> None:
    cap = c.color((0.85, 0.12, 0.1), (0.85, 0.12, 0.1), (0.6, 0.4, 0.22), (0.85, 0.75, 0.55))
    wide, high = c.between(0.38, 0.52), c.between(0.25, 0.4)
    m.lathe([(0.17, 0), (0.14, 0.15), (0.11, 0.4), (0.12, 0.5)], (0.95, 0.92, 0.84))
    profile = [(0.1, 0.45), (wide, 0.42)]
    profile += [(wide * np.cos(a), 0.45 + high * np.sin(a)) for a in np.linspace(0.1, np.pi / 2, 7)]
    m.lathe([*profile[:-1], (0.0, 0.45 + high)], cap)
    m.lathe([(0.1, 0.44), (wide * 0.97, 0.41), (wide * 0.97, 0.43)], (0.93, 0.88, 0.76))
    if cap[0] > cap[1] * 2:
        for _ in range(c.whole(9, 15)):
            a, e = c.between(0, 6.28), c.between(0.2, 1.4)
            at = (
                wide * np.cos(e) * np.cos(a),
                0.45 + high * np.sin(e),
                wide * np.cos(e) * np.sin(a),
            )
            m.ball(at, c.between(0.035, 0.075), WHITE, sides=8)
    if c.maybe(0.4):
        m.ring((0, 0.33, 0), 0.13, 0.03, (0.95, 0.92, 0.84))


def campfire(m: Model, c: Chance) -> None:
    count = c.whole(5, 7)
    for i in range(count):
        a = 2 * np.pi * i / count
        v = np.array([np.cos(a), 0, np.sin(a)])
        m.rod(v * 0.5 + [0, 0.05, 0], v * -0.05 + [0, 0.38, 0], 0.06, c.color(*BARK))
        m.rod(v * 0.5 + [0, 0.05, 0], v * 0.505 + [0, 0.045, 0], 0.055, (0.8, 0.65, 0.45))
    if c.maybe(0.6):
        for i in range(11):
            a = 2 * np.pi * i / 11
            m.ball(
                (0.65 * np.cos(a), 0.05, 0.65 * np.sin(a)),
                (0.13, 0.1, 0.12),
                c.color((0.5, 0.5, 0.52)),
                sides=8,
            )
    for _ in range(c.whole(5, 8)):
        x, z = c.rng.normal(0, 0.13, 2)
        high = c.between(0.5, 0.85) - 1.2 * np.hypot(x, z)
        m.lathe(
            [(0, 0.1), (0.13, 0.28), (0.09, 0.2 + high * 0.5), (0, 0.2 + high)],
            c.color((0.98, 0.45, 0.08), (0.95, 0.25, 0.05), (1.0, 0.6, 0.1)),
            (x, 0, z),
            sides=10,
        )
    m.lathe([(0, 0.1), (0.14, 0.28), (0, 0.75)], (1.0, 0.85, 0.25), (0, 0, 0.13), sides=10)


def storm_cloud(m: Model, c: Chance) -> None:
    grey = c.color((0.42, 0.45, 0.5), (0.3, 0.33, 0.38), (0.55, 0.58, 0.63))
    for x, y, r in (
        (-0.45, 0, 0.26),
        (-0.18, 0.14, 0.34),
        (0.2, 0.1, 0.32),
        (0.5, 0, 0.24),
        (0, -0.05, 0.3),
    ):
        size = r * c.between(0.88, 1.12)
        m.ball(
            (x, y, c.between(-0.06, 0.06)), (size, size, size * 0.8), grey * c.between(0.92, 1.08)
        )
    m.ball((0, -0.1, 0), (0.65, 0.18, 0.22), grey * 0.85)
    bolt = np.array(
        [
            (0.05, 0.0),
            (-0.12, -0.36),
            (0.02, -0.34),
            (-0.1, -0.72),
            (0.2, -0.24),
            (0.06, -0.26),
            (0.2, 0.0),
        ]
    )
    for x, size in c.pick([((0.0, 1.1),), ((-0.3, 0.8), (0.25, 1.0))]):
        m.slab(bolt * size, 0.07, (1.0, 0.85, 0.15), (x, -0.18, 0))
    for _ in range(c.pick([0, 8, 12])):
        x, y = c.between(-0.55, 0.55), c.between(-0.75, -0.35)
        m.rod((x, y, 0.05), (x + 0.03, y + 0.12, 0.05), 0.02, (0.35, 0.6, 0.9), 0.003, sides=6)


BUILDERS = {
    "tree": tree, "pine tree": pine_tree, "palm tree": palm_tree, "flower": flower,
    "cactus": cactus, "mushroom": mushroom, "campfire": campfire, "storm cloud": storm_cloud,
}  # fmt: skip
