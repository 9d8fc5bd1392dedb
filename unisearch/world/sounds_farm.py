"""What animals of house and farm say: throats of their size, pitch that rises and falls, rhythm.

Pitch ranges, formants and durations follow freely licensed field recordings, read off their
mel spectrograms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unisearch.world.synth import Studio, Wave


def dog(s: Studio) -> Wave:
    """Barks, deep from a large dog, high from a puppy."""
    size = s.log_between(0.6, 1.9)
    top = s.between(1.2, 1.7)
    throat = [(480 / size, 250, 1), (1000 / size, 300, 0.9), (1900 / size, 500, 0.35)]
    f0, tempo = 400 / size, s.between(0.6, 1.3)

    def bark() -> Wave:
        return s.voice(
            s.between(0.1, 0.2) * tempo,
            [(0, f0 * 0.8), (0.3, f0 * top), (1, f0 * 0.6)],
            throat,
            breath=s.between(0.5, 1.4),
            jitter=0.05,
            rough=0.3,
            loudness=[(0, 0), (0.12, 1), (0.4, 0.7), (1, 0)],
            tilt=-3,
        )

    return s.sequence(bark, s.whole(1, 7), (0.04, s.pick([0.15, 0.4, 0.8])))


def cat(s: Studio) -> Wave:
    """A meow that opens and closes, or a purr."""
    if s.maybe(0.15):
        return _purr(s)
    f0 = s.log_between(380, 800)
    bend = s.between(1.05, 1.5)

    def meow() -> Wave:
        seconds = s.between(0.45, 1.2)
        pitch = [(0, f0 * 0.9), (0.3, f0 * bend), (0.7, f0 * bend * 0.95), (1, f0 * 0.75)]
        closed = s.voice(seconds, pitch, [(700, 300, 1), (2400, 500, 0.25)], breath=0.08)
        opened = s.voice(
            seconds,
            pitch,
            [(1300, 500, 1), (2600, 700, 0.9), (4200, 900, 0.4)],
            breath=0.15,
            tilt=-1,
        )
        mouth = s.curve(seconds, [(0, 0), (0.35, 1), (0.6, 0.8), (1, 0)])
        return closed * (1 - mouth) * 0.5 + opened * mouth

    return s.sequence(meow, s.whole(1, 3), (0.1, 0.9))


def _purr(s: Studio) -> Wave:
    seconds = s.between(2, 4)
    t = s.time(seconds)
    breath = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * s.between(0.5, 0.9) * t))
    beat = s.pulses(np.full(t.size, s.between(22, 30)))
    wave = s.filtered(beat + 0.6 * s.noise(seconds), 60, 900, -5)
    return wave * breath * s.wander(seconds, 8, 0.15)


def cow(s: Studio) -> Wave:
    """A long moo: hummed first, then with an open mouth."""
    f0 = s.log_between(85, 220)
    high = s.between(1.1, 1.6)

    def moo() -> Wave:
        seconds = s.between(1.0, 2.6)
        opening = s.between(0.3, 0.65)
        pitch = [(0, f0 * 0.85), (opening, f0 * high), (0.85, f0 * high * 0.95), (1, f0 * 0.8)]
        hum = s.voice(seconds, pitch, [(260, 150, 1), (800, 400, 0.2)], tilt=-6)
        throat = [(420, 180, 1), (850, 260, 0.9), (1700, 500, 0.5), (2600, 600, 0.25)]
        mouth = s.voice(seconds, pitch, throat, breath=0.25, rough=s.between(0, 0.4), tilt=-2)
        part = s.curve(seconds, [(0, 0), (opening, 1), (1, 0.9)])
        return hum * (1 - part) * 0.5 + mouth * part

    return s.sequence(moo, s.pick([1, 1, 2]), (0.1, 0.6))


def horse(s: Studio) -> Wave:
    """A neigh, a gallop or a snort."""
    return s.pick([_neigh, _neigh, _neigh, _gallop, _gallop, _snort])(s)


def _neigh(s: Studio) -> Wave:
    seconds = s.between(1.1, 2.4)
    f0 = s.log_between(550, 1100)
    t = s.time(seconds)
    shake = 1 + s.between(0.05, 0.14) * np.sin(2 * np.pi * s.between(9, 15) * t)
    fall = s.curve(seconds, [(0, 0.8), (0.12, 1.1), (0.6, 0.8), (1, 0.42)])
    source = s.pulses(f0 * fall * shake * s.wander(seconds, 40, 0.02))
    source += s.noise(seconds) * s.curve(seconds, [(0, 0.2), (0.6, 0.4), (1, 1.2)])
    throat = [(900, 500, 1), (1600, 500, 0.9), (2800, 800, 0.6), (4500, 1200, 0.4)]
    wave = s.filtered(s.resonant(source, throat), 250, 7000, -2)
    return wave * s.curve(seconds, [(0, 0), (0.06, 1), (0.7, 0.8), (1, 0)]) * (0.7 + 0.3 * shake)


def _gallop(s: Studio) -> Wave:
    stride = s.between(0.42, 0.62)
    body = s.log_between(180, 450)
    events = []
    for k in range(int(3.6 / stride)):
        for beat in (0.0, 0.2, 0.38):
            modes = np.array([1, 2.3, 4.1]) * body * s.between(0.85, 1.15)
            hoof = s.ring(0.1, modes, [0.02, 0.012, 0.006], [1, 0.7, 0.4])
            hoof += 0.8 * s.burst(0.1, 0.03, 0.008, low=80)
            events.append(((k + beat * s.between(0.9, 1.1)) * stride, hoof * s.between(0.5, 1)))
    return s.layer(3.6, events)


def _snort(s: Studio) -> Wave:
    def puff() -> Wave:
        seconds = s.between(0.35, 0.8)
        flutter = 0.5 + 0.5 * np.sin(2 * np.pi * s.between(18, 32) * s.time(seconds))
        wave = s.noise(seconds, 150, 4500, -4) * (0.3 + flutter)
        return wave * s.curve(seconds, [(0, 0), (0.1, 1), (1, 0)])

    return s.sequence(puff, s.whole(1, 3), (0.1, 0.6))


def sheep(s: Studio) -> Wave:
    """Bleating with a tremor; a lamb's is an octave higher."""
    f0 = s.log_between(170, 300) if s.maybe(0.65) else s.log_between(350, 600)
    size = 1 if f0 < 320 else 1.35
    throat = [(700 * size, 300, 1), (1500 * size, 400, 0.9), (2700 * size, 700, 0.5)]

    def baa() -> Wave:
        seconds = s.between(0.5, 1.2)
        pitch = [(0, f0 * 0.95), (0.25, f0 * 1.1), (1, f0 * 0.9)]
        wave = s.voice(seconds, pitch, throat, breath=0.3, jitter=0.015, tilt=-1.5)
        tremor = np.sin(2 * np.pi * s.between(7, 13) * s.time(seconds))
        return wave * (1 - s.between(0.2, 0.45) * (0.5 + 0.5 * tremor))

    return s.sequence(baa, s.whole(1, 3), (0.15, 0.8))


