"""Meshes of furniture and fixtures. Their front faces +z."""

from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Color, Floats, Model, Solid, grid_faces, lathe, turn

WOODS = ((0.55, 0.36, 0.18), (0.72, 0.52, 0.3), (0.35, 0.2, 0.1), (0.85, 0.72, 0.52))
PAINTS = ((0.93, 0.93, 0.92), (0.15, 0.15, 0.16), (0.5, 0.62, 0.7))
STEEL = (0.72, 0.74, 0.77)
WHITE = (0.96, 0.96, 0.96)
BLACK = (0.1, 0.1, 0.11)


def wood(c: Chance) -> Floats:
    """Mostly a wood, sometimes painted."""
    return c.color(*WOODS) if c.maybe(0.8) else c.color(*PAINTS)


def cloth(c: Chance) -> Floats:
    """Any colour a cover may have, the muted ones more often."""
    muted = ((0.6, 0.55, 0.48), (0.35, 0.38, 0.42), (0.5, 0.3, 0.2), (0.85, 0.82, 0.75))
    return c.color(*muted) if c.maybe(0.6) else c.color()


def four_legs(
    m: Model, w: float, d: float, high: float, thick: float, color: Color, splay: float = 0.0
) -> None:
    """Legs under a rectangle of width w (x) and depth d (z)."""
    for x in (-1, 1):
        for z in (-1, 1):
            foot = (x * (w / 2 + splay), 0, z * (d / 2 + splay))
            m.rod(foot, (x * w / 2, high, z * d / 2), thick * 0.8, color, thick, sides=8)


def chair(m: Model, c: Chance) -> None:
    frame, seat = wood(c), wood(c)
    if c.maybe(0.4):
        seat = cloth(c)
    w, high, back = c.between(0.42, 0.5), c.between(0.42, 0.48), c.between(0.4, 0.6)
    four_legs(m, w - 0.06, w - 0.06, high, 0.025, frame, c.pick([0.0, 0.04]))
    m.box((0, high, 0), (w, 0.05, w), seat)
    lean = turn(x=-c.between(2, 12))
    with m.placed((0, high, -w / 2 + 0.03), turned=lean):
        style = c.pick(["slats", "plate", "ladder"])
        for x in (-1, 1):
            m.rod((x * (w / 2 - 0.03), 0, 0), (x * (w / 2 - 0.03), back, 0), 0.025, frame, sides=8)
        if style == "plate":
            m.box((0, back * 0.65, 0), (w - 0.04, back * 0.6, 0.035), seat)
        elif style == "slats":
            m.box((0, back - 0.03, 0), (w, 0.07, 0.04), frame)
            for x in np.linspace(-w / 3.2, w / 3.2, 4):
                m.rod((x, 0, 0), (x, back, 0), 0.015, frame, sides=6)
        else:
            for y in np.linspace(0.15, back - 0.04, 3):
                m.box((0, y, 0), (w - 0.04, 0.07, 0.03), frame)


def stool(m: Model, c: Chance) -> None:
    frame, seat = wood(c), cloth(c) if c.maybe(0.4) else wood(c)
    high, r = c.between(0.42, 0.75), c.between(0.17, 0.22)
    m.lathe([(r * 0.95, high - 0.05), (r, high - 0.03), (r, high), (r * 0.9, high + 0.03)], seat)
    count = c.pick([3, 4])
    for i in range(count):
        a = 2 * np.pi * i / count + 0.4
        v = np.array([np.cos(a), 0, np.sin(a)])
        m.rod(v * r * 1.1, v * r * 0.7 + [0, high - 0.04, 0], 0.02, frame, 0.024, sides=8)
    m.ring((0, high * 0.35, 0), r * 0.98, 0.013, frame)


