"""Meshes of four-legged animals: one body plan, many proportions. They look along +x."""

# ruff: noqa: RUF005  (vectors are added here, not lists)
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unisearch.world.chance import Chance
from unisearch.world.shapes import Color, Floats, Model, turn

BLACK = (0.06, 0.06, 0.07)
WHITE = (0.95, 0.95, 0.93)
PINK = (0.93, 0.6, 0.62)


@dataclass(frozen=True)
class Plan:
    """Proportions in units of the body's length; heights count from the ground."""

    leg: float = 0.5  # length of the legs
    leg_thick: float = 0.07
    girth: float = 0.26  # radius of the body
    neck: float = 0.3  # length
    neck_up: float = 45.0  # degrees above the horizontal
    neck_thick: float = 0.12
    head: float = 0.17  # radius
    snout: float = 0.14  # length
    snout_thick: float = 0.09


def body(m: Model, c: Chance, plan: Plan, coat: Color, feet: Color) -> Floats:
    """Trunk, legs, neck, head and eyes; gives back where the head is."""
    y = plan.leg + plan.girth * 0.8
    thick = plan.girth * c.between(0.92, 1.1)
    m.ball((-0.22, y, 0), (0.34, thick, thick * 0.9), coat)
    m.ball((0.22, y + 0.02, 0), (0.32, thick * 0.97, thick * 0.88), coat)
    m.rod((-0.3, y, 0), (0.3, y, 0), thick * 0.95, coat)
    step = c.between(-0.1, 0.1)
    for front in (-1, 1):
        for side in (-1, 1):
            top = np.array([0.33 * front, y - 0.05, side * thick * 0.55])
            foot = np.array([0.35 * front + step * side * front, 0.0, side * thick * 0.55])
            m.rod(top, foot, plan.leg_thick * 1.3, coat, plan.leg_thick * 0.8)
            m.rod(foot, foot + [0, 0.07, 0], plan.leg_thick, feet)
    up = np.deg2rad(plan.neck_up + c.between(-8, 8))
    root = np.array([0.36, y + plan.girth * 0.3, 0.0])
    head = root + plan.neck * np.array([np.cos(up), np.sin(up), 0.0])
    m.rod(root - [0.08, 0.05, 0], head, plan.neck_thick * 1.4, coat, plan.neck_thick)
    m.ball(head, (plan.head * 1.1, plan.head, plan.head * 0.9), coat)
    for side in (-1, 1):
        eye = head + [plan.head * 0.75, plan.head * 0.35, side * plan.head * 0.55]
        m.ball(eye, plan.head * 0.17, WHITE, sides=8)
        m.ball(eye + [0.02, 0, side * 0.01], plan.head * 0.12, BLACK, sides=8)
    return head


def snout(m: Model, head: Floats, plan: Plan, color: Color, nose: Color) -> None:
    """A tapering muzzle with a nose at its end."""
    start = head + [plan.head * 0.5, -plan.head * 0.25, 0]
    end = start + [plan.head * 0.4 + plan.snout, -0.03, 0]
    m.rod(start, end, plan.snout_thick * 1.15, color, plan.snout_thick * 0.85)
    m.ball(end, plan.snout_thick * 0.85, color, sides=10)
    m.ball(end + [plan.snout_thick * 0.6, plan.snout_thick * 0.4, 0], plan.snout_thick * 0.4, nose)


def ears(
    m: Model, head: Floats, plan: Plan, size: tuple[float, float], color: Color,
    lean: float = 15.0, back: float = 0.1,
) -> None:  # fmt: skip
    """Two cones; size = (radius, length), lean = degrees outwards (over 90 they hang)."""
    for side in (-1, 1):
        a = np.deg2rad(lean)
        root = head + [-back * plan.head, plan.head * 0.7, side * plan.head * 0.5]
        tip = root + size[1] * np.array([0, np.cos(a), side * np.sin(a)])
        m.rod(root, tip, size[0], color, 0.0 if lean < 60 else size[0] * 0.9, sides=8)


