"""Meshes of birds, sea animals, reptiles and insects. They look along +x."""

from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Color, Model, turn

BLACK = (0.06, 0.06, 0.07)
WHITE = (0.95, 0.95, 0.93)
ORANGE = (0.95, 0.55, 0.1)


def eyes(m: Model, at: tuple[float, float, float], size: float, ring: Color = WHITE) -> None:
    """Two eyes at z and -z."""
    x, y, z = at
    for side in (-1, 1):
        m.ball((x, y, side * z), size, ring, sides=8)
        m.ball((x + size * 0.5, y, side * (z + size * 0.3)), size * 0.7, BLACK, sides=8)


def legs(m: Model, x: float, top: float, spread: float, color: Color, thick: float = 0.025) -> None:
    """Two bird's legs with three toes each."""
    for side in (-1, 1):
        m.rod((x, top, side * spread), (x, 0.02, side * spread), thick, color, sides=8)
        for toe in (-35, 0, 35):
            tip = turn(y=toe) @ np.array([0.16, 0, 0]) + [x, 0.01, side * spread]
            m.rod((x, 0.02, side * spread), tip, thick, color, thick * 0.5, sides=6)


def chicken(m: Model, c: Chance) -> None:
    coat = c.color((0.95, 0.93, 0.88), (0.62, 0.33, 0.14), (0.85, 0.6, 0.3), (0.2, 0.16, 0.15))
    red = (0.85, 0.1, 0.1)
    m.ball((0, 0.5, 0), (0.36, 0.28, 0.25), coat)
    m.rod((0.2, 0.55, 0), (0.32, 0.85, 0), 0.17, coat, 0.1)
    m.ball((0.33, 0.88, 0), 0.13, coat)
    for i in range(c.whole(3, 4)):
        m.ball(
            (0.25 + i * 0.07, 1.02 + (0.02 if i == 1 else 0), 0), (0.05, 0.08, 0.02), red, sides=8
        )
    m.ball((0.42, 0.76, 0), (0.03, 0.07, 0.03), red, sides=8)
    m.rod((0.43, 0.87, 0), (0.58, 0.84, 0), 0.05, ORANGE, 0.0)
    eyes(m, (0.4, 0.92, 0.08), 0.03)
    for angle in np.linspace(20, 75, c.whole(4, 6)):
        tip = np.array([-np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle)), 0]) * 0.38
        m.ball(
            np.array([-0.25, 0.55, 0]) + tip * 0.7, (0.2, 0.07, 0.05), coat * 0.75, turn(z=-angle)
        )
    for side in (-1, 1):
        m.ball((-0.05, 0.52, side * 0.23), (0.22, 0.15, 0.05), coat * 0.85)
    legs(m, 0.02, 0.3, 0.1, ORANGE)


def duck(m: Model, c: Chance) -> None:
    coat = c.color((0.98, 0.85, 0.2), (0.95, 0.95, 0.92), (0.5, 0.38, 0.27))
    head = coat if c.maybe(0.6) else np.array([0.08, 0.4, 0.2])
    m.ball((0, 0.3, 0), (0.45, 0.25, 0.28), coat)
    m.rod((-0.3, 0.35, 0), (-0.55, 0.52, 0), 0.16, coat, 0.02)
    m.rod((0.25, 0.4, 0), (0.36, 0.72, 0), 0.13, head, 0.11)
    m.ball((0.38, 0.78, 0), (0.18, 0.17, 0.16), head)
    m.ball((0.6, 0.74, 0), (0.15, 0.035, 0.1), ORANGE)
    m.ball((0.58, 0.71, 0), (0.13, 0.025, 0.08), (0.85, 0.45, 0.08))
    eyes(m, (0.49, 0.84, 0.1), 0.035)
    for side in (-1, 1):
        m.ball((-0.08, 0.34, side * 0.26), (0.27, 0.14, 0.05), coat * 0.85, turn(z=-8))
        m.ball((0.08, 0.03, side * 0.13), (0.13, 0.03, 0.1), ORANGE, sides=8)