def pig(s: Studio) -> Wave:
    """Grunts and snorts, or a squeal."""
    if s.maybe(0.3):
        return s.sequence(lambda: _squeal(s), s.whole(1, 2), (0.1, 0.4))
    f0 = s.log_between(45, 95)
    nose = s.between(0.8, 1.25)

    def grunt() -> Wave:
        throat = [(350 * nose, 200, 1), (1100 * nose, 500, 0.8), (2300 * nose, 900, 0.5)]
        return s.voice(
            s.between(0.1, 0.3),
            [(0, f0 * 1.2), (1, f0)],
            throat,
            breath=s.between(0.5, 1.5),
            jitter=0.15,
            rough=0.5,
            loudness=[(0, 0), (0.2, 1), (0.6, 0.8), (1, 0)],
            tilt=-2,
        )

    return s.sequence(grunt, s.whole(1, 7), (0.05, 0.4))


def _squeal(s: Studio) -> Wave:
    f0 = s.log_between(600, 1300)
    return s.voice(
        s.between(0.6, 1.7),
        [(0, f0 * 0.8), (0.3, f0 * 1.15), (0.8, f0), (1, f0 * 0.7)],
        [(1300, 700, 1), (2600, 900, 1), (3800, 1200, 0.6)],
        breath=s.between(0.6, 1.2),
        jitter=0.06,
        rough=0.5,
        tilt=-1,
    )


