"""Meshes of what drives, flies and swims. They look along +x."""

# ruff: noqa: RUF005  (vectors are added here, not lists)
from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Color, Model, grid_faces, turn

TYRE = (0.08, 0.08, 0.09)
STEEL = (0.7, 0.72, 0.75)
GLASS = (0.55, 0.75, 0.88)
LAMP = (1.0, 0.95, 0.6)
WOOD = (0.55, 0.36, 0.18)


def wheel(
    m: Model, at: tuple[float, float, float], radius: float, wide: float, hub: Color = STEEL
) -> None:
    """A tyre with its hub, axis along z."""
    x, y, z = at
    m.rod((x, y, z - wide / 2), (x, y, z + wide / 2), radius, TYRE, sides=18)
    m.rod((x, y, z - wide * 0.56), (x, y, z + wide * 0.56), radius * 0.55, hub, sides=12)


def wheels(m: Model, xs: tuple[float, ...], radius: float, z: float, wide: float) -> None:
    """A wheel on both sides at each x."""
    for x in xs:
        for side in (-1, 1):
            wheel(m, (x, radius, side * z), radius, wide)


def car(m: Model, c: Chance) -> None:
    paint = c.color() if c.maybe(0.7) else c.color((0.9, 0.9, 0.9), (0.15, 0.15, 0.17))
    long, roof = c.between(0.9, 1.1), c.between(0.3, 0.4)
    m.box((0, 0.33, 0), (2 * long, 0.3, 0.8), paint, top=(0.96, 0.92))
    cabin = c.between(0.9, 1.25)
    m.box((-0.12, 0.47 + roof / 2, 0), (cabin, roof, 0.74), GLASS, top=(0.65, 0.82))
    m.box((-0.12, 0.485 + roof, 0), (cabin * 0.66, 0.05, 0.62), paint)
    m.box((-0.12, 0.47 + roof / 2, 0), (0.06, roof, 0.745), paint, top=(1, 0.84))
    wheels(m, (-0.58 * long, 0.6 * long), 0.2, 0.38, 0.14)
    for side in (-1, 1):
        m.ball((long * 0.985, 0.37, side * 0.28), (0.05, 0.06, 0.09), LAMP, sides=8)
        m.box((-long * 0.985, 0.38, side * 0.3), (0.05, 0.08, 0.14), (0.8, 0.1, 0.1))
    m.box((long * 0.99, 0.24, 0), (0.06, 0.08, 0.7), (0.3, 0.3, 0.32))
    m.box((-long * 0.99, 0.24, 0), (0.06, 0.08, 0.7), (0.3, 0.3, 0.32))


def bus(m: Model, c: Chance) -> None:
    paint = c.color((0.85, 0.15, 0.12), (0.95, 0.75, 0.1), (0.2, 0.45, 0.8), (0.2, 0.6, 0.35))
    long = c.between(1.3, 1.6)
    floors = 2 if c.maybe(0.25) else 1
    high = 0.8 * floors + 0.1
    m.box((0, 0.15 + high / 2, 0), (2 * long, high, 0.75), paint)
    for floor in range(floors):
        y = 0.68 + floor * 0.72
        for x in np.linspace(-long + 0.25, long - 0.45, 6):
            m.box((x, y, 0), (0.34, 0.3, 0.77), GLASS)
        m.box((long, y, 0), (0.03, 0.36, 0.65), GLASS)
        m.box((-long, y, 0), (0.03, 0.3, 0.6), GLASS)
    m.box((long - 0.18, 0.48, 0.38), (0.22, 0.6, 0.02), (0.3, 0.35, 0.4))
    m.box((0, 0.36, 0), (2 * long + 0.01, 0.06, 0.76), c.color((0.95, 0.95, 0.95), (0.1, 0.1, 0.1)))
    wheels(m, (-long * 0.6, long * 0.6), 0.2, 0.34, 0.14)
    for side in (-1, 1):
        m.ball((long, 0.28, side * 0.27), (0.03, 0.06, 0.06), LAMP, sides=8)


