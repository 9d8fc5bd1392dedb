"""Meshes of food."""

from __future__ import annotations

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Model, grid_faces, turn


def apple(m: Model, c: Chance) -> None:
    skin = c.color((0.85, 0.1, 0.1), (0.8, 0.15, 0.15), (0.5, 0.75, 0.2), (0.9, 0.75, 0.2))
    a = np.linspace(-np.pi / 2, np.pi / 2, 13)
    r = 0.5 * np.cos(a) * (1 + 0.12 * np.sin(a)) + 0.08 * np.cos(a)
    y = 0.44 * np.sin(a) - 0.14 * np.exp(-((r / 0.16) ** 2)) * np.sign(a)
    m.lathe(np.stack([np.maximum(r, 0), y], axis=1), skin, sides=22)
    m.tube(
        [(0, 0.28, 0), (0.02, 0.45, 0), (0.08, 0.62, 0)], [0.025, 0.025, 0.035], (0.35, 0.22, 0.1)
    )
    if c.maybe(0.75):
        m.ball((0.22, 0.52, 0), (0.17, 0.02, 0.08), (0.3, 0.6, 0.15), turn(z=25))


def banana(m: Model, c: Chance) -> None:
    skin = c.color((0.98, 0.85, 0.2), (0.95, 0.8, 0.25), (0.75, 0.8, 0.25))
    for i in range(c.pick([1, 1, 2, 3])):
        with m.placed((0, 0, i * 0.16), turned=turn(y=i * 9, x=i * 6)):
            a = np.linspace(np.pi * 1.12, np.pi * 1.92, 14)
            path = np.stack([0.75 * np.cos(a), 0.65 * np.sin(a), 0 * a], axis=1)
            r = 0.13 * np.sin(np.linspace(0.25, np.pi - 0.25, 14)) ** 0.55
            m.tube(path, r, skin, sides=6)
            m.rod(path[-1], path[-1] + [0.05, 0.14, 0], 0.04, (0.5, 0.45, 0.15), sides=6)
            m.ball(path[0], 0.055, (0.25, 0.18, 0.08), sides=8)


def pumpkin(m: Model, c: Chance) -> None:
    skin = c.color((0.95, 0.5, 0.08), (0.9, 0.45, 0.1), (0.95, 0.6, 0.2))
    flat, ribs = c.between(0.7, 0.95), c.pick([8, 10])
    for i in range(ribs):
        a = 2 * np.pi * i / ribs
        at = (0.27 * np.cos(a), 0, 0.27 * np.sin(a))
        m.ball(at, (0.25, 0.42 * flat, 0.25), skin * (1.0 if i % 2 else 0.93), sides=12)
    m.tube(
        [(0, 0.3 * flat, 0), (0.0, 0.5 * flat, 0), (0.08, 0.6 * flat + 0.04, 0)],
        [0.08, 0.05, 0.06],
        (0.35, 0.45, 0.15),
        sides=6,
    )
    if c.maybe(0.5):
        glow = c.color((0.98, 0.85, 0.25), (0.1, 0.06, 0.03))
        for x in (-0.17, 0.17):
            m.slab([(x - 0.09, 0.04), (x + 0.09, 0.04), (x, 0.2)], 0.12, glow, (0, 0, 0.43))
        m.slab([(-0.05, -0.06), (0.05, -0.06), (0, 0.02)], 0.08, glow, (0, 0, 0.5))
        grin = [
            (-0.26, -0.1),
            (-0.12, -0.16),
            (-0.05, -0.12),
            (0.05, -0.18),
            (0.12, -0.13),
            (0.26, -0.1),
            (0.14, -0.25),
            (-0.14, -0.25),
        ]
        m.slab(grin, 0.12, glow, (0, 0, 0.46))


