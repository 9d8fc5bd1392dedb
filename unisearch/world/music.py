"""Meshes of musical instruments."""

# ruff: noqa: RUF005  (vectors are added here, not lists)
from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Floats, Model, turn

BLACK = (0.1, 0.1, 0.11)
WHITE = (0.96, 0.96, 0.94)
STEEL = (0.75, 0.76, 0.79)
GOLD = (0.92, 0.72, 0.22)


def drum(m: Model, c: Chance) -> None:
    shell = c.color(
        (0.8, 0.12, 0.12), (0.15, 0.35, 0.7), (0.65, 0.42, 0.2), BLACK, (0.15, 0.5, 0.3)
    )
    r, high = 0.5, c.between(0.35, 0.8)
    m.rod((0, 0, 0), (0, high, 0), r, shell, sides=26)
    m.rod((0, high, 0), (0, high + 0.02, 0), r * 0.96, (0.96, 0.94, 0.88), sides=26)
    rim = c.color(STEEL, GOLD, WHITE)
    for y in (0.02, high):
        m.ring((0, y, 0), r, 0.03, rim)
    pegs = c.pick([6, 8])
    for i in range(pegs):
        a, b = 2 * np.pi * i / pegs, 2 * np.pi * (i + 0.5) / pegs
        p, q, s = (
            (r * 1.03 * np.cos(t), y, r * 1.03 * np.sin(t))
            for t, y in ((a, high), (b, 0.03), (2 * a - b, 0.03))
        )
        m.rod(p, q, 0.015, rim, sides=5)
        m.rod(p, s, 0.015, rim, sides=5)
    if c.maybe(0.7):
        for lean in (25, -20):
            with m.placed((0, high + 0.06, 0), turned=turn(y=lean)):
                m.rod((-0.3, 0, lean * 0.004), (0.5, 0.06, lean * 0.004), 0.022, (0.8, 0.62, 0.38))
                m.ball((0.5, 0.06, lean * 0.004), 0.04, (0.8, 0.62, 0.38), sides=8)


