"""Meshes of weapons, toys, signs and figures."""

# ruff: noqa: RUF005  (vectors are added here, not lists)
from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Model, grid_faces, turn, unit_ball

STEEL = (0.72, 0.74, 0.77)
WHITE = (0.96, 0.96, 0.96)
BLACK = (0.1, 0.1, 0.11)
GOLD = (0.92, 0.74, 0.2)
WOOD = (0.5, 0.32, 0.16)


def sword(m: Model, c: Chance) -> None:
    long, wide = c.between(0.9, 1.3), c.between(0.05, 0.09)
    metal = c.color((0.8, 0.82, 0.85), (0.65, 0.68, 0.72))
    blade = [
        (-wide, 0),
        (wide, 0),
        (wide * 0.85, long * 0.88),
        (0, long),
        (-wide * 0.85, long * 0.88),
    ]
    m.slab(blade, 0.025, metal)
    m.slab([(-wide * 0.25, 0), (wide * 0.25, 0), (0, long * 0.85)], 0.04, metal * 0.8)
    hilt = c.color(GOLD, GOLD, (0.45, 0.45, 0.48))
    m.tube([(-0.24, 0.03, 0), (-0.1, 0, 0), (0.1, 0, 0), (0.24, 0.03, 0)], 0.035, hilt)
    m.rod((0, 0, 0), (0, -0.26, 0), 0.035, c.color(WOOD, BLACK, (0.5, 0.1, 0.1)))
    m.ball((0, -0.3, 0), 0.06, hilt)


def gun(m: Model, c: Chance) -> None:
    metal = c.color(BLACK, (0.25, 0.26, 0.28), (0.6, 0.62, 0.65))
    grip = c.color(BLACK, WOOD, (0.4, 0.22, 0.12))
    if c.maybe(0.45):
        m.rod((0.0, 0.3, 0), (0.75, 0.3, 0), 0.045, metal)
        m.rod((-0.08, 0.26, 0), (0.16, 0.26, 0), 0.12, metal * 1.2)
        m.box((0.02, 0.38, 0), (0.3, 0.04, 0.1), metal)
        m.box((0.72, 0.36, 0), (0.04, 0.05, 0.02), metal)
        m.box((-0.16, 0.36, 0), (0.06, 0.12, 0.04), metal, turn(z=20))
    else:
        m.box((0.22, 0.32, 0), (0.95, 0.15, 0.13), metal)
        m.box((0.18, 0.22, 0), (0.8, 0.08, 0.11), metal * 0.8)
        m.rod((0.65, 0.33, 0), (0.715, 0.33, 0), 0.045, (0.02, 0.02, 0.02))
        for i in range(4):
            m.box((-0.2 + i * 0.04, 0.32, 0), (0.015, 0.12, 0.14), metal * 0.5)
    m.box((-0.15, 0.0, 0), (0.2, 0.5, 0.12), grip, turn(z=-15), top=(0.85, 1))
    m.ring((0.07, 0.12, 0), 0.09, 0.018, metal, turn(x=90))
    m.rod((0.05, 0.2, 0), (0.06, 0.1, 0), 0.018, metal * 0.6, sides=6)


def bomb(m: Model, c: Chance) -> None:
    m.ball((0, 0, 0), 0.45, c.color(BLACK, BLACK, (0.2, 0.2, 0.25)), sides=22)
    m.rod((0, 0.4, 0), (0, 0.54, 0), 0.13, (0.25, 0.25, 0.27))
    lean = c.between(0.1, 0.25)
    m.tube(
        [(0, 0.5, 0), (0.02, 0.64, 0), (lean, 0.74, 0), (lean * 2, 0.72, 0)],
        0.03,
        (0.75, 0.65, 0.45),
    )
    for _ in range(9):
        v = c.rng.normal(size=3)
        v = v / np.linalg.norm(v) * c.between(0.08, 0.17)
        at = np.array([lean * 2, 0.74, 0])
        m.rod(at, at + v, 0.035, c.color((1.0, 0.8, 0.2), (1.0, 0.5, 0.1)), 0.0, sides=5)
    m.ball((-0.15, 0.2, 0.33), (0.07, 0.1, 0.03), (0.5, 0.5, 0.55), turn(y=-20), sides=8)


