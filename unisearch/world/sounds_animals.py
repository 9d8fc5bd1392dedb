"""What wild animals say: songs, hoots, hisses, croaks, buzzes, trumpet calls and roars.

Pitch ranges, formants and durations follow freely licensed field recordings, read off their
mel spectrograms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unisearch.world.synth import Studio, Wave


def bird(s: Studio) -> Wave:
    """Phrases of whistled notes, each phrase one figure that is repeated."""
    high = s.log_between(2300, 5200)

    def phrase() -> Wave:
        start, end = high * s.log_between(0.6, 1.4), high * s.log_between(0.6, 1.4)
        middle = high * s.log_between(0.7, 1.4)
        seconds, pause = s.log_between(0.03, 0.28), s.log_between(0.015, 0.12)

        def note() -> Wave:
            hz = s.curve(seconds, [(0, start), (s.between(0.4, 0.6), middle), (1, end)])
            hz = hz * s.wander(seconds, 60, 0.01)
            loud = np.sin(np.pi * np.linspace(0, 1, hz.size)) ** 0.6
            return s.whistle(hz, (1, 0.06, 0.02)) * loud

        return s.sequence(note, s.whole(1, max(2, int(0.9 / (seconds + pause)))), (pause, pause))

    return s.sequence(phrase, s.whole(2, 5), (0.02, 0.35))


def owl(s: Studio) -> Wave:
    """Hoots: soft, almost pure, in a figure of short and long ones."""
    f0 = s.log_between(280, 620)
    figure = s.pick([(0.15, 0.45, 0.45), (0.5,), (0.2, 0.2, 0.5), (0.6, 0.15, 0.15, 0.7)])
    parts = []
    for seconds in figure * s.whole(1, 2):
        seconds *= s.between(0.85, 1.2)
        hz = f0 * s.curve(seconds, [(0, 0.9), (0.25, 1.03), (0.75, 1), (1, 0.88)])
        hz = hz * s.wander(seconds, 20, 0.006)
        tone = s.whistle(hz, (1, 0.12, 0.05)) + 0.06 * s.noise(seconds, 200, 1200)
        parts += [tone * s.curve(seconds, [(0, 0), (0.2, 1), (0.7, 0.9), (1, 0)])]
        parts += [np.zeros(s.length(s.between(0.08, 0.4)))]
    return np.concatenate(parts)


def penguin(s: Studio) -> Wave:
    """Braying honks, deep and reedy."""
    f0 = s.log_between(150, 300)
    throat = [(450, 250, 1), (850, 350, 0.8), (2800, 700, 0.1)]

    def honk() -> Wave:
        return s.voice(
            s.between(0.25, 0.75),
            [(0, f0 * 0.9), (0.4, f0 * 1.1), (1, f0 * 0.9)],
            throat,
            breath=s.between(0.1, 0.4),
            jitter=0.02,
            rough=s.between(0, 0.6),
        )

    return s.sequence(honk, s.whole(1, 6), (0.05, 0.3))


def whale(s: Studio) -> Wave:
    """Long gliding moans under water."""

    def moan() -> Wave:
        seconds = s.between(0.7, 2.8)
        f0 = s.log_between(150, 600)
        fall = s.log_between(0.35, 1.3)
        bend = [f0 * fall**k * s.log_between(0.85, 1.2) for k in (0.4, 0.8, 1)]
        hz = s.glide(seconds, [(0, f0), (0.35, bend[0]), (0.8, bend[1]), (1, bend[2])])
        source = s.pulses(hz * s.wander(seconds, 5, 0.01))
        wave = s.resonant(source, [(400, 400, 1), (1100, 600, 0.35), (2300, 900, 0.15)], 0.005)
        return wave * s.curve(seconds, [(0, 0), (0.2, 0.7), (0.7, 1), (1, 0)])

    song = s.sequence(moan, s.whole(1, 3), (0.05, 0.5))
    sea = s.noise(song.size / s.rate_hz, 40, 700, -6)
    return song / (np.std(song) + 1e-9) + s.between(0.05, 0.5) * sea


def snake(s: Studio) -> Wave:
    """A hiss, or the rattle of a tail."""
    if s.maybe(0.5):
        seconds = s.between(1.2, 3.6)
        beat = s.pulses(s.between(45, 90) * s.wander(seconds, 6, 0.03))
        grains = abs(beat) / (abs(beat).max() + 1e-9)
        low = s.log_between(1800, 3800)
        wave = s.noise(seconds, low, 9000, 0) * (0.35 + grains) + 0.06 * s.noise(seconds, tilt=-3)
        loud: Wave = s.curve(seconds, [(0, 0.5), (0.05, 1), (0.95, 0.9), (1, 0)])
        return np.asarray(wave * loud)

    def hiss() -> Wave:
        seconds = s.between(0.5, 1.6)
        wave = s.noise(seconds, s.log_between(500, 2500), 9000, s.between(-2, 2))
        shape = [(0, 0), (s.between(0.15, 0.5), 1), (1, 0)]
        return wave * s.curve(seconds, shape) * s.wander(seconds, 25, 0.15)

    return s.sequence(hiss, s.whole(1, 3), (0.1, 0.6))


def frog(s: Studio) -> Wave:
    """Croaks: short trains of pulses through a throat sac."""
    sac = s.log_between(450, 1700)
    rate, seconds = s.log_between(28, 95), s.between(0.12, 0.5)
    double = s.maybe(0.5)

    def croak() -> Wave:
        wave = s.voice(
            seconds,
            [(0, rate), (1, rate * s.between(0.9, 1.3))],
            [(sac, sac * 0.2, 1), (sac * 1.9, sac * 0.25, s.between(0.05, 0.3))],
            breath=0.15,
            jitter=0.03,
            loudness=[(0, 0.2), (0.2, 0.7), (0.75, 1), (1, 0)],
            tilt=0,
        )
        return np.concatenate([wave, np.zeros(s.length(0.05)), wave]) if double else wave

    return s.sequence(croak, s.whole(1, 6), (0.08, 0.6))


def bee(s: Studio) -> Wave:
    """The buzz of one bee that passes, or of a swarm."""
    seconds = s.between(2, 4)
    bees = s.pick([1, 1, 2, 5])
    wave = np.zeros(s.length(seconds))
    for _ in range(bees):
        f0 = s.log_between(120, 260)
        near = np.clip(s.wander(seconds, 1.5, 0.35), 0.15, 3)
        hz = f0 * s.wander(seconds, 3, 0.03) * s.wander(seconds, 30, 0.006)
        wave += s.filtered(s.pulses(hz), 100, 6000, -4.5) * near
    wave /= np.std(wave) + 1e-9
    return wave + s.between(0.1, 0.5) * s.noise(seconds, 100, 4000, -4)


def mouse(s: Studio) -> Wave:
    """Squeaks, thin and arched."""
    high = s.log_between(2400, 5500)

    def squeak() -> Wave:
        seconds = s.between(0.04, 0.22)
        hz = high * s.curve(seconds, [(0, 0.75), (0.3, 1.05), (0.7, 1), (1, 0.75)])
        wave = s.whistle(hz * s.wander(seconds, 60, 0.015), (1, 0.35, 0.1))
        return (wave + 0.05 * s.noise(seconds, 1500)) * s.curve(
            seconds, [(0, 0), (0.1, 1), (0.8, 0.9), (1, 0)]
        )

    return s.sequence(squeak, s.whole(2, 9), (0.02, s.pick([0.08, 0.3])))


def elephant(s: Studio) -> Wave:
    """A trumpet call: brassy, rising and falling, with a torn edge."""
    f0 = s.log_between(280, 560)

    def call() -> Wave:
        throat = [(800, 500, 1), (1500, 600, 0.9), (2700, 900, 0.5), (4200, 1200, 0.2)]
        return s.voice(
            s.between(0.8, 2.0),
            [(0, f0 * 0.65), (0.25, f0 * 1.05), (0.6, f0 * 1.1), (1, f0 * 0.55)],
            throat,
            breath=s.between(0.5, 1.1),
            jitter=0.03,
            rough=s.between(0.1, 0.5),
            tilt=-1,
        )

    return s.sequence(call, s.pick([1, 1, 2]), (0.1, 0.5))


def lion(s: Studio) -> Wave:
    """A roar that swells and sinks, or short growling grunts."""
    f0 = s.log_between(70, 200)
    size = s.between(0.8, 1.25)
    snarl = s.between(0.2, 1)  # how much of the sharp upper throat is heard
    throat = [(300 * size, 250, 1), (700 * size, 400, 0.9), (1600 * size, 900, snarl)]
    throat += [(3000 * size, 1500, snarl * 0.6)]
    long = s.maybe(0.65)

    def roar() -> Wave:
        return s.voice(
            s.between(1.0, 2.2) if long else s.between(0.3, 0.7),
            [(0, f0 * 0.9), (0.3, f0 * 1.25), (1, f0 * 0.55)],
            throat,
            breath=s.between(0.6, 1.6),
            jitter=0.06,
            rough=s.between(0.4, 0.9),
            loudness=[(0, 0), (0.3, 1), (0.5, 0.9), (1, 0)],
        )

    return s.sequence(roar, s.whole(1, 2) if long else s.whole(2, 5), (0.1, 0.5))


ANIMALS: dict[str, Callable[[Studio], Wave]] = {
    "bird": bird,
    "owl": owl,
    "penguin": penguin,
    "whale": whale,
    "snake": snake,
    "frog": frog,
    "bee": bee,
    "mouse": mouse,
    "elephant": elephant,
    "lion": lion,
}