def tail(
    m: Model, plan: Plan, path: list[tuple[float, float]], radii: object, color: Color
) -> None:
    """A tail along (x, y) offsets from the rump."""
    y = plan.leg + plan.girth * 1.1
    points = [(-0.5 + dx, y + dy, 0.0) for dx, dy in [(0.05, -0.05), *path]]
    m.tube(points, radii, color, sides=8)  # type: ignore[arg-type]


def dog(m: Model, c: Chance) -> None:
    coat = c.color((0.55, 0.35, 0.18), (0.85, 0.68, 0.42), (0.2, 0.17, 0.15), (0.75, 0.5, 0.25))
    plan = Plan(c.between(0.3, 0.5), 0.06, 0.2, 0.26, 50, 0.13, 0.18, c.between(0.1, 0.2), 0.1)
    head = body(m, c, plan, coat, coat)
    snout(m, head, plan, coat if c.maybe() else coat * 0.6 + 0.3, BLACK)
    dark = coat * c.between(0.5, 0.9)
    ears(m, head, plan, (0.07, c.between(0.18, 0.28)), dark, c.pick([20.0, 150.0, 160.0]))
    tail(m, plan, [(-0.12, 0.1), (-0.18, 0.25), (-0.12, 0.36)], [0.05, 0.05, 0.04, 0.02], coat)
    if c.maybe():
        m.ring(head - [0.1, 0.14, 0], 0.15, 0.025, c.color(), turn(z=-40))
    m.box(head + [plan.head * 0.9 + plan.snout, -0.16, 0], (0.08, 0.05, 0.05), (0.85, 0.3, 0.35))


def cat(m: Model, c: Chance) -> None:
    coat = c.color((0.9, 0.55, 0.2), (0.5, 0.5, 0.52), (0.15, 0.14, 0.15), (0.93, 0.9, 0.85))
    plan = Plan(0.33, 0.05, 0.17, 0.2, 55, 0.11, 0.19, 0.0, 0.07)
    head = body(m, c, plan, coat, WHITE if c.maybe() else coat)
    ears(m, head, plan, (0.075, 0.15), coat * 0.9, 15)
    m.ball(head + [0.16, -0.06, 0], (0.07, 0.06, 0.09), WHITE)
    m.ball(head + [0.23, -0.03, 0], 0.025, PINK, sides=8)
    for side in (-1, 1):
        for rise in (-0.03, 0.03):
            m.rod(
                head + [0.2, -0.06, side * 0.05],
                head + [0.2, -0.06 + rise, side * 0.28],
                0.006,
                WHITE if coat.mean() < 0.5 else BLACK,
                sides=4,
            )
    up = c.between(0.2, 0.4)
    tail(m, plan, [(-0.15, 0.05), (-0.28, up * 0.5), (-0.25, up), (-0.15, up + 0.15)], 0.035, coat)
    if c.maybe(0.6):
        for x in np.linspace(-0.35, 0.35, 6):
            m.ring((x, plan.leg + 0.14, 0), 0.17, 0.012, coat * 0.6, turn(z=90))