def carrot(m: Model, c: Chance) -> None:
    skin = c.color((0.95, 0.5, 0.1), (0.92, 0.45, 0.15), (0.98, 0.58, 0.15))
    long, r = c.between(0.9, 1.2), c.between(0.14, 0.2)
    m.lathe(
        [
            (0, 0),
            (r * 0.35, long * 0.25),
            (r * 0.8, long * 0.7),
            (r, long * 0.93),
            (r * 0.7, long),
            (0, long),
        ],
        skin,
    )
    for y in np.linspace(0.3, 0.85, 5):
        m.ring((0, y * long, 0), r * (0.25 + 0.75 * y), 0.008, skin * 0.75)
    for i in range(c.whole(5, 8)):
        lean = turn(x=c.between(-30, 30), z=c.between(-30, 30), y=i * 50)
        with m.placed((0, long, 0), turned=lean):
            m.rod((0, -0.02, 0), (0, 0.3, 0), 0.018, (0.25, 0.55, 0.15), sides=6)
            m.ball((0, 0.36, 0), (0.07, 0.15, 0.03), (0.3, 0.62, 0.2), sides=8)


def watermelon(m: Model, c: Chance) -> None:
    dark, pale = (
        c.color((0.1, 0.4, 0.12), (0.15, 0.45, 0.2)),
        c.color((0.5, 0.75, 0.3), (0.35, 0.65, 0.25)),
    )
    if c.maybe(0.55):
        a = np.linspace(np.pi, 2 * np.pi, 20)
        half = np.stack([np.cos(a), np.sin(a)], axis=1)
        for scale, color, z in (
            (0.6, dark, 0.2),
            (0.56, (0.92, 0.96, 0.85), 0.205),
            (0.52, (0.92, 0.2, 0.25), 0.21),
        ):
            m.slab(half * scale, z, color)
        for _ in range(11):
            b, r = c.between(np.pi * 1.12, np.pi * 1.88), c.between(0.15, 0.42)
            for z in (-0.1, 0.1):
                m.ball(
                    (r * np.cos(b), r * np.sin(b), z),
                    (0.02, 0.035, 0.015),
                    (0.1, 0.07, 0.05),
                    sides=6,
                )
        return
    a = np.linspace(-np.pi / 2, np.pi / 2, 13)
    for i in range(16):
        side = np.linspace(2 * np.pi * i / 16, 2 * np.pi * (i + 1) / 16, 2)
        x = np.stack(
            [
                0.65 * np.sin(a)[:, None] + 0 * side,
                0.48 * np.cos(a)[:, None] * np.cos(side),
                0.48 * np.cos(a)[:, None] * np.sin(side),
            ],
            axis=-1,
        )
        m.add((x.reshape(-1, 3), grid_faces(13, 2, closed=False)), dark if i % 2 else pale)
    m.rod((0.63, 0, 0), (0.75, 0.05, 0), 0.03, (0.35, 0.4, 0.15), sides=6)


def ice_cream(m: Model, c: Chance) -> None:
    flavours = (
        (0.95, 0.6, 0.7),
        (0.98, 0.95, 0.82),
        (0.42, 0.25, 0.15),
        (0.65, 0.88, 0.7),
        (0.98, 0.8, 0.4),
    )
    m.lathe(
        [(0.0, -0.85), (0.27, 0.0), (0.25, 0.02)],
        c.color((0.85, 0.6, 0.3), (0.8, 0.55, 0.28)),
        sides=16,
    )
    for y in (-0.2, -0.4, -0.6):
        m.ring((0, y, 0), 0.27 * (0.85 + y) / 0.85, 0.012, (0.65, 0.42, 0.18))
    if c.maybe(0.35):
        cream = c.color(*flavours)
        for y, r in ((0.03, 0.27), (0.16, 0.22), (0.29, 0.16), (0.4, 0.1)):
            m.ball((0, y + 0.02, 0), (r, 0.11, r), cream)
        m.rod((0, 0.42, 0), (0.04, 0.6, 0), 0.07, cream, 0.01)
        return
    scoops = c.pick([1, 2, 2, 3])
    for i in range(scoops):
        cream = c.color(*flavours)
        m.ball((0, 0.14 + i * 0.3, 0), 0.28 - 0.02 * i, cream)
        m.ring((0, 0.06 + i * 0.3, 0), 0.25 - 0.02 * i, 0.05, cream)
    if c.maybe(0.5):
        m.ball((0, 0.44 + (scoops - 1) * 0.3, 0), 0.08, (0.85, 0.05, 0.1), sides=10)