def bird(m: Model, c: Chance) -> None:
    coat = c.color((0.2, 0.45, 0.85), (0.85, 0.2, 0.15), (0.95, 0.8, 0.2), (0.45, 0.33, 0.22))
    belly = c.color((0.95, 0.9, 0.8), (0.95, 0.6, 0.3), (0.9, 0.9, 0.9))
    m.ball((0, 0.45, 0), (0.33, 0.2, 0.19), coat, turn(z=25))
    m.ball((0.07, 0.41, 0), (0.25, 0.18, 0.17), belly, turn(z=30))
    m.ball((0.26, 0.67, 0), 0.16, coat)
    m.rod((0.38, 0.67, 0), (0.56, 0.65, 0), 0.05, c.color(ORANGE, (0.2, 0.2, 0.2)), 0.0, sides=8)
    eyes(m, (0.34, 0.72, 0.11), 0.035)
    m.box((-0.45, 0.28, 0), (0.4, 0.03, 0.14), coat * 0.7, turn(z=25))
    flying = c.maybe(0.4)
    for side in (-1, 1):
        if flying:
            outline = [(-0.2, 0), (0.12, 0), (0.08, 0.4), (-0.05, 0.62), (-0.2, 0.4)]
            m.slab(outline, 0.03, coat * 0.8, (0.03, 0.52, side * 0.12), turn(x=side * 60))
        else:
            m.ball((-0.08, 0.46, side * 0.17), (0.27, 0.12, 0.04), coat * 0.75, turn(z=20))
    if not flying:
        legs(m, 0.03, 0.3, 0.07, (0.35, 0.25, 0.2), 0.015)


def owl(m: Model, c: Chance) -> None:
    coat = c.color((0.45, 0.32, 0.2), (0.6, 0.5, 0.4), (0.92, 0.92, 0.9))
    m.ball((0, 0.45, 0), (0.28, 0.42, 0.3), coat)
    m.ball((0.09, 0.4, 0), (0.22, 0.32, 0.22), np.clip(coat * 1.35, 0, 1))
    m.ball((0, 0.92, 0), (0.27, 0.25, 0.3), coat)
    for side in (-1, 1):
        m.ball((0.2, 0.95, side * 0.13), (0.06, 0.13, 0.13), np.clip(coat * 1.5, 0, 1))
        m.ball((0.25, 0.95, side * 0.13), (0.03, 0.085, 0.085), (0.98, 0.8, 0.1))
        m.ball((0.275, 0.95, side * 0.13), (0.02, 0.045, 0.045), BLACK)
        m.rod((0.02, 1.08, side * 0.17), (0.02, 1.28, side * 0.25), 0.07, coat * 0.8, 0.0, sides=8)
        m.ball((-0.05, 0.45, side * 0.28), (0.2, 0.34, 0.07), coat * 0.75)
        m.ball((0.14, 0.04, side * 0.11), (0.11, 0.04, 0.06), ORANGE, sides=8)
    m.rod((0.24, 0.9, 0), (0.32, 0.8, 0), 0.05, ORANGE, 0.0, sides=8)
    if c.maybe(0.5):
        m.rod((0.1, -0.03, -0.7), (0.1, -0.03, 0.7), 0.05, (0.4, 0.26, 0.14))


def penguin(m: Model, c: Chance) -> None:
    coat = c.color((0.1, 0.11, 0.14), (0.15, 0.18, 0.28))
    fat = c.between(0.9, 1.2)
    m.ball((0, 0.5, 0), (0.27 * fat, 0.48, 0.29 * fat), coat)
    m.ball((0.07 * fat, 0.47, 0), (0.23 * fat, 0.41, 0.23 * fat), WHITE)
    m.ball((0, 1.02, 0), 0.2, coat)
    m.ball((0.07, 0.99, 0), (0.15, 0.13, 0.14), WHITE)
    m.rod((0.17, 1.02, 0), (0.37, 1.0, 0), 0.06, ORANGE, 0.0, sides=8)
    eyes(m, (0.17, 1.09, 0.07), 0.03)
    spread = c.between(8, 35)
    for side in (-1, 1):
        m.ball((0, 0.55, side * 0.33 * fat), (0.1, 0.28, 0.04), coat, turn(x=-side * spread))
        m.ball((0.14, 0.03, side * 0.12), (0.17, 0.04, 0.1), ORANGE, sides=8)