def cow(m: Model, c: Chance) -> None:
    coat = c.color((0.95, 0.94, 0.92), (0.5, 0.3, 0.16), (0.95, 0.94, 0.92))
    plan = Plan(0.4, 0.065, 0.27, 0.24, 30, 0.15, 0.16, 0.1, 0.11)
    head = body(m, c, plan, coat, (0.2, 0.16, 0.14))
    snout(m, head, plan, PINK, (0.8, 0.45, 0.45))
    ears(m, head, plan, (0.05, 0.16), coat * 0.8, 95)
    for side in (-1, 1):
        root = head + [-0.02, 0.13, side * 0.08]
        m.tube(
            [root, root + [0, 0.08, side * 0.09], root + [0.02, 0.18, side * 0.1]],
            [0.035, 0.03, 0.008],
            (0.9, 0.85, 0.7),
        )
    spots = BLACK if coat.mean() > 0.6 else WHITE
    for _ in range(c.whole(5, 8)):
        a, x = c.between(-0.4, 3.5), c.between(-0.42, 0.42)
        at = (x, plan.leg + 0.2 + 0.22 * np.sin(a), 0.2 * np.cos(a))
        m.ball(at, (c.between(0.08, 0.15), c.between(0.06, 0.11), 0.08), spots, sides=10)
    m.ball((-0.2, plan.leg, 0), (0.12, 0.1, 0.1), PINK)
    tail(
        m, plan, [(-0.08, 0.02), (-0.12, -0.2), (-0.1, -0.4)], [0.03, 0.02, 0.02, 0.05], coat * 0.8
    )


def horse(m: Model, c: Chance) -> None:
    coat = c.color((0.5, 0.28, 0.12), (0.3, 0.17, 0.1), (0.92, 0.9, 0.86), (0.12, 0.1, 0.1))
    mane = coat * 0.4 if c.maybe() else np.array([0.9, 0.82, 0.6])
    plan = Plan(c.between(0.55, 0.65), 0.055, 0.22, 0.42, 55, 0.12, 0.14, 0.2, 0.085)
    head = body(m, c, plan, coat, BLACK)
    snout(m, head, plan, coat * 0.9, BLACK)
    ears(m, head, plan, (0.04, 0.12), coat, 8)
    root = np.array([0.3, plan.leg + 0.36, 0])
    for t in np.linspace(0, 1, 7):
        m.ball(root + t * (head - root) + [-0.08, 0.06, 0], (0.08, 0.09, 0.035), mane, sides=8)
    tail(m, plan, [(-0.1, 0.0), (-0.16, -0.2), (-0.16, -0.45)], [0.04, 0.07, 0.08, 0.02], mane)
    if c.maybe(0.35):
        m.ball((0, plan.leg + 0.38, 0), (0.17, 0.06, 0.17), (0.35, 0.15, 0.06))


def sheep(m: Model, c: Chance) -> None:
    wool = c.color((0.95, 0.93, 0.88), (0.95, 0.93, 0.88), (0.4, 0.33, 0.28))
    face = c.color((0.15, 0.13, 0.13), (0.85, 0.72, 0.6))
    plan = Plan(0.3, 0.045, 0.24, 0.2, 35, 0.1, 0.12, 0.1, 0.075)
    head = body(m, c, plan, face, face * 0.6)
    snout(m, head, plan, face, face * 0.5)
    ears(m, head, plan, (0.045, 0.13), face, 110)
    for _ in range(60):
        v = c.rng.normal(size=3)
        v /= np.linalg.norm(v)
        m.ball(
            v * [0.46, 0.25, 0.25] + [0, plan.leg + 0.24, 0],
            c.between(0.09, 0.13),
            wool * c.between(0.93, 1),
            sides=8,
        )
    for _ in range(6):
        m.ball(head + c.rng.normal(0, 0.04, 3) + [-0.05, 0.12, 0], 0.07, wool, sides=8)
    m.ball((-0.52, plan.leg + 0.28, 0), 0.08, wool, sides=8)


def pig(m: Model, c: Chance) -> None:
    coat = c.color((0.96, 0.68, 0.68), (0.93, 0.62, 0.6), (0.95, 0.75, 0.72))
    plan = Plan(0.2, 0.065, 0.28, 0.14, 15, 0.18, 0.2, 0.08, 0.09)
    head = body(m, c, plan, coat, coat * 0.6)
    end = head + [0.3, -0.04, 0]
    m.rod(head + [0.1, -0.04, 0], end, 0.11, coat * 0.97, 0.1)
    m.rod(end, end + [0.03, 0, 0], 0.1, coat * 0.85)
    for side in (-1, 1):
        m.ball(end + [0.03, 0.01, side * 0.04], (0.01, 0.03, 0.02), coat * 0.4, sides=8)
    ears(m, head, plan, (0.08, 0.15), coat * 0.9, 40)
    t = np.linspace(0, 4 * np.pi, 22)
    curl = np.stack(
        [-0.54 - t * 0.01, plan.leg + 0.33 + 0.05 * np.sin(t), 0.05 * np.cos(t)], axis=1
    )
    m.tube(curl, 0.018, coat * 0.9, sides=6)