def bench(m: Model, c: Chance) -> None:
    plank, foot = wood(c), c.color(*WOODS, BLACK, (0.25, 0.3, 0.27))
    w = c.between(1.2, 1.7)
    for z in (-0.15, 0.0, 0.15):
        m.box((0, 0.45, z), (w, 0.04, 0.12), plank)
    if c.maybe(0.75):
        for y in (0.62, 0.77):
            m.box((0, y, -0.27 - (y - 0.6) * 0.2), (w, 0.11, 0.03), plank)
    for x in (-1, 1):
        at = x * (w / 2 - 0.15)
        m.box((at, 0.41, 0), (0.06, 0.05, 0.48), foot)
        for z in (-0.2, 0.2):
            m.box((at, 0.2, z), (0.06, 0.4, 0.06), foot)
        m.rod((at, 0.4, -0.24), (at, 0.82, -0.33), 0.03, foot, sides=6)


def sofa(m: Model, c: Chance) -> None:
    cover = cloth(c)
    cushion = cover * c.between(1.05, 1.2)
    seats = c.pick([1, 2, 3, 3])
    w = seats * 0.6 + 0.4
    m.box((0, 0.2, 0), (w, 0.22, 0.8), cover)
    m.box((0, 0.5, -0.33), (w, 0.6, 0.18), cover, top=(0.98, 0.7))
    for x in (-1, 1):
        m.box((x * (w / 2 - 0.09), 0.36, 0.02), (0.18, 0.42, 0.8), cover)
        m.rod((x * (w / 2 - 0.09), 0.57, -0.38), (x * (w / 2 - 0.09), 0.57, 0.42), 0.1, cover)
        for z in (-0.3, 0.3):
            m.rod((x * (w / 2 - 0.1), 0, z), (x * (w / 2 - 0.1), 0.1, z), 0.03, WOODS[2], sides=8)
    for x in (np.arange(seats) - (seats - 1) / 2) * 0.6:
        m.box((x, 0.37, 0.07), (0.57, 0.14, 0.62), cushion, top=0.93)
        m.box((x, 0.6, -0.2), (0.55, 0.4, 0.13), cushion, turn(x=-10), top=0.9)
    if c.maybe(0.4):
        m.box((w / 2 - 0.35, 0.58, 0.0), (0.32, 0.3, 0.1), c.color(), turn(x=-20, z=12), top=0.9)


def table(m: Model, c: Chance) -> None:
    top, foot = wood(c), wood(c)
    high = c.between(0.6, 0.76)
    if c.maybe(0.35):
        r = c.between(0.45, 0.65)
        m.lathe([(r, high), (r, high + 0.05)], top, sides=28)
        if c.maybe():
            m.lathe([(0.25, 0), (0.22, 0.04), (0.05, 0.1), (0.05, high)], foot)
        else:
            four_legs(m, r, r, high, 0.035, foot, 0.08)
        return
    w, d = c.between(0.9, 1.6), c.between(0.6, 0.85)
    m.box((0, high, 0), (w, 0.05, d), top)
    m.box((0, high - 0.06, 0), (w * 0.9, 0.08, d * 0.88), foot)
    four_legs(m, w * 0.9, d * 0.86, high, c.between(0.025, 0.05), foot)
    if c.maybe(0.2):
        m.box((0, high + 0.02, 0), (w * 1.03, 0.03, d * 1.04), WHITE)


def desk(m: Model, c: Chance) -> None:
    top, body = wood(c), wood(c)
    w, high = c.between(1.1, 1.5), 0.72
    m.box((0, high, 0), (w, 0.05, 0.65), top)
    sides = c.pick([(-1,), (1,), (-1, 1)])
    for x in (-1, 1):
        if x in sides:
            m.box((x * (w / 2 - 0.2), high / 2, 0), (0.36, high, 0.58), body)
            for y in (0.14, 0.36, 0.58):
                m.box((x * (w / 2 - 0.2), y, 0.3), (0.31, 0.18, 0.02), body * 1.12)
                m.box((x * (w / 2 - 0.2), y, 0.32), (0.1, 0.02, 0.02), STEEL)
        else:
            for z in (-0.28, 0.28):
                m.box((x * (w / 2 - 0.05), high / 2, z), (0.06, high, 0.06), body)
    m.box((0, 0.52, -0.28), (w * 0.9, 0.3, 0.03), body)
    if c.maybe(0.4):
        m.box((0.0, high + 0.04, 0.05), (0.3, 0.02, 0.22), WHITE, turn(y=12))
        m.rod((0.25, high + 0.02, -0.15), (0.25, high + 0.13, -0.15), 0.04, c.color())


