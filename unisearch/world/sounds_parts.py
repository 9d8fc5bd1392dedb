"""Noises that several things make: a thud, a creak, drops into water."""

from __future__ import annotations

import numpy as np

from unisearch.world.synth import Studio, Wave


def thud(s: Studio, body: float, seconds: float = 0.25, hard: float = 0.5) -> Wave:
    """A knock on something whose lowest mode is `body`; hard: how much click there is."""
    modes = body * np.array([1, 1.58, 2.3, 3.4, 4.9]) * (1 + 0.04 * s.rng.standard_normal(5))
    wave = s.ring(seconds, modes, [0.05, 0.035, 0.025, 0.015, 0.01], [1, 0.8, 0.6, 0.4, 0.3])
    return wave + hard * s.burst(seconds, 0.04, 0.006, low=60)


def creak(s: Studio, seconds: float, rate: float) -> Wave:
    """Wood or a hinge that sticks and slips `rate` times a second."""
    hz = rate * s.curve(seconds, [(0, s.between(0.6, 1.6)), (0.5, 1), (1, s.between(0.5, 1.6))])
    source = s.pulses(hz * s.wander(seconds, 30, 0.08))
    body = [
        (s.log_between(300, 900), 400, 1),
        (s.log_between(1100, 2400), 300, 0.9),
        (3500, 600, 0.5),
    ]
    wave = s.resonant(source, body, 0.08) * s.wander(seconds, 25, 0.25)
    wave *= s.curve(seconds, [(0, 0), (0.1, 1), (0.9, 0.8), (1, 0)])
    return wave / (np.std(wave) + 1e-9)


def drops(s: Studio, seconds: float, per_s: float) -> list[tuple[float, Wave]]:
    """Drops into water: bubbles whose pitch rises as they shrink (van den Doel, 2005)."""
    events = []
    for _ in range(int(per_s * seconds)):
        f0, decay = s.log_between(350, 1800), s.between(0.01, 0.04)
        t = s.time(0.1)
        tone = np.sin(2 * np.pi * f0 * (t + s.between(0.5, 3) * t * t)) * np.exp(-t / decay)
        events.append((s.between(0, seconds), tone * s.between(0.2, 1)))
    return events