def chicken(s: Studio) -> Wave:
    """Clucks, often ended by a long cackle, or a rooster's crow."""
    if s.maybe(0.3):
        return _crow(s)
    f0 = s.log_between(380, 620)
    clucks = s.sequence(lambda: _cluck(s, f0), s.whole(3, 11), (0.06, s.pick([0.12, 0.25])))
    if s.maybe(0.5):
        throat = [(1100, 500, 1), (2200, 700, 0.7), (3600, 900, 0.4)]
        pitch = [(0, f0 * 0.9), (0.3, f0 * 1.3), (1, f0 * 1.15)]
        cackle = s.voice(s.between(0.25, 0.5), pitch, throat, breath=0.3, jitter=0.02, tilt=-1)
        clucks = np.concatenate([clucks, cackle])
    return clucks


def _cluck(s: Studio, f0: float) -> Wave:
    return s.voice(
        s.between(0.04, 0.1),
        [(0, f0 * 0.8), (0.4, f0 * 1.3), (1, f0 * 0.8)],
        [(650, 300, 1), (1150, 400, 0.7), (2600, 900, 0.15)],
        breath=0.3,
        jitter=0.03,
        loudness=[(0, 0), (0.15, 1), (1, 0)],
    )


def _crow(s: Studio) -> Wave:
    f0 = s.log_between(480, 850)
    throat = [(1200, 600, 1), (2400, 800, 0.9), (3800, 1000, 0.5)]
    parts = []
    for seconds, start, end in (
        (0.18, 0.7, 0.9),
        (0.15, 1, 0.95),
        (0.2, 1.05, 1.0),
        (0.9, 1.1, 0.6),
    ):
        pitch = [(0, f0 * start), (0.6, f0 * (start + end) / 2), (1, f0 * end)]
        wave = s.voice(seconds * s.between(0.8, 1.25), pitch, throat, breath=0.15, tilt=-1)
        parts += [wave, np.zeros(s.length(s.between(0.01, 0.06)))]
    return np.concatenate(parts)


def duck(s: Studio) -> Wave:
    """Quacks: nasal, noisy, falling."""
    f0 = s.log_between(170, 330)
    nose = s.between(0.85, 1.2)
    throat = [(900 * nose, 350, 0.6), (1450 * nose, 400, 1), (2500 * nose, 600, 0.9)]

    def quack() -> Wave:
        return s.voice(
            s.between(0.13, 0.32),
            [(0, f0 * 0.95), (0.25, f0 * 1.12), (1, f0 * 0.85)],
            throat,
            breath=s.between(0.3, 0.8),
            jitter=0.04,
            loudness=[(0, 0), (0.1, 1), (0.6, 0.8), (1, 0)],
            tilt=0,
        )

    return s.sequence(quack, s.whole(1, 7), (0.05, s.pick([0.15, 0.4])))


FARM: dict[str, Callable[[Studio], Wave]] = {
    "dog": dog,
    "cat": cat,
    "cow": cow,
    "horse": horse,
    "sheep": sheep,
    "pig": pig,
    "chicken": chicken,
    "duck": duck,
}