def bed(m: Model, c: Chance) -> None:
    frame, sheet, cover = wood(c), c.color((0.95, 0.95, 0.93)), cloth(c)
    double = c.maybe(0.6)
    w = 1.5 if double else 0.9
    m.box((0, 0.22, 0), (w + 0.08, 0.16, 2.0), frame)
    m.box((0, 0.36, 0.0), (w, 0.18, 1.92), sheet, top=0.98)
    m.box((0, 0.4, 0.28), (w + 0.04, 0.17, 1.36), cover, top=0.97)
    m.box((0, 0.49, -0.34), (w + 0.02, 0.03, 0.25), np.clip(cover * 1.25, 0, 1))
    m.box((0, c.between(0.45, 0.6), -1.02), (w + 0.1, c.between(0.7, 0.9), 0.08), frame)
    if c.maybe(0.6):
        m.box((0, 0.35, 1.02), (w + 0.1, 0.4, 0.06), frame)
    for x in (-0.36, 0.36) if double else (0,):
        m.ball((x, 0.52, -0.72), (0.3, 0.09, 0.18), WHITE)
    four_legs(m, w, 1.95, 0.2, 0.04, frame)


def _books(m: Model, c: Chance, y: float, w: float, d: float) -> None:
    x = -w / 2 + 0.03
    while x < w / 2 - 0.08:
        thick, tall = c.between(0.025, 0.06), c.between(0.17, 0.26)
        m.box((x + thick / 2, y + tall / 2, 0.02), (thick, tall, d * 0.75), c.color())
        x += thick + (0.12 if c.maybe(0.1) else 0.003)


def shelf(m: Model, c: Chance) -> None:
    frame = wood(c)
    w, boards, d = c.between(0.7, 1.1), c.whole(3, 5), 0.3
    high = boards * 0.34
    for x in (-w / 2, w / 2):
        m.box((x, high / 2, 0), (0.04, high, d), frame)
    for i in range(boards + 1):
        m.box((0, i * 0.34 + 0.02 if i < boards else high, 0), (w, 0.035, d), frame)
    if c.maybe(0.7):
        m.box((0, high / 2, -d / 2), (w, high, 0.015), frame * 0.8)
    for i in range(boards):
        if c.maybe(0.75):
            _books(m, c, i * 0.34 + 0.04, w * c.between(0.6, 1.0), d)


def cupboard(m: Model, c: Chance) -> None:
    body = wood(c)
    w, high = c.between(0.8, 1.3), c.between(1.3, 1.9)
    m.box((0, high / 2 + 0.08, 0), (w, high, 0.5), body)
    m.box((0, high + 0.1, 0.01), (w + 0.08, 0.06, 0.56), body * 0.85)
    doors = c.pick([2, 2, 3])
    low = 0.3 if c.maybe(0.4) else 0.0
    for i in range(doors):
        x = (i - (doors - 1) / 2) * w / doors
        m.box(
            (x, (high + low) / 2 + 0.08, 0.255),
            (w / doors - 0.02, high - low - 0.06, 0.02),
            body * 1.12,
        )
        m.box(
            (x, (high + low) / 2 + 0.08, 0.268),
            (w / doors - 0.14, high - low - 0.22, 0.01),
            body * 0.95,
        )
        knob = x + (w / doors / 2 - 0.06) * (1 if i < doors / 2 else -1)
        m.ball((knob, high / 2 + 0.1, 0.29), 0.025, STEEL, sides=8)
    if low:
        for x in (-w / 4, w / 4):
            m.box((x, 0.22, 0.255), (w / 2 - 0.03, 0.24, 0.02), body * 1.12)
            m.ball((x, 0.22, 0.28), 0.025, STEEL, sides=8)
    four_legs(m, w - 0.1, 0.4, 0.08, 0.04, body * 0.8)