def truck(m: Model, c: Chance) -> None:
    paint = c.color()
    load = c.color((0.93, 0.93, 0.93), (0.6, 0.62, 0.65), (0.85, 0.5, 0.2))
    kind = c.pick(["box", "open", "tank"])
    m.box((-0.1, 0.3, 0), (2.5, 0.14, 0.6), (0.2, 0.2, 0.22))
    m.box((0.85, 0.68, 0), (0.55, 0.75, 0.76), paint, top=(0.85, 0.95))
    m.box((0.96, 0.86, 0), (0.36, 0.28, 0.77), GLASS, top=(0.75, 0.97))
    m.box((1.14, 0.4, 0), (0.06, 0.2, 0.76), (0.25, 0.25, 0.27))
    if kind == "box":
        m.box((-0.4, 0.88, 0), (1.7, 1.05, 0.82), load)
    elif kind == "tank":
        m.rod((-1.25, 0.75, 0), (0.45, 0.75, 0), 0.38, load, sides=20)
    else:
        m.box((-0.4, 0.4, 0), (1.75, 0.08, 0.82), load)
        for z in (-0.4, 0.4):
            m.box((-0.4, 0.58, z), (1.75, 0.35, 0.05), load)
        m.box((-1.26, 0.58, 0), (0.05, 0.35, 0.8), load)
        m.ball((-0.4, 0.6, 0), (0.7, 0.25, 0.34), c.color((0.45, 0.33, 0.2), (0.6, 0.6, 0.6)))
    wheels(m, (-0.95, -0.5, 0.8), 0.22, 0.34, 0.16)
    for side in (-1, 1):
        m.ball((1.16, 0.48, side * 0.27), (0.03, 0.06, 0.06), LAMP, sides=8)


def train(m: Model, c: Chance) -> None:
    paint = c.color((0.1, 0.1, 0.12), (0.1, 0.35, 0.2), (0.65, 0.12, 0.1), (0.15, 0.25, 0.55))
    trim = c.color((0.85, 0.15, 0.1), (0.9, 0.7, 0.2))
    m.box((0, 0.35, 0), (2.2, 0.12, 0.6), trim)
    m.rod((-0.3, 0.75, 0), (1.0, 0.75, 0), 0.32, paint, sides=20)
    m.rod((1.0, 0.75, 0), (1.04, 0.75, 0), 0.29, (0.25, 0.25, 0.27), sides=20)
    for x in (0.0, 0.4, 0.8):
        m.ring((x, 0.75, 0), 0.32, 0.02, (0.85, 0.65, 0.25), turn(z=90))
    m.box((-0.65, 0.85, 0), (0.7, 0.95, 0.72), paint)
    m.box((-0.65, 1.36, 0), (0.85, 0.07, 0.82), trim)
    m.box((-0.65, 1.08, 0), (0.4, 0.28, 0.74), GLASS)
    m.lathe([(0.09, 0), (0.09, 0.3), (0.16, 0.45)], (0.15, 0.15, 0.16), (0.8, 1.03, 0))
    m.ball((0.3, 1.08, 0), (0.12, 0.12, 0.12), (0.85, 0.65, 0.25))
    m.ball((1.06, 0.95, 0), 0.07, LAMP)
    m.box((1.2, 0.2, 0), (0.3, 0.25, 0.6), trim, top=(0.2, 0.8))
    wheels(m, (-0.75, -0.1, 0.32, 0.72), 0.2, 0.3, 0.08)
    for side in (-1, 1):
        m.box((0.2, 0.22, side * 0.36), (1.1, 0.05, 0.03), STEEL)
    if c.maybe(0.6):
        m.box((-1.75, 0.55, 0), (1.0, 0.5, 0.65), c.color())
        m.ball((-1.75, 0.8, 0), (0.45, 0.15, 0.28), (0.1, 0.1, 0.1))
        wheels(m, (-2.05, -1.45), 0.18, 0.3, 0.08)
        m.box((-1.15, 0.35, 0), (0.3, 0.06, 0.1), (0.2, 0.2, 0.2))


