"""Meshes of tableware, devices and tools. Their front faces +z."""

from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Floats, Model, grid_faces, turn

STEEL = (0.72, 0.74, 0.77)
WHITE = (0.96, 0.96, 0.96)
BLACK = (0.1, 0.1, 0.11)
GOLD = (0.88, 0.7, 0.25)
WOOD = (0.6, 0.4, 0.2)
SCREEN = (0.12, 0.15, 0.2)


def circle(radius: float, n: int = 24) -> Floats:
    """A round outline (n, 2)."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return radius * np.stack([np.cos(a), np.sin(a)], axis=1)


def candle(m: Model, c: Chance) -> None:
    wax = c.color((0.97, 0.94, 0.85), (0.85, 0.15, 0.15), (0.95, 0.85, 0.6), (0.5, 0.6, 0.85))
    r, high = c.between(0.08, 0.16), c.between(0.35, 0.8)
    m.lathe([(r, 0.05), (r, high), (r * 0.8, high + 0.02), (0, high - 0.02)], wax)
    if c.maybe(0.6):
        m.lathe([(0.26, 0), (0.3, 0.06), (0.12, 0.05), (r * 1.1, 0.1)], c.color(GOLD, STEEL))
    for _ in range(4):
        a = c.between(0, 6.28)
        m.ball(
            (r * np.cos(a), high - c.between(0.05, 0.15), r * np.sin(a)),
            (0.025, 0.08, 0.025),
            wax,
            sides=8,
        )
    m.rod((0, high - 0.02, 0), (0, high + 0.06, 0), 0.01, BLACK, sides=5)
    m.lathe(
        [(0, high + 0.04), (0.05, high + 0.11), (0.035, high + 0.2), (0, high + 0.32)],
        (1.0, 0.62, 0.1),
    )
    m.lathe([(0, high + 0.05), (0.055, high + 0.09), (0, high + 0.18)], (1.0, 0.92, 0.4))


def cup(m: Model, c: Chance) -> None:
    paint = c.color() if c.maybe(0.6) else c.color(WHITE)
    r, high, foot = c.between(0.26, 0.34), c.between(0.45, 0.7), c.between(0.65, 1.0)
    profile = [(r * foot, 0), (r, high), (r * 0.92, high), (r * foot * 0.88, 0.05), (0, 0.05)]
    m.lathe(profile, paint)
    m.lathe(
        [(r * 0.9, high * 0.86), (0, high * 0.86)], c.color((0.3, 0.17, 0.08), (0.5, 0.3, 0.12))
    )
    a = np.linspace(-1.9, 1.9, 12)
    handle = np.stack(
        [r * 0.9 + 0.2 * np.cos(a), high * 0.52 + high * 0.28 * np.sin(a), 0 * a], axis=1
    )
    m.tube(handle, 0.045, paint)
    if c.maybe(0.4):
        m.lathe([(0.3, -0.06), (0.5, 0.0), (0.48, 0.01), (0.1, -0.03)], paint)


def bottle(m: Model, c: Chance) -> None:
    glass = c.color(
        (0.15, 0.4, 0.2), (0.35, 0.2, 0.08), (0.6, 0.82, 0.92), (0.3, 0.55, 0.35), (0.55, 0.1, 0.15)
    )
    r, high = c.between(0.15, 0.22), c.between(0.5, 0.65)
    neck = c.between(0.045, 0.06)
    m.lathe(
        [
            (r * 0.95, 0),
            (r, 0.03),
            (r, high),
            (r * 0.75, high + 0.1),
            (neck, high + 0.2),
            (neck, high + 0.4),
        ],
        glass,
    )
    m.rod(
        (0, high + 0.36, 0), (0, high + 0.46, 0), neck * 1.15, c.color(WOOD, (0.85, 0.1, 0.1), GOLD)
    )
    label = c.color((0.95, 0.93, 0.85), (0.95, 0.93, 0.85), (0.85, 0.2, 0.15))
    m.lathe([(r * 1.02, high * 0.25), (r * 1.02, high * 0.75)], label)
    m.lathe([(r * 1.03, high * 0.42), (r * 1.03, high * 0.5)], label * 0.4)


def kettle(m: Model, c: Chance) -> None:
    paint = c.color(
        STEEL, (0.8, 0.15, 0.12), (0.25, 0.45, 0.65), (0.93, 0.9, 0.85), (0.15, 0.15, 0.16)
    )
    fat = c.between(0.36, 0.44)
    m.lathe(
        [(fat * 0.8, 0), (fat, 0.12), (fat * 0.95, 0.3), (fat * 0.55, 0.48), (fat * 0.4, 0.5)],
        paint,
    )
    m.lathe([(fat * 0.42, 0.5), (fat * 0.3, 0.56), (0, 0.58)], paint * 0.85)
    m.ball((0, 0.61, 0), 0.05, BLACK, sides=10)
    m.tube(
        [(fat * 0.75, 0.18, 0), (fat + 0.12, 0.3, 0), (fat + 0.2, 0.5, 0), (fat + 0.26, 0.53, 0)],
        [0.1, 0.075, 0.05, 0.045],
        paint,
    )
    if c.maybe(0.6):
        a = np.linspace(0.15, np.pi - 0.15, 14)
        arc = np.stack([fat * 0.8 * np.cos(a), 0.42 + 0.4 * np.sin(a), 0 * a], axis=1)
    else:
        a = np.linspace(-1.7, 1.7, 12)
        arc = np.stack([-fat * 0.8 - 0.22 * np.cos(a), 0.3 + 0.17 * np.sin(a), 0 * a], axis=1)
    m.tube(arc, 0.032, c.color(BLACK, WOOD))


def clock(m: Model, c: Chance) -> None:
    rim, face = c.color(), c.color(WHITE, WHITE, (0.97, 0.93, 0.8))
    alarm = c.maybe(0.4)
    m.slab(circle(0.5, 28), 0.16, rim)
    m.slab(circle(0.43, 28), 0.17, face)
    for hour in range(12):
        a = turn(z=-30 * hour)
        long = 0.09 if hour % 3 == 0 else 0.05
        m.box(a @ np.array([0, 0.39 - long / 2, 0.09]), (0.025, long, 0.02), BLACK, a)
    for long, wide in ((0.22, 0.035), (0.33, 0.025)):
        a = turn(z=c.between(0, 360))
        m.box(a @ np.array([0, long / 2, 0.1]), (wide, long, 0.02), BLACK, a)
    m.ball((0, 0, 0.1), 0.035, (0.8, 0.1, 0.1), sides=8)
    if alarm:
        for x in (-1, 1):
            m.ball((x * 0.3, 0.52, 0), (0.17, 0.14, 0.15), GOLD, turn(z=-x * 30))
            m.rod((x * 0.25, -0.42, 0), (x * 0.36, -0.62, 0), 0.045, rim, sides=8)
        m.rod((0, 0.5, 0), (0, 0.72, 0), 0.025, STEEL, sides=8)
        m.ball((0, 0.72, 0), (0.08, 0.05, 0.05), STEEL, sides=8)


def bell(m: Model, c: Chance) -> None:
    metal = c.color(GOLD, GOLD, (0.7, 0.5, 0.25), STEEL)
    m.lathe([(0.46, 0), (0.42, 0.06), (0.33, 0.2), (0.28, 0.45), (0.2, 0.58), (0, 0.62)], metal)
    m.lathe([(0.465, 0.0), (0.465, 0.04)], metal * 0.8)
    m.ring((0, 0.2, 0), 0.335, 0.015, metal * 0.75)
    m.rod((0, 0.3, 0), (0, -0.03, 0), 0.02, BLACK, sides=6)
    m.ball((0, -0.05, 0), 0.09, metal * 0.6, sides=10)
    if c.maybe():
        m.lathe(
            [(0.05, 0.6), (0.06, 0.7), (0.04, 0.8), (0.07, 1.0), (0, 1.05)], c.color(WOOD, BLACK)
        )
    else:
        m.ring((0, 0.7, 0), 0.1, 0.035, metal * 0.8, turn(x=90))


def telephone(m: Model, c: Chance) -> None:
    paint = c.color((0.75, 0.12, 0.1), BLACK, (0.9, 0.87, 0.78), (0.2, 0.45, 0.4))
    m.box((0, 0.2, 0), (0.8, 0.4, 0.7), paint, top=(0.7, 0.45))
    with m.placed((0, 0.21, 0.27), turned=turn(x=-62)):
        m.slab(circle(0.22), 0.05, (0.93, 0.93, 0.9))
        for a in np.linspace(0, 5.2, 10):
            m.slab(circle(0.032, 8), 0.02, BLACK, (0.16 * np.cos(a), 0.16 * np.sin(a), 0.03))
        m.slab(circle(0.08), 0.02, paint, (0, 0, 0.03))
    for x in (-0.22, 0.22):
        m.box((x, 0.45, -0.03), (0.08, 0.14, 0.25), paint)
    m.tube([(-0.42, 0.52, 0), (-0.25, 0.6, 0), (0.25, 0.6, 0), (0.42, 0.52, 0)], 0.065, paint * 0.9)
    for x in (-0.45, 0.45):
        m.rod((x, 0.57, 0), (x * 1.05, 0.42, 0), 0.12, paint * 0.9, 0.14)
    if c.maybe(0.6):
        s = np.linspace(0, 1, 60)
        cord = np.stack(
            [-0.5 - 0.1 * s + 0.035 * np.cos(70 * s), 0.42 - 0.38 * s, 0.035 * np.sin(70 * s)],
            axis=1,
        )
        m.tube(cord, 0.014, BLACK, sides=5)


def television(m: Model, c: Chance) -> None:
    glow = c.color((0.3, 0.5, 0.8), (0.12, 0.14, 0.18), (0.4, 0.65, 0.5))
    if c.maybe(0.55):
        m.box((0, 0.5, 0), (1.4, 0.82, 0.06), BLACK)
        m.box((0, 0.51, 0.032), (1.32, 0.73, 0.01), glow)
        m.box((0, 0.06, -0.02), (0.12, 0.12, 0.06), BLACK)
        m.box((0, 0.01, 0), (0.5, 0.03, 0.26), BLACK)
        return
    case = c.color(WOOD, (0.8, 0.2, 0.2), (0.85, 0.82, 0.75), BLACK)
    m.box((0, 0.5, -0.1), (1.1, 0.8, 0.5), case)
    m.box((-0.12, 0.52, 0.152), (0.76, 0.64, 0.02), BLACK)
    m.ball((-0.12, 0.52, 0.15), (0.35, 0.29, 0.05), glow)
    for y in (0.7, 0.52):
        m.rod((0.4, y, 0.14), (0.4, y, 0.2), 0.06, STEEL)
    for y in (0.36, 0.3, 0.24):
        m.box((0.4, y, 0.155), (0.18, 0.025, 0.02), BLACK)
    for x in (-1, 1):
        m.rod((0, 0.9, -0.1), (x * 0.35, 1.35, -0.1), 0.015, STEEL, sides=6)
        m.rod((x * 0.35, 0.1, -0.1), (x * 0.45, -0.15, -0.1), 0.035, BLACK, sides=6)


def laptop(m: Model, c: Chance) -> None:
    case = c.color(STEEL, STEEL, (0.2, 0.2, 0.22), (0.85, 0.6, 0.6))
    m.box((0, 0.02, 0), (1.0, 0.05, 0.68), case)
    for row in range(4):
        for col in range(11):
            m.box((-0.4 + col * 0.08, 0.05, -0.2 + row * 0.085), (0.065, 0.012, 0.068), BLACK)
    m.box((0, 0.05, 0.22), (0.28, 0.006, 0.16), case * 0.8)
    with m.placed((0, 0.04, -0.33), turned=turn(x=-c.between(5, 30))):
        m.box((0, 0.34, 0), (1.0, 0.66, 0.03), case)
        m.box(
            (0, 0.34, 0.017),
            (0.92, 0.57, 0.005),
            c.color((0.3, 0.55, 0.85), (0.12, 0.14, 0.2), (0.9, 0.93, 0.96)),
        )


def camera(m: Model, c: Chance) -> None:
    case = c.color(BLACK, BLACK, (0.55, 0.33, 0.18), (0.7, 0.2, 0.2))
    m.box((0, 0.3, 0), (0.95, 0.5, 0.3), case)
    m.box((0, 0.5, 0), (0.96, 0.12, 0.31), STEEL)
    m.box((0, 0.62, 0), (0.34, 0.16, 0.26), case, top=(0.7, 0.8))
    for z, r, color in ((0.24, 0.24, BLACK), (0.36, 0.21, STEEL), (0.42, 0.18, BLACK)):
        m.rod((0, 0.3, 0.1), (0, 0.3, z), r, color, sides=22)
    m.ball((0, 0.3, 0.4), (0.15, 0.15, 0.05), (0.25, 0.35, 0.6))
    m.ball((-0.04, 0.35, 0.44), (0.03, 0.03, 0.01), WHITE, sides=8)
    m.rod((-0.33, 0.55, 0), (-0.33, 0.61, 0), 0.07, (0.85, 0.1, 0.1))
    m.rod((0.33, 0.55, 0), (0.33, 0.6, 0), 0.09, BLACK)
    m.box((0.33, 0.44, 0.155), (0.16, 0.1, 0.01), (0.95, 0.95, 0.8))


def umbrella(m: Model, c: Chance) -> None:
    paint, other = c.color(), c.color(WHITE, WHITE, BLACK, (0.95, 0.8, 0.2))
    striped, ribs = c.maybe(0.5), 8
    t = np.linspace(0, 1, 5)
    for i in range(ribs):
        a, b = 2 * np.pi * i / ribs, 2 * np.pi * (i + 1) / ribs
        mid = (a + b) / 2
        rows = [
            np.array(
                [
                    [0.75 * s * np.cos(x) * k, 0.72 - 0.33 * s**2, 0.75 * s * np.sin(x) * k]
                    for x, k in ((a, 1), (mid, 1 - 0.1 * s), (b, 1))
                ]
            )
            for s in t
        ]

        m.add(
            (np.concatenate(rows), grid_faces(5, 3, closed=False)),
            other if striped and i % 2 else paint,
        )
    m.rod((0, -0.5, 0), (0, 0.84, 0), 0.02, STEEL, sides=8)
    hook = np.linspace(0, np.pi, 9)
    m.tube(
        np.stack([0.09 - 0.09 * np.cos(hook), -0.5 - 0.1 * np.sin(hook), 0 * hook], axis=1),
        0.03,
        c.color(WOOD, BLACK),
    )


def hammer(m: Model, c: Chance) -> None:
    grip = c.color(WOOD, WOOD, (0.75, 0.15, 0.1), (0.9, 0.7, 0.1))
    long = c.between(0.9, 1.2)
    m.rod((0, 0, 0), (0, long, 0), 0.055, grip, 0.045)
    if c.maybe(0.25):
        m.rod((-0.3, long, 0), (0.3, long, 0), 0.16, c.color(WOOD, (0.3, 0.3, 0.32)))
        return
    m.box((0, long, 0), (0.2, 0.13, 0.13), (0.4, 0.41, 0.44))
    m.rod((0.08, long, 0), (0.3, long, 0), 0.065, (0.4, 0.41, 0.44))
    m.rod((0.28, long, 0), (0.34, long, 0), 0.09, STEEL)
    for z in (-0.04, 0.04):
        m.tube(
            [(-0.08, long, z * 0.5), (-0.22, long, z), (-0.36, long - 0.1, z * 1.4)],
            [0.06, 0.045, 0.015],
            (0.4, 0.41, 0.44),
        )


def scissors(m: Model, c: Chance) -> None:
    grip, opening = c.color(), c.between(6, 24)
    for side in (-1, 1):
        with m.placed((0, 0, side * 0.012), turned=turn(z=side * opening)):
            m.slab(
                [(-0.06, -0.05), (0.06, -0.05), (0.055, 0.2), (side * 0.01, 0.85), (-0.05, 0.2)],
                0.022,
                STEEL,
            )
            m.rod((0, -0.05, 0), (side * 0.06, -0.22, 0), 0.035, grip)
            m.ring((side * 0.12, -0.4, 0), 0.16, 0.045, grip, turn(x=90))
    m.ball((0, 0, 0), (0.045, 0.045, 0.04), (0.3, 0.3, 0.3), sides=8)


def saw(m: Model, c: Chance) -> None:
    teeth = 18
    x = np.linspace(0.0, 1.2, 2 * teeth + 1)
    low = -0.14 - 0.035 * (np.arange(2 * teeth + 1) % 2) + 0.06 * x / 1.2
    top = [(1.2, 0.0), (0.0, 0.14)]
    m.slab(np.concatenate([np.stack([x, low], axis=1), top]), 0.02, STEEL)
    grip = c.color(WOOD, WOOD, (0.85, 0.3, 0.1), (0.2, 0.2, 0.22))
    a = np.linspace(0, 2 * np.pi, 18)
    hoop = np.stack([-0.17 + 0.15 * np.cos(a), 0.0 + 0.19 * np.sin(a), 0 * a], axis=1)
    m.tube(hoop, 0.05, grip)
    m.box((0.0, 0.0, 0), (0.16, 0.28, 0.07), grip)


def axe(m: Model, c: Chance) -> None:
    grip, metal = (
        c.color(WOOD, (0.45, 0.27, 0.13), (0.8, 0.15, 0.1)),
        c.color((0.5, 0.52, 0.55), (0.75, 0.15, 0.1)),
    )
    m.tube(
        [(0, 0, 0), (0.03, 0.4, 0), (-0.01, 0.9, 0), (0.0, 1.25, 0)],
        [0.05, 0.04, 0.045, 0.05],
        grip,
    )
    for side in (1, -1) if c.maybe(0.25) else (1,):
        blade = np.array(
            [
                (0.0, 1.02),
                (0.12, 1.0),
                (0.34, 0.85),
                (0.4, 1.08),
                (0.34, 1.3),
                (0.12, 1.2),
                (0.0, 1.18),
            ]
        )
        edge = np.array(
            [(0.3, 0.87), (0.34, 0.83), (0.43, 1.08), (0.34, 1.32), (0.3, 1.27), (0.36, 1.08)]
        )
        m.slab(blade * [side, 1], 0.07, metal)
        m.slab(edge * [side, 1], 0.03, (0.88, 0.89, 0.9))
    m.box((-0.06, 1.1, 0), (0.16, 0.16, 0.12), metal)


def fan(m: Model, c: Chance) -> None:
    paint, blades = c.color(WHITE, BLACK, STEEL, (0.4, 0.65, 0.8)), c.color()
    high = c.pick([0.55, 0.6, 1.0])
    m.lathe([(0.28, 0), (0.26, 0.05), (0.05, 0.1), (0.04, high)], paint)
    with m.placed((0, high + 0.1, 0.05), turned=turn(x=-c.between(0, 15))):
        m.rod((0, 0, -0.2), (0, 0, -0.02), 0.1, paint)
        count, spin = c.pick([3, 4, 5]), c.between(0, 90)
        for i in range(count):
            a = turn(z=spin + 360 * i / count)
            m.ball(a @ np.array([0, 0.2, 0.02]), (0.1, 0.18, 0.012), blades, a @ turn(y=25))
        m.ball((0, 0, 0.04), (0.08, 0.08, 0.06), paint * 0.8)
        for r in (0.42, 0.3, 0.18):
            m.ring((0, 0, 0.1), r, 0.01, STEEL, turn(x=90))
        m.ring((0, 0, 0), 0.43, 0.02, paint, turn(x=90))
        for a in np.linspace(0, 2 * np.pi, 14, endpoint=False):
            v = np.array([np.cos(a), np.sin(a), 0])
            m.rod(v * 0.08 + [0, 0, 0.12], v * 0.43 + [0, 0, 0.04], 0.007, STEEL, sides=4)


def key(m: Model, c: Chance) -> None:
    metal = c.color(GOLD, GOLD, STEEL, (0.55, 0.35, 0.2))
    m.ring((0, 0, 0), 0.2, 0.055, metal, turn(x=90))
    if c.maybe():
        m.ring((0, 0, 0), 0.1, 0.03, metal * 0.9, turn(x=90))
    m.rod((0.2, 0, 0), (1.0, 0, 0), 0.045, metal)
    for x in (0.24, 0.32):
        m.rod((x, 0, 0), (x + 0.03, 0, 0), 0.075, metal * 0.85)
    for x in np.linspace(0.72, 0.95, c.whole(2, 3)):
        m.box((x, -0.12, 0), (0.075, 0.2 + c.between(-0.05, 0.05), 0.05), metal)


BUILDERS = {
    "candle": candle, "cup": cup, "bottle": bottle, "kettle": kettle, "clock": clock, "bell": bell,
    "telephone": telephone, "television": television, "laptop": laptop, "camera": camera,
    "umbrella": umbrella, "hammer": hammer, "scissors": scissors, "saw": saw, "axe": axe,
    "fan": fan, "key": key,
}  # fmt: skip