def door(m: Model, c: Chance) -> None:
    leaf, frame = wood(c) if c.maybe(0.7) else c.color(), wood(c)
    w, high = 0.9, c.between(1.9, 2.1)
    for x in (-w / 2 - 0.05, w / 2 + 0.05):
        m.box((x, high / 2, 0), (0.1, high, 0.16), frame)
    m.box((0, high + 0.05, 0), (w + 0.2, 0.1, 0.16), frame)
    swing = c.pick([0.0, 0.0, 25.0, 50.0])
    with m.placed((-w / 2, 0, 0), turned=turn(y=-swing)):
        m.box((w / 2, high / 2, 0), (w, high, 0.06), leaf)
        for y, tall in c.pick(
            [((0.3, 0.34), (0.72, 0.4)), ((0.5, 0.8),), ((0.2, 0.2), (0.5, 0.2), (0.8, 0.2))]
        ):
            for z in (-0.032, 0.032):
                m.box((w / 2, y * high, z), (w * 0.66, tall * high, 0.012), leaf * 0.8)
        for z in (-0.08, 0.08):
            m.ball((w * 0.9, high * 0.48, z), 0.04, (0.85, 0.7, 0.3), sides=10)
            m.rod((w * 0.9, high * 0.48, 0), (w * 0.9, high * 0.48, z), 0.015, STEEL, sides=6)


def toilet(m: Model, c: Chance) -> None:
    china = c.color(WHITE, WHITE, WHITE, (0.75, 0.85, 0.8))
    seat = c.color(WHITE, WOODS[1], (0.2, 0.2, 0.22))
    m.lathe([(0.17, 0), (0.13, 0.1), (0.15, 0.22), (0.24, 0.36), (0.25, 0.4)], china, (0, 0, 0.1))
    m.add(_flat_ring(0.24, 0.15), seat, (0, 0.415, 0.12), (0.95, 0.045, 1.2))
    m.ball((0, 0.37, 0.12), (0.15, 0.03, 0.18), (0.6, 0.8, 0.9))
    m.box((0, 0.33, -0.17), (0.34, 0.2, 0.25), china)
    m.box((0, 0.62, -0.25), (0.5, 0.4, 0.2), china, top=0.96)
    m.box((0, 0.83, -0.25), (0.53, 0.04, 0.23), china * 0.95)
    m.rod((0.0, 0.85, -0.25), (0.0, 0.875, -0.25), 0.03, STEEL, sides=10)
    if c.maybe(0.5):
        with m.placed((0, 0.43, -0.12), turned=turn(x=80)):
            m.ball((0, 0, 0.24), (0.23, 0.02, 0.28), seat)


def _flat_ring(outer: float, inner: float) -> Solid:
    return lathe([(inner, -0.5), (outer, -0.5), (outer, 0.5), (inner, 0.5), (inner, -0.5)])


def bathtub(m: Model, c: Chance) -> None:
    china, water = c.color(WHITE, WHITE, (0.9, 0.8, 0.8), (0.3, 0.5, 0.6)), (0.55, 0.8, 0.93)
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    shape = np.stack(
        [
            np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.6,
            np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.6,
        ],
        axis=1,
    )
    rows = [
        (0.0, 0.0, 0.1),
        (0.62, 0.26, 0.1),
        (0.74, 0.34, 0.45),
        (0.8, 0.38, 0.55),
        (0.78, 0.37, 0.58),
        (0.73, 0.33, 0.56),
        (0.68, 0.3, 0.45),
        (0.6, 0.24, 0.2),
        (0, 0, 0.2),
    ]
    rings = [
        np.stack([shape[:, 0] * a, 0 * angle + y, shape[:, 1] * b], axis=1) for a, b, y in rows
    ]

    m.add((np.concatenate(rings), grid_faces(len(rows), len(angle))), china)
    if c.maybe(0.6):
        surface = [
            np.stack([shape[:, 0] * a, 0 * angle + 0.46, shape[:, 1] * b], axis=1)
            for a, b in ((0, 0), (0.69, 0.31))
        ]
        m.add((np.concatenate(surface), grid_faces(2, len(angle))), water)
        for _ in range(c.whole(0, 14)):
            m.ball(
                (c.between(-0.5, 0.5), 0.48, c.between(-0.2, 0.2)),
                c.between(0.04, 0.09),
                WHITE,
                sides=8,
            )
    gold = c.color(STEEL, (0.85, 0.7, 0.3))
    m.tube([(0.72, 0.55, 0), (0.72, 0.72, 0), (0.66, 0.78, 0), (0.56, 0.74, 0)], 0.025, gold)
    for z in (-0.1, 0.1):
        m.rod((0.74, 0.57, z), (0.74, 0.64, z), 0.03, gold, sides=8)
    for x in (-0.5, 0.5):
        for z in (-0.22, 0.22):
            m.ball((x, 0.06, z), (0.06, 0.07, 0.06), gold, sides=8)