def elephant(m: Model, c: Chance) -> None:
    coat = c.color((0.5, 0.52, 0.55), (0.58, 0.56, 0.55), (0.42, 0.44, 0.48))
    plan = Plan(0.42, 0.11, 0.34, 0.18, 35, 0.22, 0.24, 0, 0)
    head = body(m, c, plan, coat, coat * 0.8)
    lift = c.between(-0.1, 0.5)
    trunk = [head + [0.15, -0.05, 0], head + [0.33, -0.2, 0], head + [0.4, -0.42, 0]]
    trunk += [
        head + [0.44 + lift * 0.3, -0.58 + lift * 0.4, 0],
        head + [0.55 + lift * 0.3, -0.6 + lift, 0],
    ]
    m.tube(trunk, [0.12, 0.1, 0.08, 0.065, 0.05], coat)
    flap = c.between(10, 40)
    for side in (-1, 1):
        m.ball(head + [-0.1, 0.0, side * 0.3], (0.2, 0.28, 0.03), coat * 0.88, turn(y=side * flap))
        tusk = head + [0.16, -0.14, side * 0.11]
        m.tube(
            [tusk, tusk + [0.15, -0.1, 0.02 * side], tusk + [0.28, -0.05, 0.03 * side]],
            [0.04, 0.035, 0.01],
            (0.97, 0.94, 0.85),
        )
    tail(m, plan, [(-0.05, -0.1), (-0.09, -0.35)], [0.03, 0.025, 0.02], coat * 0.8)


def lion(m: Model, c: Chance) -> None:
    coat = c.color((0.85, 0.62, 0.3), (0.8, 0.55, 0.25))
    mane = c.color((0.5, 0.25, 0.08), (0.35, 0.18, 0.07), (0.62, 0.33, 0.1))
    plan = Plan(0.38, 0.065, 0.21, 0.24, 45, 0.14, 0.18, 0.08, 0.09)
    head = body(m, c, plan, coat, coat * 0.9)
    snout(m, head, plan, coat * 1.1, BLACK)
    for angle in np.linspace(0, 2 * np.pi, 14, endpoint=False):
        out = np.array([-0.08, 0.2 * np.sin(angle), 0.2 * np.cos(angle)])
        m.ball(head + out, (0.1, 0.11, 0.11), mane * c.between(0.85, 1.1), sides=8)
    m.ball(head + [-0.16, -0.06, 0], (0.15, 0.25, 0.23), mane * 0.9)
    ears(m, head, plan, (0.06, 0.1), coat, 25)
    tail(m, plan, [(-0.15, -0.1), (-0.25, -0.2), (-0.4, -0.1)], 0.025, coat)
    m.ball((-0.92, plan.leg + 0.14, 0), 0.06, mane)