def _spokes(m: Model, x: float, y: float, radius: float, count: int) -> None:
    for a in np.linspace(0, np.pi, count, endpoint=False):
        v = np.array([np.cos(a), np.sin(a), 0]) * radius
        m.rod(np.array([x, y, 0]) - v, np.array([x, y, 0]) + v, 0.008, STEEL, sides=4)


def bicycle(m: Model, c: Chance) -> None:
    paint = c.color()
    r, thick = c.between(0.36, 0.42), c.between(0.025, 0.035)
    back, front = np.array([-0.62, r, 0]), np.array([0.62, r, 0])
    seat, pedal, head = (
        np.array([-0.2, 0.85, 0]),
        np.array([-0.08, r - 0.03, 0]),
        np.array([0.42, 0.88, 0]),
    )
    for hub in (back, front):
        m.ring(hub, r, thick, TYRE, turn(x=90), sides=30)
        _spokes(m, hub[0], hub[1], r, 6)
        m.ball(hub, 0.05, STEEL, sides=8)
    for a, b in (
        (pedal, seat),
        (pedal, head),
        (seat, head),
        (back, seat),
        (back, pedal),
        (front, head),
    ):
        m.rod(a, b, 0.03, paint, sides=8)
    m.rod(seat, seat + [-0.03, 0.13, 0], 0.02, STEEL, sides=8)
    m.ball(seat + [-0.04, 0.15, 0], (0.15, 0.04, 0.08), (0.15, 0.1, 0.08))
    m.rod(head, head + [-0.04, 0.17, 0], 0.02, STEEL, sides=8)
    m.tube(
        [
            head + [-0.14, 0.2, -0.26],
            head + [-0.03, 0.2, -0.12],
            head + [-0.03, 0.2, 0.12],
            head + [-0.14, 0.2, 0.26],
        ],
        0.025,
        (0.15, 0.15, 0.15),
    )
    m.ring(pedal, 0.1, 0.015, STEEL, turn(x=90))
    for side in (-1, 1):
        foot = pedal + [0.13 * side, -0.1 * side, 0.07 * side]
        m.rod(pedal + [0, 0, 0.07 * side], foot, 0.015, STEEL, sides=6)
        m.box(foot + [0, 0, 0.05 * side], (0.1, 0.03, 0.09), TYRE)
    if c.maybe(0.4):
        m.box(head + [0.14, 0.05, 0], (0.2, 0.16, 0.24), (0.6, 0.42, 0.22))


def motorcycle(m: Model, c: Chance) -> None:
    paint = c.color()
    m.ring((-0.62, 0.33, 0), 0.25, 0.09, TYRE, turn(x=90))
    m.ring((0.65, 0.33, 0), 0.25, 0.08, TYRE, turn(x=90))
    for x in (-0.62, 0.65):
        m.rod((x, 0.33, -0.05), (x, 0.33, 0.05), 0.14, STEEL)
    m.ball((0.1, 0.72, 0), (0.3, 0.16, 0.16), paint)
    m.box((0.0, 0.42, 0), (0.45, 0.34, 0.26), (0.35, 0.35, 0.37))
    for y in (0.34, 0.42, 0.5):
        m.box((0.02, y, 0), (0.36, 0.03, 0.32), STEEL)
    m.ball((-0.38, 0.7, 0), (0.32, 0.07, 0.14), (0.12, 0.1, 0.1))
    m.ball((-0.62, 0.6, 0), (0.3, 0.08, 0.1), paint, turn(z=-15))
    for side in (-1, 1):
        m.rod((0.65, 0.33, side * 0.1), (0.4, 0.95, side * 0.1), 0.03, STEEL)
        m.rod((0.4, 0.95, 0), (0.3, 1.05, side * 0.34), 0.025, (0.1, 0.1, 0.1))
    m.tube([(0.1, 0.3, 0.2), (-0.3, 0.25, 0.22), (-0.85, 0.35, 0.22)], [0.04, 0.05, 0.07], STEEL)
    m.ball((0.55, 0.86, 0), (0.1, 0.11, 0.11), LAMP)
    m.ball((0.68, 0.6, 0), (0.2, 0.05, 0.1), paint, turn(z=-10))
    if c.maybe(0.4):
        m.box((0.52, 1.05, 0), (0.04, 0.25, 0.3), GLASS, turn(z=25))