def ball(m: Model, c: Chance) -> None:

    solid = unit_ball(48)
    middle = solid[0][solid[1]].mean(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    style = c.pick(["soccer", "beach", "basket", "tennis"])
    if style == "soccer":
        g = (1 + 5**0.5) / 2
        spots = np.array([(0, a, b * g) for a in (-1, 1) for b in (-1, 1)])
        spots = np.concatenate([spots, spots[:, [1, 2, 0]], spots[:, [2, 0, 1]]]) / np.hypot(1, g)
        paint = np.where((middle @ spots.T).max(axis=1)[:, None] > 0.925, BLACK, WHITE)
    elif style == "beach":
        turns = np.floor(
            (np.arctan2(middle[:, 2], middle[:, 0]) / (2 * np.pi) + 0.5) * 5.999
        ).astype(int)
        colors = np.array([c.color(), WHITE, c.color(), WHITE, c.color(), WHITE])
        paint = colors[turns]
    else:
        skin, line = ((0.9, 0.45, 0.15), BLACK) if style == "basket" else ((0.8, 0.9, 0.25), WHITE)
        x, y, z = middle.T
        seam = (
            (np.abs(x) < 0.05) | (np.abs(y) < 0.05) | (np.abs(np.abs(z) - 0.5 - 0.25 * x**2) < 0.05)
        )
        if style == "tennis":
            seam = np.abs(y - 0.55 * np.sin(2 * np.arctan2(z, x))) < 0.08
        paint = np.where(seam[:, None], line, skin)
    m.add(solid, paint * c.between(0.92, 1.0), size=0.5, turned=turn(*c.rng.uniform(-40, 40, 3)))


def balloon(m: Model, c: Chance) -> None:
    for i in range(c.pick([1, 1, 3])):
        skin = c.color()
        with m.placed(
            (0.42 * (i - 1) if i else 0, c.between(-0.12, 0.12), 0.15 * i), turned=turn(z=-12 * i)
        ):
            m.lathe(
                [
                    (0, -0.5),
                    (0.12, -0.42),
                    (0.32, -0.15),
                    (0.4, 0.12),
                    (0.36, 0.32),
                    (0.22, 0.47),
                    (0, 0.53),
                ],
                skin,
                sides=20,
            )
            m.lathe([(0.06, -0.57), (0.01, -0.49)], skin * 0.8, sides=8)
            m.ball(
                (-0.17, 0.25, 0.24),
                (0.05, 0.1, 0.03),
                np.clip(skin + 0.4, 0, 1),
                turn(y=-35),
                sides=8,
            )
            s = np.linspace(0, 1, 14)
            string = np.stack([0.05 * np.sin(7 * s), -0.56 - 0.8 * s, 0 * s], axis=1)
            m.tube(string, 0.012, (0.5, 0.5, 0.5), sides=4)


def star(m: Model, c: Chance) -> None:
    points, inner = c.pick([5, 5, 5, 6]), c.between(0.38, 0.5)
    a = np.arange(2 * points) * np.pi / points + np.pi / 2
    r = np.where(np.arange(2 * points) % 2, inner, 1.0)
    outline = 0.5 * np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    deep = c.between(0.1, 0.2)
    gold = c.color((1.0, 0.8, 0.15), (1.0, 0.85, 0.3), (0.95, 0.7, 0.1))
    rim = np.column_stack([outline, 0 * a])
    for side in (-1, 1):
        tip = np.array([[0, 0, side * deep]])
        n = len(rim)
        faces = np.stack([np.arange(n), (np.arange(n) + 1) % n, np.full(n, n)], axis=1)
        m.add((np.concatenate([rim, tip]), faces), gold)


def heart(m: Model, c: Chance) -> None:
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = (
        np.stack(
            [
                16 * np.sin(t) ** 3,
                13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t),
            ],
            axis=1,
        )
        / 34
    )
    red = c.color((0.9, 0.1, 0.15), (0.85, 0.05, 0.1), (0.95, 0.35, 0.55))
    fat = c.between(0.12, 0.2)

    rows = [
        np.column_stack([outline * s, np.full(40, fat * z)])
        for s, z in ((0, -1), (0.6, -0.9), (0.9, -0.5), (1, 0), (0.9, 0.5), (0.6, 0.9), (0, 1))
    ]
    m.add((np.concatenate(rows), grid_faces(7, 40)), red)