def waist(width: float, high: float, pinch: float, n: int = 36) -> Floats:
    """The outline (n, 2) of a body like a figure of eight."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    y = np.sin(a)
    wide = np.where(y > 0, 0.8, 1.0) * (1 - pinch * np.exp(-((y - 0.12) ** 2) / 0.05))
    return np.stack([np.cos(a) * width / 2 * wide, y * high / 2], axis=1)


def _strings(m: Model, count: int, low: float, top: float, spread: float, z: float) -> None:
    for x in np.linspace(-spread, spread, count):
        m.rod((x, low, z), (x * 0.7, top, z), 0.005, STEEL, sides=4)


def guitar(m: Model, c: Chance) -> None:
    if c.maybe(0.4):
        _electric(m, c)
        return
    top = c.color((0.85, 0.58, 0.28), (0.75, 0.4, 0.15), (0.35, 0.18, 0.1), (0.9, 0.72, 0.45))
    body = waist(0.75, 0.95, 0.3)
    m.slab(body, 0.2, top * 0.6)
    m.slab(body * 0.97, 0.21, top)
    a = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    hole = np.stack([0.12 * np.cos(a), 0.12 + 0.12 * np.sin(a)], axis=1)
    m.slab(hole, 0.225, BLACK)
    m.box((0, -0.22, 0.11), (0.28, 0.05, 0.04), BLACK)
    _neck(m, c, 0.4, 1.15)
    _strings(m, 6, -0.22, 1.2, 0.045, 0.135)


def _neck(m: Model, c: Chance, low: float, top: float) -> None:
    dark = c.color((0.3, 0.18, 0.1), (0.2, 0.12, 0.08))
    m.box((0, (low + top) / 2, 0.08), (0.1, top - low + 0.2, 0.06), dark, top=(0.85, 1))
    for y in np.linspace(low, top, 10):
        m.box((0, y, 0.112), (0.095, 0.01, 0.01), STEEL)
    m.box((0, top + 0.12, 0.06), (0.16, 0.24, 0.05), dark * 0.8, turn(x=-8))
    for y in (0.06, 0.12, 0.18):
        for x in (-0.11, 0.11):
            m.rod((x * 0.6, top + y, 0.06), (x, top + y, 0.06), 0.018, STEEL, sides=6)


def _electric(m: Model, c: Chance) -> None:
    paint = c.color((0.8, 0.1, 0.1), (0.15, 0.3, 0.7), BLACK, (0.93, 0.9, 0.8), (0.9, 0.55, 0.15))
    outline = [
        (0.0, -0.45), (0.28, -0.4), (0.34, -0.15), (0.22, 0.08), (0.3, 0.3), (0.24, 0.42),
        (0.12, 0.28), (-0.1, 0.28), (-0.22, 0.5), (-0.32, 0.4), (-0.23, 0.08), (-0.35, -0.15),
        (-0.28, -0.4),
    ]  # fmt: skip
    m.slab(outline, 0.12, paint)
    m.slab(
        [(0.05, -0.3), (0.22, -0.3), (0.17, 0.05), (0.16, 0.2), (-0.12, 0.2), (-0.1, -0.1)],
        0.125,
        WHITE,
    )
    for y in (-0.12, 0.02, 0.15):
        m.box((0, y, 0.07), (0.16, 0.05, 0.03), BLACK)
    m.box((0, -0.25, 0.07), (0.18, 0.05, 0.04), STEEL)
    for x, y in ((0.17, -0.15), (0.2, -0.27)):
        m.rod((x, y, 0.05), (x, y, 0.1), 0.03, BLACK, sides=8)
    with m.placed((0, 0, -0.02)):
        _neck(m, c, 0.25, 1.1)
    _strings(m, 6, -0.25, 1.15, 0.045, 0.1)


def violin(m: Model, c: Chance) -> None:
    wood = c.color((0.6, 0.26, 0.08), (0.7, 0.35, 0.12), (0.45, 0.18, 0.08))
    body = waist(0.5, 0.85, 0.42)
    m.slab(body, 0.13, wood * 0.75)
    m.slab(body * 0.95, 0.15, wood)
    for x in (-1, 1):
        m.tube(
            [(x * 0.1, -0.1, 0.08), (x * 0.08, 0.0, 0.08), (x * 0.11, 0.1, 0.08)],
            0.012,
            BLACK,
            sides=5,
        )
    m.box((0, 0.35, 0.11), (0.06, 0.85, 0.05), BLACK, top=(0.7, 1))
    m.box((0, -0.28, 0.1), (0.1, 0.25, 0.04), BLACK, top=(0.6, 1))
    m.box((0, -0.08, 0.11), (0.14, 0.02, 0.08), (0.85, 0.7, 0.45))
    m.tube(
        [(0, 0.78, 0.1), (0, 0.95, 0.06), (0, 1.0, 0.1), (0, 0.96, 0.12)],
        [0.035, 0.035, 0.03, 0.02],
        wood,
    )
    for y in (0.82, 0.88):
        m.rod((-0.1, y, 0.08), (0.1, y, 0.08), 0.015, BLACK, sides=6)
    m.ball((-0.12, -0.4, 0.1), (0.1, 0.07, 0.03), BLACK)
    _strings(m, 4, -0.2, 0.8, 0.03, 0.15)
    if c.maybe(0.7):
        with m.placed((0.42, 0.2, 0.05), turned=turn(z=c.between(-25, 10))):
            m.rod((0, -0.75, 0), (0, 0.75, 0), 0.014, (0.4, 0.2, 0.1), sides=6)
            m.box((0.05, 0, 0), (0.012, 1.4, 0.02), WHITE)
            m.box((0.03, -0.7, 0), (0.06, 0.1, 0.03), BLACK)
            m.box((0.03, 0.72, 0), (0.06, 0.04, 0.03), (0.4, 0.2, 0.1))


def _keys(m: Model, w: float, y: float, z: float, long: float) -> None:
    count = 21
    for i in range(count):
        x = (i - (count - 1) / 2) * w / count
        m.box((x, y, z), (w / count * 0.9, 0.03, long), WHITE)
        if i % 7 not in (2, 6):
            m.box(
                (x + w / count / 2, y + 0.025, z - long * 0.2),
                (w / count * 0.55, 0.03, long * 0.6),
                BLACK,
            )


def piano(m: Model, c: Chance) -> None:
    case = c.color(BLACK, BLACK, (0.4, 0.2, 0.1), (0.93, 0.92, 0.9))
    if c.maybe(0.45):
        m.box((0, 0.55, -0.12), (1.4, 1.1, 0.3), case)
        m.box((0, 1.12, -0.1), (1.46, 0.05, 0.38), case * 0.85)
        m.box((0, 0.62, 0.16), (1.4, 0.1, 0.34), case)
        _keys(m, 1.25, 0.69, 0.2, 0.22)
        m.box((0, 0.85, 0.05), (0.5, 0.2, 0.02), case * 0.8 + 0.1, turn(x=-12))
        for x in (-0.62, 0.62):
            m.box((x, 0.3, 0.25), (0.08, 0.6, 0.08), case)
        for x in (-0.1, 0.0, 0.1):
            m.box((x, 0.06, 0.08), (0.05, 0.02, 0.12), GOLD)
        return
    outline = [
        (-0.7, 0.4),
        (0.7, 0.4),
        (0.7, 0.0),
        (0.5, -0.35),
        (0.2, -0.6),
        (0.0, -1.0),
        (-0.3, -1.15),
        (-0.6, -1.05),
        (-0.7, -0.8),
    ]
    m.slab(np.array(outline) * [1, -1], 0.24, case, (0, 0.72, 0), turn(x=-90))
    m.slab(np.array(outline) * [1, -1] * 0.93, 0.25, GOLD, (0, 0.72, -0.02), turn(x=-90))
    m.box((0, 0.74, 0.4), (1.4, 0.16, 0.32), case)
    _keys(m, 1.25, 0.83, 0.44, 0.2)
    with m.placed((-0.7, 0.86, 0), turned=turn(z=c.between(30, 45))):
        m.slab(
            (np.array(outline) + [0.7, 0])[[1, 2, 3, 4, 5, 6, 7, 8]] * [1, -1],
            0.03,
            case,
            turned=turn(x=-90),
        )
    for x, z in ((-0.55, 0.35), (0.55, 0.35), (-0.35, -0.85)):
        m.rod((x, 0, z), (x, 0.62, z), 0.04, case, 0.06)


def trumpet(m: Model, c: Chance) -> None:
    brass = c.color(GOLD, GOLD, (0.85, 0.6, 0.2), STEEL)
    x = np.array([-0.2, 0.35, 0.6, 0.75, 0.85, 0.92])
    m.tube(
        np.stack([x, 0 * x, 0 * x], axis=1), [0.04, 0.045, 0.07, 0.12, 0.2, 0.3], brass, sides=18
    )
    m.tube([(0.93, 0, 0), (0.88, 0, 0)], [0.27, 0.18], brass * 0.35, sides=18)
    m.tube(
        [(-0.2, 0, 0), (-0.35, -0.05, 0), (-0.38, -0.13, 0), (-0.3, -0.22, 0), (0.3, -0.22, 0)],
        0.04,
        brass,
    )
    m.tube(
        [(0.3, -0.22, 0), (0.4, -0.18, 0), (0.42, -0.1, 0), (0.3, 0.0, 0.06), (-0.9, 0.0, 0.06)],
        0.035,
        brass,
    )
    m.rod((-0.9, 0, 0.06), (-1.0, 0, 0.06), 0.04, STEEL, 0.075)
    for at in (-0.1, 0.03, 0.16):
        m.rod((at, -0.28, 0.02), (at, 0.12, 0.02), 0.05, brass * 0.9)
        m.rod((at, 0.12, 0.02), (at, 0.22, 0.02), 0.018, STEEL, sides=6)
        m.ball((at, 0.23, 0.02), (0.04, 0.015, 0.04), WHITE, sides=8)


BUILDERS = {"drum": drum, "guitar": guitar, "violin": violin, "piano": piano, "trumpet": trumpet}