def tractor(m: Model, c: Chance) -> None:
    paint = c.color((0.15, 0.5, 0.15), (0.8, 0.12, 0.1), (0.15, 0.35, 0.75), (0.9, 0.5, 0.1))
    m.box((0.45, 0.62, 0), (0.95, 0.42, 0.46), paint, top=(1.0, 0.85))
    m.box((0.93, 0.6, 0), (0.03, 0.34, 0.36), (0.15, 0.15, 0.15))
    m.box((-0.35, 0.62, 0), (0.75, 0.35, 0.5), paint)
    m.box((-0.35, 1.05, 0), (0.62, 0.6, 0.55), GLASS, top=0.9)
    m.box((-0.35, 1.38, 0), (0.72, 0.07, 0.62), paint)
    for x in (-0.63, -0.07):
        for z in (-0.27, 0.27):
            m.rod((x, 0.78, z), (x * 0.93 - 0.02, 1.36, z * 0.93), 0.025, (0.1, 0.1, 0.1), sides=6)
    m.rod((0.55, 0.8, 0.12), (0.55, 1.25, 0.12), 0.035, (0.2, 0.2, 0.2))
    hub = c.color((0.95, 0.8, 0.2), (0.9, 0.9, 0.9))
    for side in (-1, 1):
        wheel(m, (-0.45, 0.5, side * 0.45), 0.5, 0.26, hub)
        for a in np.linspace(0, 2 * np.pi, 14, endpoint=False):
            m.box(
                (-0.45 + 0.5 * np.cos(a), 0.5 + 0.5 * np.sin(a), side * 0.45),
                (0.06, 0.06, 0.26),
                TYRE,
                turn(z=np.rad2deg(a)),
            )
        wheel(m, (0.7, 0.28, side * 0.36), 0.28, 0.18, hub)
        m.ball((0.95, 0.72, side * 0.15), (0.03, 0.06, 0.06), LAMP, sides=8)


def airplane(m: Model, c: Chance) -> None:
    paint = c.color(
        (0.95, 0.95, 0.96), (0.95, 0.95, 0.96), (0.8, 0.2, 0.2), (0.95, 0.8, 0.2), (0.6, 0.65, 0.7)
    )
    trim = c.color()
    jet = c.maybe(0.65)
    x = np.array([1.0, 0.95, 0.82, 0.6, -0.4, -0.8, -1.05])
    r = np.array([0.02, 0.08, 0.13, 0.15, 0.15, 0.09, 0.03])
    y = np.array([-0.03, -0.02, 0, 0, 0, 0.03, 0.07])
    m.tube(np.stack([x, y, 0 * x], axis=1), r, paint, sides=16)
    m.box((0.83, 0.09, 0), (0.14, 0.08, 0.17), GLASS, turn(z=-25))
    sweep = c.between(0.3, 0.55) if jet else 0.05
    for side in (-1, 1):
        wing = [(0.25, 0), (-0.2, 0), (-0.15 - sweep, 1.05), (-0.02 - sweep, 1.05)]
        m.slab(wing, 0.04, paint * 0.9, (0.05, -0.05 if jet else 0.15, 0), turn(x=side * 87))
        m.slab(
            [(0.1, 0), (-0.15, 0), (-0.3, 0.4), (-0.18, 0.4)],
            0.03,
            trim,
            (-0.85, 0.07, 0),
            turn(x=side * 87),
        )
        if jet:
            m.rod((-0.1, -0.14, side * 0.4), (0.25, -0.14, side * 0.4), 0.08, trim)
        else:
            m.rod((0.3, -0.1, side * 0.05), (0.3, -0.3, side * 0.15), 0.02, STEEL, sides=6)
            wheel(m, (0.3, -0.32, side * 0.16), 0.08, 0.05)
        for i in range(7):
            m.box((0.5 - i * 0.16, 0.05, side * 0.142), (0.06, 0.06, 0.02), (0.2, 0.3, 0.45))
    m.slab([(-0.7, 0.08), (-1.05, 0.08), (-1.15, 0.48), (-0.98, 0.48)], 0.04, trim)
    if not jet:
        m.ball((1.02, -0.02, 0), 0.05, trim, sides=8)
        m.box((1.03, -0.02, 0), (0.02, 0.75, 0.07), (0.25, 0.2, 0.15), turn(x=c.between(0, 90)))