def snowman(m: Model, c: Chance) -> None:
    y, count = 0.0, c.pick([2, 3, 3])
    sizes = [0.42, 0.32, 0.23][-count:]
    centres = []
    for r in sizes:
        y += r * 0.9
        m.ball((0, y, 0), r, (0.96, 0.97, 1.0))
        centres.append(y)
        y += r * 0.8
    head, r = centres[-1], sizes[-1]
    m.rod((0, head, r * 0.9), (0, head, r * 0.9 + 0.25), 0.045, (0.95, 0.5, 0.1), 0.0, sides=8)
    for x in (-0.08, 0.08):
        m.ball((x, head + 0.07, r * 0.9), 0.03, BLACK, sides=8)
    for x in np.linspace(-0.1, 0.1, 5):
        m.ball((x, head - 0.1 + 3 * x * x, r * 0.88), 0.016, BLACK, sides=6)
    belly = centres[-2]
    for dy in (-0.12, 0.02, 0.15):
        m.ball((0, belly + dy, np.sqrt(sizes[-2] ** 2 - dy * dy)), 0.03, BLACK, sides=8)
    for side in (-1, 1):
        hand = np.array([side * (sizes[-2] + 0.38), belly + c.between(0.05, 0.3), 0])
        m.rod((side * sizes[-2] * 0.9, belly + 0.05, 0), hand, 0.022, WOOD, sides=6)
        m.rod(hand - [side * 0.08, 0.02, 0], hand + [side * 0.01, 0.12, 0], 0.014, WOOD, sides=5)
    if c.maybe(0.7):
        hat = c.color(BLACK, BLACK, (0.3, 0.2, 0.5))
        m.rod((0, y - 0.07, 0), (0, y - 0.04, 0), 0.28, hat)
        m.rod((0, y - 0.05, 0), (0, y + 0.25, 0), 0.18, hat)
        m.rod((0, y - 0.02, 0), (0, y + 0.05, 0), 0.185, (0.8, 0.1, 0.1))
    if c.maybe(0.6):
        scarf = c.color()
        m.ring((0, head - r * 0.8, 0), r * 0.85, 0.055, scarf)
        m.box((0.12, head - r - 0.12, r * 0.95), (0.1, 0.28, 0.05), scarf, turn(z=8))


def robot(m: Model, c: Chance) -> None:
    paint, trim = (
        c.color((0.7, 0.73, 0.78), (0.7, 0.73, 0.78), (0.3, 0.55, 0.8), (0.9, 0.7, 0.2)),
        c.color(),
    )
    m.box((0, 0.65, 0), (0.6, 0.65, 0.4), paint)
    m.box((0, 0.68, 0.205), (0.4, 0.32, 0.02), trim)
    for x in (-0.1, 0.0, 0.1):
        m.ball(
            (x, 0.75, 0.22),
            0.03,
            c.color((0.9, 0.1, 0.1), (0.2, 0.8, 0.3), (1.0, 0.85, 0.2)),
            sides=8,
        )
    m.rod((0, 0.97, 0), (0, 1.06, 0), 0.09, (0.35, 0.36, 0.4))
    if c.maybe(0.7):
        m.box((0, 1.25, 0), (0.48, 0.38, 0.38), paint)
    else:
        m.ball((0, 1.22, 0), (0.26, 0.24, 0.24), paint)
    glow = c.color((0.2, 0.9, 1.0), (1.0, 0.9, 0.3), (1.0, 0.2, 0.2))
    for x in (-0.11, 0.11):
        m.rod((x, 1.29, 0.15), (x, 1.29, 0.24), 0.07, BLACK)
        m.ball((x, 1.29, 0.23), 0.05, glow, sides=8)
    m.box((0, 1.14, 0.2), (0.24, 0.05, 0.03), BLACK)
    for side in (-1, 1):
        m.rod((side * 0.3, 0.88, 0), (side * 0.42, 0.88, 0), 0.09, (0.35, 0.36, 0.4))
        elbow = np.array([side * 0.45, 0.6, 0.0])
        hand = elbow + [0, c.between(-0.25, 0.2), 0.2]
        m.rod((side * 0.42, 0.88, 0), elbow, 0.06, paint * 0.85)
        m.rod(elbow, hand, 0.06, paint * 0.85)
        for z in (-0.05, 0.05):
            m.box(hand + [z * 0.8, -0.02, 0.07], (0.03, 0.06, 0.12), (0.35, 0.36, 0.4))
        m.rod((side * 0.16, 0.35, 0), (side * 0.16, 0.08, 0), 0.08, paint * 0.85)
        m.box((side * 0.16, 0.05, 0.05), (0.2, 0.1, 0.34), (0.35, 0.36, 0.4))
        m.rod((side * 0.24, 1.25, 0), (side * 0.3, 1.25, 0), 0.07, trim)
    if c.maybe(0.75):
        m.rod((0, 1.43, 0), (0, 1.62, 0), 0.015, (0.35, 0.36, 0.4), sides=6)
        m.ball((0, 1.64, 0), 0.045, (0.9, 0.1, 0.1), sides=8)