def fish(m: Model, c: Chance) -> None:
    coat = c.color(
        (0.98, 0.5, 0.1), (0.2, 0.5, 0.9), (0.95, 0.8, 0.2), (0.6, 0.65, 0.7), (0.9, 0.25, 0.3)
    )
    fin = coat * c.between(0.6, 0.85)
    tall, wide = c.between(0.22, 0.36), c.between(0.1, 0.16)
    m.ball((0, 0, 0), (0.5, tall, wide), coat, sides=20)
    m.slab([(-0.4, 0), (-0.78, 0.28), (-0.68, 0), (-0.78, -0.28)], 0.04, fin)
    m.slab(
        [(-0.25, tall * 0.7), (0.2, tall * 0.85), (-0.05, tall + 0.2), (-0.3, tall + 0.16)],
        0.03,
        fin,
    )
    m.slab([(-0.2, -tall * 0.7), (0.1, -tall * 0.85), (-0.15, -tall - 0.15)], 0.03, fin)
    for side in (-1, 1):
        m.ball(
            (0.0, -0.05, side * (wide + 0.02)), (0.12, 0.07, 0.02), fin, turn(y=side * 25, z=-20)
        )
    if c.maybe():
        for x in c.pick([(-0.2, 0.12), (-0.25, -0.05, 0.18), (0.0,)]):
            r = np.sqrt(1 - (x / 0.5) ** 2) * 1.03
            m.ball((x, 0, 0), (0.05, tall * r, wide * r), WHITE)
    eyes(m, (0.34, 0.06, wide * 0.72), 0.05)
    m.ball((0.49, -0.04, 0), (0.03, 0.03, 0.04), fin, sides=8)


def shark(m: Model, c: Chance) -> None:
    coat = c.color((0.45, 0.5, 0.56), (0.38, 0.46, 0.58), (0.5, 0.5, 0.5))
    x = np.array([0.85, 0.8, 0.6, 0.3, 0, -0.35, -0.7, -0.9])
    r = np.array([0.02, 0.08, 0.17, 0.23, 0.23, 0.16, 0.07, 0.04])
    m.tube(np.stack([x, 0 * x, 0 * x], axis=1), r, coat, sides=14)
    m.tube(
        np.stack([x * 0.93, -0.05 + 0 * x, 0 * x], axis=1), r * 0.88, (0.9, 0.91, 0.92), sides=14
    )
    m.slab([(-0.12, 0.18), (0.2, 0.18), (-0.15, c.between(0.45, 0.6))], 0.04, coat * 0.9)
    m.slab([(-0.8, 0.0), (-1.15, 0.4), (-1.0, 0.02), (-1.08, -0.25)], 0.04, coat * 0.9)
    for side in (-1, 1):
        outline = [(-0.05, 0), (0.22, 0), (-0.2, 0.5)]
        m.slab(outline, 0.03, coat * 0.9, (0.15, -0.07, side * 0.15), turn(x=side * 105))
        m.ball((0.58, 0.07, side * 0.15), 0.025, BLACK, sides=8)
        for i in range(3):
            m.box((0.33 - i * 0.05, 0.02, side * 0.225), (0.012, 0.12, 0.02), coat * 0.4)
    m.box((0.6, -0.13, 0), (0.16, 0.05, 0.17), (0.5, 0.1, 0.12))
    for z in np.linspace(-0.07, 0.07, 5):
        m.rod((0.67, -0.11, z), (0.67, -0.16, z), 0.02, WHITE, 0.0, sides=4)