def refrigerator(m: Model, c: Chance) -> None:
    paint = c.color(WHITE, WHITE, STEEL, (0.75, 0.2, 0.2), (0.6, 0.8, 0.8))
    w, high, split = c.between(0.6, 0.72), c.between(1.5, 1.8), c.pick([0.3, 0.65, 0.7])
    m.box((0, high / 2, 0), (w, high, 0.6), paint * 0.93)
    for low, top in ((0.03, split), (split, 1.0)):
        m.box((0, (low + top) / 2 * high, 0.31), (w, (top - low) * high - 0.02, 0.06), paint)
        middle = (low + top) / 2 * high
        tall = min(0.3, (top - low) * high * 0.5)
        m.rod(
            (-w / 2 + 0.08, middle - tall / 2, 0.37),
            (-w / 2 + 0.08, middle + tall / 2, 0.37),
            0.018,
            STEEL if paint.mean() > 0.8 else BLACK,
            sides=8,
        )
    m.box((0, 0.02, 0.25), (w * 0.95, 0.05, 0.1), BLACK)


def lamp(m: Model, c: Chance) -> None:
    shade = c.color((0.98, 0.93, 0.75), (0.95, 0.85, 0.55), (0.85, 0.3, 0.25), (0.4, 0.6, 0.7))
    foot = c.color(STEEL, (0.85, 0.7, 0.3), BLACK, *WOODS)
    if c.maybe(0.3):
        _desk_lamp(m, c, shade, foot)
        return
    high = c.pick([0.3, 0.35, 0.9, 1.1])
    m.lathe([(0.15, 0), (0.14, 0.03), (0.03, 0.05), (0.02, high)], foot)
    if high < 0.5:
        m.ball((0, 0.16, 0), (0.1, 0.12, 0.1), foot)
    wide, tall = c.between(0.2, 0.26), c.between(0.2, 0.28)
    m.lathe([(wide, high - 0.05), (wide * c.between(0.5, 0.75), high + tall)], shade)
    m.ball((0, high - 0.04, 0), (0.06, 0.07, 0.06), (1.0, 0.97, 0.8), sides=10)


def _desk_lamp(m: Model, c: Chance, shade: Color, foot: Color) -> None:
    m.lathe([(0.16, 0), (0.16, 0.03), (0.03, 0.05)], foot)
    elbow, head = np.array([-0.15, 0.4, 0]), np.array([0.18, 0.65, 0])
    m.rod((0, 0.03, 0), elbow, 0.018, foot)
    m.rod(elbow, head, 0.018, foot)
    m.ball(elbow, 0.03, foot, sides=8)
    with m.placed(head, turned=turn(z=c.between(30, 60))):
        m.lathe([(0.15, -0.18), (0.05, 0.02), (0.03, 0.06)], shade)
        m.ball((0, -0.15, 0), 0.07, (1.0, 0.97, 0.8), sides=10)


BUILDERS = {
    "chair": chair, "stool": stool, "bench": bench, "sofa": sofa, "table": table, "desk": desk,
    "bed": bed, "shelf": shelf, "cupboard": cupboard, "door": door, "toilet": toilet,
    "bathtub": bathtub, "refrigerator": refrigerator, "lamp": lamp,
}  # fmt: skip