def traffic_light(m: Model, c: Chance) -> None:
    case, lit = c.color(BLACK, (0.15, 0.25, 0.2), (0.9, 0.75, 0.15)), c.whole(0, 3)
    m.box((0, 1.2, 0), (0.34, 0.86, 0.24), case)
    for i, color in enumerate(((0.95, 0.1, 0.08), (1.0, 0.75, 0.1), (0.1, 0.85, 0.25))):
        y = 1.46 - i * 0.26
        dim = 1.0 if lit in (i, 3) else 0.55
        m.rod((0, y, 0.1), (0, y, 0.135), 0.105, np.array(color) * dim, sides=18)
        a = np.linspace(0, np.pi, 9)
        hood = np.stack([0.12 * np.cos(a), y + 0.12 * np.sin(a), 0 * a + 0.19], axis=1)
        m.tube(hood, 0.018, case * 0.7, sides=5)
    m.rod((0, 0, 0), (0, 0.8, 0), 0.05, (0.35, 0.36, 0.38))
    m.lathe([(0.14, 0), (0.12, 0.05), (0.05, 0.08)], (0.35, 0.36, 0.38))


def crown(m: Model, c: Chance) -> None:
    gold, points = c.color(GOLD, GOLD, (0.8, 0.82, 0.86)), c.pick([5, 6, 8])
    n, high = points * 6, c.between(0.3, 0.45)
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    wave = np.abs((np.arange(n) / 6) % 1 - 0.5) * 2  # 1 at each point, 0 between

    for r in (0.42, 0.38):
        ring = [
            np.stack([r * k * np.cos(a), y, r * k * np.sin(a)], axis=1)
            for k, y in ((1, 0 * a), (1.03, 0 * a + 0.2), (1.12, 0.22 + high * wave))
        ]
        m.add((np.concatenate(ring), grid_faces(3, n)), gold if r > 0.4 else gold * 0.8)
    m.ring((0, 0.02, 0), 0.42, 0.035, gold * 0.85)
    for i in range(points):
        b = 2 * np.pi * i / points
        m.ball(
            (0.46 * np.cos(b), 0.24 + high, 0.46 * np.sin(b)),
            0.05,
            c.color((0.85, 0.1, 0.15), (0.95, 0.95, 0.95), (0.2, 0.35, 0.85)),
            sides=8,
        )
        m.ball(
            (0.43 * np.cos(b), 0.12, 0.43 * np.sin(b)),
            0.05,
            c.color((0.85, 0.1, 0.15), (0.15, 0.6, 0.3), (0.2, 0.35, 0.85)),
            sides=8,
        )
    if c.maybe(0.5):
        m.ball((0, 0.1, 0), (0.36, 0.28, 0.36), (0.65, 0.08, 0.15))


def barrel(m: Model, c: Chance) -> None:
    wood, hoop = (
        c.color(WOOD, (0.62, 0.42, 0.22), (0.42, 0.26, 0.14)),
        c.color((0.35, 0.35, 0.37), (0.6, 0.5, 0.25)),
    )
    high, fat = c.between(0.9, 1.1), c.between(0.38, 0.46)
    t = np.linspace(0, 1, 9)
    r = fat * (0.8 + 0.2 * np.sin(np.pi * t))
    lying = c.maybe(0.2)
    with m.placed(turned=turn(z=90) if lying else None):
        staves = 16
        for i in range(staves):
            a = np.array([2 * np.pi * i / staves, 2 * np.pi * (i + 1) / staves])
            grid = np.stack(
                [r[:, None] * np.cos(a), high * t[:, None] + 0 * a, r[:, None] * np.sin(a)], axis=-1
            )

            m.add(
                (grid.reshape(-1, 3), grid_faces(9, 2, closed=False)),
                wood * (0.92 if i % 2 else 1.05),
            )
        for y in (0.03, high - 0.05):
            m.rod((0, y, 0), (0, y + 0.02, 0), fat * 0.81, wood * 0.75, sides=20)
        for y in (0.1, 0.3, 0.7, 0.9):
            m.lathe(
                [
                    (fat * (0.815 + 0.2 * np.sin(np.pi * k)), k * high)
                    for k in (y - 0.035, y + 0.035)
                ],
                hoop,
                sides=16,
            )


BUILDERS = {
    "sword": sword, "gun": gun, "bomb": bomb, "ball": ball, "balloon": balloon, "star": star,
    "heart": heart, "snowman": snowman, "robot": robot, "traffic light": traffic_light,
    "crown": crown, "barrel": barrel,
}  # fmt: skip