def cake(m: Model, c: Chance) -> None:
    cream = c.color((0.98, 0.93, 0.85), (0.95, 0.7, 0.78), (0.45, 0.26, 0.15), (0.75, 0.87, 0.95))
    sponge = c.color((0.85, 0.65, 0.35), (0.5, 0.3, 0.17))
    tiers = c.pick([1, 1, 2, 3])
    m.lathe([(0.75, -0.04), (0.78, 0.0), (0, 0.0)], (0.93, 0.93, 0.95), sides=28)
    for i in range(tiers):
        r, y = 0.6 - i * 0.17, i * 0.32
        m.rod((0, y, 0), (0, y + 0.14, 0), r, sponge, sides=26)
        m.rod((0, y + 0.12, 0), (0, y + 0.32, 0), r * 1.02, cream, sides=26)
        for a in np.linspace(0, 2 * np.pi, 14, endpoint=False):
            m.ball(
                (r * np.cos(a), y + 0.13, r * np.sin(a)), (0.07, 0.06, 0.07), cream * 0.95, sides=8
            )
    top, r = tiers * 0.32, 0.6 - (tiers - 1) * 0.17
    for a in np.linspace(0, 2 * np.pi, c.whole(3, 8), endpoint=False):
        x, z = r * 0.65 * np.cos(a), r * 0.65 * np.sin(a)
        if c.maybe(0.8):
            m.rod((x, top, z), (x, top + 0.25, z), 0.025, c.color(), sides=8)
            m.lathe(
                [(0, top + 0.25), (0.03, top + 0.29), (0, top + 0.38)],
                (1.0, 0.65, 0.1),
                (x, 0, z),
                sides=8,
            )
        else:
            m.ball((x, top + 0.04, z), 0.06, (0.85, 0.05, 0.1), sides=8)


def hamburger(m: Model, c: Chance) -> None:
    bun = c.color((0.85, 0.58, 0.28), (0.8, 0.5, 0.22))
    m.lathe([(0.45, 0), (0.5, 0.05), (0.5, 0.14), (0, 0.15)], bun, sides=24)
    y = 0.16
    for kind in c.pick(
        [
            ("leaf", "meat", "cheese"),
            ("meat", "cheese", "tomato", "leaf"),
            ("meat", "cheese", "meat", "cheese", "leaf"),
        ]
    ):
        if kind == "meat":
            m.lathe(
                [(0.5, y), (0.53, y + 0.05), (0.5, y + 0.11), (0, y + 0.11)],
                (0.36, 0.2, 0.12),
                sides=24,
            )
            y += 0.11
        elif kind == "cheese":
            m.box(
                (0, y + 0.015, 0), (0.86, 0.03, 0.86), (0.98, 0.75, 0.15), turn(y=c.between(0, 90))
            )
            y += 0.03
        elif kind == "tomato":
            m.lathe([(0.49, y), (0.49, y + 0.05), (0, y + 0.05)], (0.85, 0.18, 0.12))
            y += 0.05
        else:
            t = np.linspace(0, 2 * np.pi, 40)
            wave = np.stack(
                [0.5 * np.cos(t), y + 0.03 + 0.025 * np.sin(9 * t), 0.5 * np.sin(t)], axis=1
            )
            m.tube(wave, 0.045, (0.4, 0.72, 0.2), sides=6)
            y += 0.05
    dome = [(0.52 * np.cos(a), y + 0.34 * np.sin(a)) for a in np.linspace(0, np.pi / 2, 8)]
    m.lathe([*dome[:-1], (0.0, y + 0.34)], bun, sides=24)
    for _ in range(c.pick([0, 25, 25])):
        a, e = c.between(0, 6.28), c.between(0.5, 1.5)
        m.ball(
            (0.5 * np.cos(e) * np.cos(a), y + 0.335 * np.sin(e), 0.5 * np.cos(e) * np.sin(a)),
            (0.03, 0.02, 0.02),
            (0.97, 0.9, 0.7),
            sides=6,
        )


BUILDERS = {
    "apple": apple, "banana": banana, "pumpkin": pumpkin, "carrot": carrot,
    "watermelon": watermelon, "ice cream": ice_cream, "cake": cake, "hamburger": hamburger,
}  # fmt: skip