def whale(m: Model, c: Chance) -> None:
    coat = c.color((0.2, 0.35, 0.55), (0.3, 0.4, 0.5), (0.25, 0.5, 0.75))
    x = np.array([0.8, 0.74, 0.55, 0.2, -0.15, -0.5, -0.8, -1.0])
    r = np.array([0.05, 0.25, 0.38, 0.42, 0.37, 0.23, 0.11, 0.06])
    rise = np.array([0, 0, 0, 0, 0, 0.05, 0.14, 0.25])
    m.tube(np.stack([x, rise, 0 * x], axis=1), r, coat, sides=18)
    m.tube(
        np.stack([x * 0.95, rise - 0.09, 0 * x], axis=1)[:6],
        r[:6] * 0.88,
        (0.9, 0.92, 0.94),
        sides=18,
    )
    for side in (-1, 1):
        outline = [(-0.1, 0), (0.15, 0), (-0.2, 0.5), (-0.32, 0.45)]
        m.slab(outline, 0.05, coat * 0.85, (0.2, -0.2, side * 0.33), turn(x=side * 110))
        m.slab(
            [(0, 0), (0.2, 0), (-0.15, 0.45), (-0.25, 0.35)],
            0.05,
            coat * 0.85,
            (-1.1, 0.27, 0),
            turn(x=side * 85),
        )
        m.ball((0.55, 0.02, side * 0.35), 0.04, BLACK, sides=8)
    if c.maybe(0.6):
        for angle in np.linspace(-35, 35, 5):
            tip = turn(z=angle) @ np.array([0, 0.35, 0])
            path = [
                (0.3, 0.4, 0),
                np.array([0.3, 0.4, 0]) + tip,
                np.array([0.3, 0.34, 0]) + tip * 1.1 + [-angle * 0.004, 0, 0],
            ]
            m.tube(path, [0.03, 0.035, 0.045], (0.65, 0.85, 0.97), sides=6)