def helicopter(m: Model, c: Chance) -> None:
    paint = c.color()
    m.ball((0.25, 0, 0), (0.55, 0.36, 0.32), paint)
    m.ball((0.43, 0.05, 0), (0.4, 0.29, 0.285), GLASS)
    m.rod((-0.05, 0.08, 0), (-1.25, 0.18, 0), 0.16, paint, 0.05)
    m.slab([(-1.15, 0.15), (-1.32, 0.15), (-1.45, 0.5), (-1.32, 0.5)], 0.04, paint * 0.8)
    m.slab([(-0.1, 0), (0.1, 0), (0, 0.3)], 0.03, paint * 0.8, (-1.1, 0.17, 0), turn(x=90))
    m.slab([(-0.1, 0), (0.1, 0), (0, 0.3)], 0.03, paint * 0.8, (-1.1, 0.17, 0), turn(x=-90))
    m.rod((0.15, 0.3, 0), (0.15, 0.52, 0), 0.06, STEEL)
    spin, blades = c.between(0, 90), c.pick([2, 3, 4])
    for i in range(blades):
        a = turn(y=spin + 360 * i / blades)
        m.box(a @ np.array([0.6, 0, 0]) + [0.15, 0.53, 0], (1.2, 0.02, 0.1), (0.2, 0.2, 0.22), a)
    m.ball((0.15, 0.53, 0), (0.1, 0.05, 0.1), STEEL, sides=8)
    for i in range(2):
        m.box((-1.35, 0.32, 0.05), (0.05, 0.5, 0.02), (0.2, 0.2, 0.22), turn(z=spin + 90 * i))
    for side in (-1, 1):
        m.tube(
            [(-0.3, -0.52, side * 0.3), (0.6, -0.52, side * 0.3), (0.78, -0.44, side * 0.3)],
            0.03,
            STEEL,
        )
        for x in (0.0, 0.45):
            m.rod((x, -0.25, side * 0.2), (x, -0.52, side * 0.3), 0.025, STEEL, sides=6)


def _hull(m: Model, long: float, high: float, wide: float, color: Color) -> None:
    s = np.linspace(-1, 1, 11)
    half = wide / 2 * np.sqrt(np.clip(1 - np.clip(s, 0, 1) ** 2.2, 0, 1))
    half[s < 0] *= 1 - 0.15 * s[s < 0] ** 2
    outline = np.concatenate([np.stack([s, half], axis=1), np.stack([s, -half], axis=1)[-2::-1]])
    n = len(outline)
    rings = []
    for y, scale in ((0.0, 0.7), (high * 0.5, 0.9), (high, 1.0)):
        rings.append(
            np.stack(
                [outline[:, 0] * long / 2 * scale, np.full(n, y), -outline[:, 1] * scale], axis=1
            )
        )
    keel, deck = np.zeros((n, 3)), np.zeros((n, 3)) + [0.0, high * 0.93, 0.0]
    vertices = np.concatenate([keel, *rings, deck])
    m.add((vertices, grid_faces(5, n)), color)


def sailboat(m: Model, c: Chance) -> None:
    _hull(m, 1.9, 0.32, 0.6, c.color(WOOD, (0.9, 0.9, 0.9), (0.75, 0.15, 0.12), (0.15, 0.3, 0.6)))
    m.box((-0.15, 0.32, 0), (0.6, 0.04, 0.45), WOOD)
    tall = c.between(1.5, 1.9)
    m.rod((0.1, 0.2, 0), (0.1, tall, 0), 0.03, WOOD)
    sail = c.color((0.97, 0.96, 0.92), (0.97, 0.96, 0.92), (0.9, 0.3, 0.2), (0.95, 0.75, 0.3))
    m.slab([(0.05, 0.5), (-0.85, 0.5), (0.05, tall)], 0.03, sail, turned=turn(y=c.between(-15, 15)))
    if c.maybe(0.8):
        m.slab([(0.16, 0.5), (0.85, 0.42), (0.14, tall * 0.85)], 0.02, sail * 0.93)
    m.rod((0.1, 0.47, 0), (-0.85, 0.47, 0), 0.025, WOOD)
    if c.maybe(0.4):
        m.slab([(0.1, tall), (-0.2, tall + 0.07), (0.1, tall + 0.14)], 0.015, c.color())