def giraffe(m: Model, c: Chance) -> None:
    coat = c.color((0.93, 0.78, 0.42), (0.9, 0.72, 0.4))
    spot = c.color((0.5, 0.28, 0.1), (0.42, 0.22, 0.1))
    plan = Plan(0.85, 0.055, 0.2, c.between(0.95, 1.2), 68, 0.09, 0.12, 0.14, 0.065)
    head = body(m, c, plan, coat, spot)
    snout(m, head, plan, coat, spot)
    ears(m, head, plan, (0.035, 0.12), coat, 75)
    for side in (-1, 1):
        horn = head + [0, 0.1, side * 0.05]
        m.rod(horn, horn + [0, 0.12, 0], 0.018, coat)
        m.ball(horn + [0, 0.13, 0], 0.03, spot, sides=8)
    for x in np.linspace(-0.42, 0.42, 6):
        for a in (0.5, 1.3, 2.0, 2.8):
            at = (x + c.between(-0.04, 0.04), plan.leg + 0.17 + 0.16 * np.sin(a), 0.15 * np.cos(a))
            m.ball(at, (0.06, 0.055, 0.055), spot, sides=8)
    root = np.array([0.36, plan.leg + 0.24, 0])
    for t in np.linspace(0.08, 0.9, 8):
        for side in (-1, 1):
            at = root + t * (head - root) + [0, 0, side * (0.09 - 0.04 * t)]
            m.ball(at, (0.05, 0.05, 0.04), spot, sides=8)
    tail(m, plan, [(-0.06, -0.1), (-0.08, -0.4)], [0.02, 0.02, 0.04], spot)


def mouse(m: Model, c: Chance) -> None:
    coat = c.color((0.6, 0.6, 0.62), (0.55, 0.42, 0.32), (0.93, 0.92, 0.9))
    y = 0.26
    m.ball((-0.05, y, 0), (0.42, 0.27, 0.25), coat)
    m.rod((0.25, y, 0), (0.62, y - 0.05, 0), 0.2, coat, 0.04)
    m.ball((0.62, y - 0.05, 0), 0.05, PINK, sides=8)
    for side in (-1, 1):
        m.ball((0.22, y + 0.25, side * 0.18), (0.04, 0.17, 0.16), coat * 0.9, turn(y=-side * 20))
        m.ball((0.25, y + 0.25, side * 0.18), (0.03, 0.12, 0.11), PINK, turn(y=-side * 20))
        m.ball((0.45, y + 0.07, side * 0.1), 0.035, BLACK, sides=8)
        for x in (-0.2, 0.25):
            m.ball((x, 0.03, side * 0.16), (0.09, 0.035, 0.05), PINK, sides=8)
    s = np.linspace(0, 1, 10)
    path = np.stack([-0.42 - 0.5 * s, 0.2 - 0.12 * s, 0.15 * np.sin(5 * s)], axis=1)
    m.tube(path, np.linspace(0.03, 0.008, 10), PINK, sides=6)


def rabbit(m: Model, c: Chance) -> None:
    coat = c.color((0.95, 0.94, 0.92), (0.6, 0.48, 0.36), (0.5, 0.5, 0.52))
    m.ball((-0.1, 0.3, 0), (0.36, 0.3, 0.26), coat)
    m.ball((0.25, 0.58, 0), (0.2, 0.19, 0.17), coat)
    m.ball((0.14, 0.4, 0), (0.2, 0.2, 0.17), coat)
    long = c.between(0.22, 0.3)
    for side in (-1, 1):
        m.ball(
            (0.18, 0.7 + long, side * 0.09),
            (0.05, long, 0.07),
            coat,
            turn(x=side * c.between(2, 16)),
        )
        m.ball((0.215, 0.7 + long, side * 0.09), (0.03, long * 0.8, 0.045), PINK, turn(x=side * 8))
        m.ball((0.4, 0.63, side * 0.09), 0.035, BLACK, sides=8)
        m.ball((-0.1, 0.06, side * 0.2), (0.2, 0.06, 0.07), coat * 0.95)
        m.rod((0.2, 0.35, side * 0.09), (0.26, 0.03, side * 0.09), 0.06, coat)
    m.ball((0.44, 0.56, 0), 0.03, PINK, sides=8)
    m.ball((-0.46, 0.25, 0), 0.1, WHITE, sides=10)


BUILDERS = {
    "dog": dog, "cat": cat, "cow": cow, "horse": horse, "sheep": sheep, "pig": pig,
    "elephant": elephant, "lion": lion, "giraffe": giraffe, "mouse": mouse, "rabbit": rabbit,
}  # fmt: skip