def snake(m: Model, c: Chance) -> None:
    coat = c.color((0.3, 0.6, 0.2), (0.6, 0.5, 0.25), (0.8, 0.3, 0.15), (0.25, 0.25, 0.25))
    other = coat * 0.5 if c.maybe() else np.clip(coat * 1.5, 0, 1)
    s = np.linspace(0, 1, 44)
    if c.maybe(0.5):
        path = np.stack([1.6 * s - 0.8, 0.07 + 0 * s, 0.22 * np.sin(s * c.between(11, 15))], axis=1)
        path[-6:, 1] += np.linspace(0, 0.22, 6)
    else:
        angle, reach = s * 5 * np.pi, 0.5 - 0.3 * s
        path = np.stack([reach * np.cos(angle), 0.07 + 0.25 * s, reach * np.sin(angle)], axis=1)
        path[-10:] = path[-10] + np.linspace(0, 1, 10)[:, None] * [0.25, 0.5, 0.05]
    radii = 0.075 * np.minimum(1, s * 5 + 0.1)
    for i in range(0, 42, 3):
        m.tube(path[i : i + 4], radii[i : i + 4], coat if (i // 3) % 2 else other, sides=10)
    with m.placed(path[-1]):
        m.ball((0.06, 0.02, 0), (0.14, 0.075, 0.1), coat)
        eyes(m, (0.11, 0.06, 0.06), 0.028, (0.95, 0.85, 0.2))
        m.rod((0.17, 0, 0), (0.3, 0, 0), 0.012, (0.85, 0.1, 0.15), sides=5)
        for side in (-1, 1):
            m.rod((0.3, 0, 0), (0.36, 0, side * 0.04), 0.01, (0.85, 0.1, 0.15), sides=5)


def frog(m: Model, c: Chance) -> None:
    coat = c.color((0.3, 0.65, 0.2), (0.45, 0.7, 0.25), (0.35, 0.5, 0.2))
    m.ball((0, 0.27, 0), (0.36, 0.24, 0.3), coat, turn(z=18))
    m.ball((0.05, 0.22, 0), (0.32, 0.19, 0.27), (0.85, 0.9, 0.6), turn(z=18))
    m.ball((0.24, 0.42, 0), (0.23, 0.16, 0.27), coat)
    m.box((0.4, 0.38, 0), (0.12, 0.015, 0.36), coat * 0.4)
    for side in (-1, 1):
        m.ball((0.25, 0.56, side * 0.16), 0.1, coat)
        m.ball((0.32, 0.58, side * 0.17), 0.07, (0.95, 0.9, 0.4), sides=10)
        m.ball((0.37, 0.58, side * 0.18), 0.04, BLACK, sides=8)
        m.ball((-0.2, 0.18, side * 0.32), (0.22, 0.15, 0.1), coat * 0.9, turn(z=30))
        m.ball((0.0, 0.03, side * 0.42), (0.2, 0.03, 0.09), coat * 0.8)
        m.rod((0.2, 0.25, side * 0.22), (0.3, 0.02, side * 0.3), 0.06, coat * 0.9)
        m.ball((0.36, 0.02, side * 0.3), (0.11, 0.025, 0.08), coat * 0.8)


def bee(m: Model, c: Chance) -> None:
    yellow = c.color((0.98, 0.78, 0.1), (0.95, 0.65, 0.1))
    x = np.linspace(-0.55, 0.2, 9)
    r = 0.26 * np.sqrt(np.clip(1 - ((x + 0.12) / 0.45) ** 2, 0.01, 1))
    path = np.stack([x, 0 * x, 0 * x], axis=1)
    for i in range(8):
        m.tube(path[i : i + 2], r[i : i + 2], yellow if i % 2 else BLACK, sides=14)
    m.ball((0.28, 0.05, 0), 0.22, yellow * 0.85)
    m.ball((0.52, 0.05, 0), 0.17, BLACK)
    m.rod((-0.55, 0, 0), (-0.7, -0.02, 0), 0.04, BLACK, 0.0, sides=6)
    for side in (-1, 1):
        for lean, long in ((25, 0.38), (-15, 0.28)):
            at = np.array([0.12, 0.2, side * 0.1]) + turn(y=side * lean) @ np.array(
                [0, 0.12, side * long]
            )
            m.ball(at, (0.15, 0.012, long), (0.8, 0.9, 0.97), turn(x=-side * 20, y=side * lean))
        m.ball((0.6, 0.09, side * 0.1), (0.06, 0.08, 0.06), (0.35, 0.25, 0.2), sides=8)
        m.tube(
            [(0.6, 0.17, side * 0.06), (0.7, 0.3, side * 0.1), (0.82, 0.32, side * 0.13)],
            0.014,
            BLACK,
            sides=5,
        )
        for leg in (0.15, 0.28, 0.4):
            m.tube(
                [
                    (leg, -0.1, side * 0.12),
                    (leg, -0.2, side * 0.25),
                    (leg - 0.05, -0.36, side * 0.27),
                ],
                0.018,
                BLACK,
                sides=5,
            )


def butterfly(m: Model, c: Chance) -> None:
    # It climbs, so that the wings show from the side as well.
    with m.placed(turned=turn(z=c.between(15, 70))):
        _butterfly(m, c)


def _butterfly(m: Model, c: Chance) -> None:
    wing, rim = c.color(), c.color(BLACK, (0.25, 0.12, 0.05), (0.95, 0.95, 0.9))
    lift = c.between(8, 50)
    m.tube(
        [(-0.4, 0, 0), (-0.1, 0.02, 0), (0.15, 0.03, 0), (0.3, 0.03, 0)],
        [0.02, 0.05, 0.06, 0.05],
        BLACK,
    )
    m.ball((0.36, 0.04, 0), 0.07, BLACK, sides=8)
    angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    for side in (-1, 1):
        for at, size, lean in (((0.22, 0.42), (0.28, 0.42), -35), ((-0.22, 0.3), (0.22, 0.3), 35)):
            for scale, color, thick in (
                (1.0, rim, 0.02),
                (0.82, wing, 0.03),
                (0.3, rim * 0.4 + 0.55, 0.04),
            ):
                oval = np.stack([np.cos(angle) * size[0], np.sin(angle) * size[1]], axis=1) * scale
                oval = oval @ turn(z=lean)[:2, :2].T + at
                m.slab(oval, thick, color, turned=turn(x=side * (90 - lift)))
        m.tube(
            [(0.38, 0.08, side * 0.02), (0.55, 0.15, side * 0.1), (0.65, 0.16, side * 0.16)],
            0.01,
            BLACK,
            sides=5,
        )


def snail(m: Model, c: Chance) -> None:
    skin = c.color((0.8, 0.68, 0.45), (0.6, 0.5, 0.4))
    shell = c.color((0.6, 0.3, 0.12), (0.85, 0.55, 0.25), (0.7, 0.35, 0.4))
    m.tube(
        [(-0.65, 0.03, 0), (-0.3, 0.08, 0), (0.25, 0.09, 0), (0.5, 0.2, 0), (0.58, 0.36, 0)],
        [0.02, 0.11, 0.13, 0.11, 0.1],
        skin,
    )
    s = np.linspace(0, 1, 40)
    angle = s * 5.2 * np.pi + 0.9
    reach = 0.36 * (1 - s) + 0.02
    spiral = np.stack([-0.1 + reach * np.cos(angle), 0.48 + reach * np.sin(angle), 0 * s], axis=1)
    m.ball((-0.1, 0.48, 0), (0.38, 0.38, 0.16), shell * 0.7)
    m.tube(spiral, 0.15 * (1 - s) + 0.03, shell)
    for side in (-1, 1):
        m.rod((0.6, 0.42, side * 0.04), (0.7, 0.66, side * 0.1), 0.02, skin, sides=6)
        m.ball((0.7, 0.68, side * 0.1), 0.04, BLACK, sides=8)


def turtle(m: Model, c: Chance) -> None:
    skin = c.color((0.45, 0.6, 0.25), (0.55, 0.55, 0.35))
    shell = c.color((0.3, 0.4, 0.15), (0.5, 0.33, 0.15), (0.2, 0.35, 0.25))
    m.ball((0, 0.2, 0), (0.47, 0.33, 0.4), shell)
    m.ball((0, 0.17, 0), (0.5, 0.08, 0.43), np.clip(shell * 1.5, 0, 1))
    for a in range(6):
        v = turn(y=a * 60 + 30) @ np.array([0.28, 0, 0])
        m.ball((v[0], 0.41, v[2] * 0.9), (0.11, 0.05, 0.1), np.clip(shell * 1.35, 0, 1), sides=6)
    m.ball((0, 0.5, 0), (0.13, 0.05, 0.12), np.clip(shell * 1.35, 0, 1), sides=6)
    m.rod((0.35, 0.17, 0), (0.62, 0.3, 0), 0.1, skin)
    m.ball((0.66, 0.33, 0), (0.16, 0.13, 0.13), skin)
    eyes(m, (0.74, 0.38, 0.08), 0.03)
    for side in (-1, 1):
        for x in (-0.3, 0.3):
            m.ball((x, 0.08, side * 0.36), (0.15, 0.08, 0.11), skin, turn(y=side * -30))
    m.rod((-0.45, 0.14, 0), (-0.62, 0.08, 0), 0.06, skin, 0.0, sides=6)


BUILDERS = {
    "chicken": chicken, "duck": duck, "bird": bird, "owl": owl, "penguin": penguin, "fish": fish,
    "shark": shark, "whale": whale, "snake": snake, "frog": frog, "bee": bee,
    "butterfly": butterfly, "snail": snail, "turtle": turtle,
}  # fmt: skip