def ship(m: Model, c: Chance) -> None:
    hull = c.color((0.95, 0.95, 0.95), (0.15, 0.2, 0.35), (0.6, 0.15, 0.12), (0.15, 0.15, 0.16))
    _hull(m, 3.0, 0.5, 0.72, hull)
    decks = c.whole(2, 3)
    for i in range(decks):
        long = 1.9 - i * 0.45
        m.box((-0.15, 0.58 + i * 0.2, 0), (long, 0.2, 0.52 - i * 0.06), (0.96, 0.96, 0.95))
        for x in np.linspace(-long / 2 + 0.1, long / 2 - 0.1, 9 - i * 2):
            m.box((x - 0.15, 0.6 + i * 0.2, 0), (0.08, 0.07, 0.53 - i * 0.06), (0.2, 0.35, 0.5))
    top, stack = (
        0.58 + decks * 0.2 - 0.1,
        c.color((0.85, 0.2, 0.1), (0.95, 0.75, 0.2), (0.2, 0.3, 0.5)),
    )
    for x in np.linspace(-0.55, 0.15, c.whole(1, 3)):
        m.rod((x, top, 0), (x - 0.05, top + 0.42, 0), 0.11, stack)
        m.rod((x - 0.045, top + 0.36, 0), (x - 0.055, top + 0.46, 0), 0.115, (0.1, 0.1, 0.1))
    m.rod((0.95, 0.45, 0), (0.95, 1.2, 0), 0.02, STEEL, sides=6)


def rocket(m: Model, c: Chance) -> None:
    paint = c.color((0.95, 0.95, 0.95), (0.85, 0.86, 0.9), (0.3, 0.5, 0.8))
    trim = c.color((0.85, 0.15, 0.1), (0.95, 0.5, 0.1), (0.2, 0.3, 0.75))
    fat = c.between(0.2, 0.3)
    m.lathe(
        [(fat * 0.7, -0.8), (fat, -0.5), (fat * 1.05, 0), (fat * 0.9, 0.5), (fat * 0.7, 0.7)], paint
    )
    m.lathe([(fat * 0.7, 0.7), (fat * 0.42, 0.95), (0.0, 1.2)], trim)
    m.ring((0, -0.5, 0), fat, 0.02, trim)
    m.lathe([(fat * 0.55, -0.95), (fat * 0.4, -0.8)], (0.25, 0.25, 0.27))
    for i in range(c.pick([3, 4])):
        fin = [(fat * 0.8, -0.3), (fat * 0.6, -0.8), (fat + 0.32, -1.05), (fat + 0.32, -0.75)]
        m.slab(fin, 0.05, trim, turned=turn(y=i * (360 / 4) + 45))
    for y in c.pick([(0.3,), (0.3, -0.1)]):
        m.ring((fat * 0.93, y, 0), 0.11, 0.03, STEEL, turn(z=90))
        m.ball((fat * 0.92, y, 0), (0.06, 0.1, 0.1), GLASS)
    if c.maybe():
        m.lathe([(0.0, -1.6), (fat * 0.5, -1.1), (fat * 0.35, -0.9)], (1.0, 0.6, 0.1))
        m.lathe([(0.0, -1.4), (fat * 0.3, -1.1), (fat * 0.3, -0.9)], (1.0, 0.9, 0.3))


BUILDERS = {
    "car": car, "bus": bus, "truck": truck, "train": train, "bicycle": bicycle,
    "motorcycle": motorcycle, "tractor": tractor, "airplane": airplane, "helicopter": helicopter,
    "sailboat": sailboat, "ship": ship, "rocket": rocket,
}  # fmt: skip
