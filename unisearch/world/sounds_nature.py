"""What water, fire, wind, weather and bangs sound like, and what is alive beside the animals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unisearch.world.sounds_parts import drops, thud
from unisearch.world.synth import Studio, Wave


def toilet(s: Studio) -> Wave:
    """A flush: a rush that swells, swirls and gurgles away."""
    seconds = s.between(2.8, 4)
    rush = s.noise(seconds, 150, s.log_between(2500, 6000), -3.5) * s.wander(seconds, 18, 0.2)
    loud = s.curve(seconds, [(0, 0), (0.08, 0.8), (0.4, 1), (0.75, 0.4), (1, 0.12)])
    gurgle = s.layer(seconds, [(m, 1.2 * d) for m, d in drops(s, seconds, s.between(15, 35))])
    handle = s.layer(seconds, [(0.02, 2 * thud(s, 350, 0.1, 0.8))])
    return (
        rush * loud + gurgle * s.curve(seconds, [(0, 0), (0.4, 0.3), (0.7, 1), (1, 0.6)]) + handle
    )


def bathtub(s: Studio) -> Wave:
    """A running tap into water: an even rush full of bubbles."""
    seconds = s.between(2.2, 4)
    stream = s.noise(seconds, 300, 7000, -2) * s.wander(seconds, 30, 0.12)
    hum = s.resonant(stream, [(s.log_between(180, 400), 80, 1), (900, 400, 0.4)], 0.3)
    return hum / np.std(hum) + s.layer(seconds, drops(s, seconds, s.between(25, 60)))


def bottle(s: Studio) -> Wave:
    """A cork that pops, then a glugging pour; or one of both."""
    neck, kind = s.log_between(300, 900), s.whole(0, 2)
    t = s.time(0.12)
    pop = np.sin(2 * np.pi * neck * (1 + 1.5 * t / 0.12) * t) * np.exp(-t / 0.025)
    pop = 2 * pop + 0.7 * s.burst(0.12, 0.03, 0.008, low=200)
    events = [(s.between(0, 0.2), 1.5 * pop)] if kind != 1 else []
    seconds = s.between(2, 3.6) if kind else 1.0
    if kind:
        every, at = s.between(0.12, 0.3), 0.4
        while at < seconds - 0.3:
            long, rise = s.between(0.08, 0.16), 1 + 0.6 * at / seconds
            hz = neck * rise * s.curve(long, [(0, 0.8), (1, 1.25)])
            glug = s.whistle(hz, (1, 0.3)) * s.curve(long, [(0, 0), (0.2, 1), (1, 0)])
            events.append((at, glug + 0.15 * s.noise(long, 400, 5000, -3)))
            at += every * s.between(0.8, 1.3)
    return s.layer(seconds, events)


def kettle(s: Studio) -> Wave:
    """Water that boils louder and louder until the whistle comes."""
    seconds = s.between(2.4, 4)
    boil = s.noise(seconds, 150, 2500, -4) * s.wander(seconds, 40, 0.25)
    rise = s.curve(seconds, [(0, 0), (s.between(0.1, 0.5), 0.3), (0.7, 1), (1, 1)])
    top = s.log_between(1500, 3200)
    hz = top * (0.75 + 0.25 * rise) * s.wander(seconds, 30, 0.006)
    steam = s.whistle(hz, (1, 0.4, 0.15)) + 0.3 * s.noise(seconds, 1500)
    return s.between(0.15, 0.5) * boil + s.between(0.6, 1.4) * steam * rise


def umbrella(s: Studio) -> Wave:
    """Rain: a wide hiss and single drops on stretched cloth."""
    seconds = s.between(2.2, 4)
    hiss = s.noise(seconds, 200, 9000, s.between(-3, -0.5))
    cloth = s.clicks(seconds, s.log_between(40, 400), 0.8)
    taps = s.resonant(cloth, [(s.log_between(250, 900), 300, 1), (2500, 1500, 0.5)], 0.1)
    return hiss * s.wander(seconds, 2, 0.08) + s.between(0.3, 2.5) * taps / (np.std(taps) + 1e-9)


def gun(s: Studio) -> Wave:
    """Shots: a crack at once, a boom that rolls off."""
    slow, fast = s.log_between(0.12, 0.5), s.log_between(0.03, 0.12)

    def shot() -> Wave:
        return s.burst(s.between(0.4, 1.1), slow, fast, low=s.log_between(50, 150))

    wave = s.sequence(shot, s.pick([1, 1, 1, 2, 3, 5]), (0.0, 0.5))
    return np.tanh(wave * s.between(0.3, 1.2))  # recorders clip on shots


def bomb(s: Studio) -> Wave:
    """An explosion: a deep blast that rumbles for seconds; sometimes the fuse before."""
    blast = s.burst(s.between(1.6, 3.2), s.log_between(0.5, 1.5), s.log_between(0.06, 0.4), low=25)
    debris = s.filtered(s.clicks(blast.size / s.rate_hz, 60, 1), 300, 5000)
    fall = s.curve(blast.size / s.rate_hz, [(0, 0), (0.2, 1), (1, 0)])
    wave = np.tanh(blast * s.between(0.3, 1)) + 0.3 * debris * fall
    if s.maybe(0.25):
        fuse = s.noise(s.between(0.4, 0.8), 2000, 9000) * 0.08
        wave = np.concatenate([fuse, wave])
    return wave


def balloon(s: Studio) -> Wave:
    """A pop, sometimes after squeaks of rubber."""
    pop = s.burst(s.between(0.25, 0.6), s.between(0.04, 0.12), s.between(0.01, 0.03), low=150)
    if s.maybe(0.3):
        squeak = s.voice(0.4, [(0, 500), (0.5, 900), (1, 650)], [(1800, 900, 1)], jitter=0.05)
        return np.concatenate([0.08 * squeak, np.zeros(s.length(0.2)), pop])
    return np.concatenate([np.zeros(s.length(s.between(0, 0.5))), pop])


def tree(s: Studio) -> Wave:
    """Leaves that rustle in gusts."""
    seconds = s.between(2, 4)
    gusts = np.clip(s.wander(seconds, s.between(1.5, 4), 0.55), 0.1, 2.5)
    leaves = s.noise(seconds, s.log_between(700, 1600), 9000, -1) * s.wander(seconds, 60, 0.25)
    flutter = s.filtered(s.clicks(seconds, 350, 0.8), 1200, 8000)
    wind = s.noise(seconds, 100, 700, -5)
    return (leaves + 0.5 * flutter / np.std(flutter)) * gusts + s.between(0.05, 0.4) * wind * gusts


def apple(s: Studio) -> Wave:
    """Bites: a crunch of many small cracks, then chewing."""

    def crunch() -> Wave:
        long = s.between(0.18, 0.5)
        cracks = s.clicks(long, s.between(150, 500), 0.8)
        wave = s.resonant(cracks, [(800, 700, 1), (2200, 1200, 0.9), (4500, 2000, 0.8)], 0.2)
        return wave * s.curve(long, [(0, 0.3), (0.2, 1), (1, 0)]) / (np.std(wave) + 1e-9)

    chew = s.maybe(0.5)
    bite = crunch()
    if not chew:
        return s.sequence(crunch, s.whole(1, 3), (0.1, 0.4))
    return np.concatenate([bite, s.sequence(lambda: 0.4 * crunch(), s.whole(2, 5), (0.1, 0.3))])


def campfire(s: Studio) -> Wave:
    """Flames that flutter deep, and wood that cracks at any moment."""
    seconds = s.between(2.4, 4)
    flames = s.noise(seconds, 40, 900, -5) * s.wander(seconds, 9, 0.2)
    hiss = s.noise(seconds, 1500, 8000, -1)
    small = s.filtered(s.clicks(seconds, s.between(15, 60), 1.0), 500, 9000)
    events = []
    for _ in range(s.whole(2, 14)):
        crack = s.burst(0.05, 0.012, 0.006, low=300)
        events.append((s.between(0, seconds), crack * s.log_between(0.5, 2.5)))
    loud = s.between(1, 3)
    return flames * s.between(0.4, 1) + 0.08 * hiss + loud * small + loud * s.layer(seconds, events)


def storm_cloud(s: Studio) -> Wave:
    """Thunder: a crack near by, or only the rolling after it; often rain."""
    seconds, near = s.between(3, 4), s.maybe(0.75)
    roll = s.noise(seconds, 25, s.log_between(150, 3000), -5)
    roll *= np.clip(s.wander(seconds, 5, 0.7), 0.05, 3)
    start = s.between(0.02, 0.3)
    roll *= s.curve(seconds, [(0, 0.05), (start, 1), (0.6, 0.6), (1, 0.1)])
    events = []
    if near:
        for _ in range(s.whole(1, 4)):
            clap = s.burst(1.5, s.log_between(0.3, 0.9), s.log_between(0.05, 0.3), low=40)
            events.append((start * seconds * s.between(0.5, 1.6), clap * s.between(0.3, 1)))
    rain = s.between(0, 0.15) * s.noise(seconds, 300, 8000, -2)
    return roll + s.layer(seconds, events) + rain


def heart(s: Studio) -> Wave:
    """Lub and dub, as through a chest."""
    seconds, rate, low = s.between(2.5, 4), s.between(0.9, 2.2), s.log_between(38, 75)
    lub = s.ring(0.2, low * np.array([1, 1.6, 2.3]), [0.05, 0.04, 0.025], [1, 0.5, 0.3])
    dub = s.ring(0.2, low * np.array([1.35, 2.1, 3.0]), [0.035, 0.03, 0.02], [0.8, 0.4, 0.25])
    events = []
    for k in range(int(seconds * rate)):
        at = 0.05 + k / rate * s.between(0.98, 1.02)
        events += [(at, lub), (at + 0.33 / rate**0.5, dub)]
    beat = s.filtered(s.layer(seconds, events), 25, s.log_between(200, 500))
    return beat / np.std(beat) + 0.05 * s.noise(seconds, 30, 400, -6)


NATURE: dict[str, Callable[[Studio], Wave]] = {
    "toilet": toilet,
    "bathtub": bathtub,
    "bottle": bottle,
    "kettle": kettle,
    "umbrella": umbrella,
    "gun": gun,
    "bomb": bomb,
    "balloon": balloon,
    "tree": tree,
    "apple": apple,
    "campfire": campfire,
    "storm cloud": storm_cloud,
    "heart": heart,
}
