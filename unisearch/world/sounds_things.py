"""What tools and things of the house sound like: knocks, clicks, rasps, rings and beeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unisearch.world.sounds_parts import creak, thud
from unisearch.world.synth import Studio, Wave


def door(s: Studio) -> Wave:
    """Knocks, a creaking hinge, a slam, or the latch of an opening door."""
    kind, body = s.pick(["knock", "knock", "creak", "slam", "open"]), s.log_between(90, 240)
    if kind == "knock":
        beat = s.between(0.05, 0.2)
        return s.sequence(lambda: thud(s, body, 0.18), s.whole(2, 6), (beat * 0.6, beat))
    slam = thud(s, body * 0.7, 0.6, 2.0) + 0.8 * s.burst(0.6, 0.15, 0.02, low=50)
    latch = 0.5 * s.burst(0.04, 0.01, 0.006, low=900)
    slam = s.layer(s.between(0.6, 1.2), [(0, latch), (s.between(0.02, 0.1), slam)])
    if kind == "slam":
        return slam
    if kind == "open":  # the latch, twice, and a short groan of the hinge
        groan = 0.3 * creak(s, s.between(0.2, 0.5), s.log_between(40, 150))
        return s.layer(1.1, [(0, 2 * latch), (s.between(0.1, 0.3), 2 * latch), (0.4, groan)])
    return creak(s, s.between(0.9, 2.6), s.log_between(25, 220))


def clock(s: Studio) -> Wave:
    """Tick and tock, from a watch's to a tall clock's, or an alarm's beeps."""
    seconds = s.between(1.8, 4)
    if s.maybe(0.12):
        beep = s.whistle(np.full(s.length(0.08), s.log_between(1800, 3000)), (1, 0.1, 0.3))
        moments = [b + 0.12 * k for b in np.arange(0, seconds, 0.9) for k in range(4)]
        return s.layer(seconds, [(float(m), beep) for m in moments])
    every, body = s.pick([0.2, 0.25, 0.5, 0.5, 1.0]), s.log_between(900, 4500)
    tick, tock = (_tick(s, body * f) for f in (1, s.between(0.7, 1)))
    start = s.between(0, 0.2)
    events = [
        (start + k * every, (tick if k % 2 == 0 else tock) * s.between(0.85, 1))
        for k in range(int(seconds / every))
    ]
    return s.layer(seconds, events)


def _tick(s: Studio, body: float) -> Wave:
    modes = body * np.array([1, 1.7, 2.6, 3.3])
    wave = s.ring(0.06, modes, [0.01, 0.007, 0.004, 0.003], [1, 0.8, 0.7, 0.5])
    return wave + 0.5 * s.burst(0.06, 0.008, 0.003, low=300)


def telephone(s: Studio) -> Wave:
    """An old bell that rings in bursts, or an electronic warble."""
    long, rate = s.between(0.5, 1.3), s.between(16, 26)
    if s.maybe(0.6):
        f0 = s.log_between(900, 1700)
        partials = f0 * np.array([1, 1.22, 2.7, 3.3, 4.4])
        hit = s.ring(0.4, partials, [0.2, 0.2, 0.1, 0.1, 0.05], [1, 0.9, 0.6, 0.6, 0.3])
        hits = [(k / rate, hit * s.between(0.8, 1)) for k in range(int(long * rate))]
        ring = s.layer(long + 0.3, hits)
    else:
        low = s.log_between(600, 1500)
        warble = np.where(
            np.sin(2 * np.pi * rate * s.time(long)) > 0, low, low * s.between(1.2, 1.5)
        )
        ring = s.whistle(warble, (1, 0.2, 0.3, 0.1, 0.15)) * s.curve(
            long, [(0, 1), (0.98, 1), (1, 0)]
        )
    return s.sequence(lambda: ring, 2, (0.2, 0.8))


def television(s: Studio) -> Wave:
    """White noise of no station, with the buzz of the picture."""
    seconds, gap = s.between(2, 4), s.pick([50, 60])
    snow = s.noise(seconds, 200, 2e4, s.between(-0.5, 1.5))
    buzz = s.filtered(s.pulses(np.full(s.length(seconds), float(gap))), 80, 6000, -2)
    return snow + s.between(0.02, 0.25) * buzz


def laptop(s: Studio) -> Wave:
    """Typing: soft keys in uneven groups, a deeper space bar between."""
    seconds, at, events = s.between(1.8, 4), 0.05, []
    body, pace = s.log_between(700, 1800), s.between(0.07, 0.18)
    while at < seconds:
        low = body * (0.5 if s.maybe(0.15) else s.between(0.85, 1.2))
        down = s.ring(0.05, low * np.array([1, 2.1, 3.6]), [0.008, 0.005, 0.003], [1, 0.7, 0.5])
        press = down + 0.8 * s.burst(0.05, 0.012, 0.005, low=250)
        events += [(at, press * s.between(0.5, 1)), (at + 0.06, press * 0.25)]
        at += pace * s.log_between(0.5, 1.8) + (0.3 if s.maybe(0.07) else 0)
    return s.layer(seconds, events)


def camera(s: Studio) -> Wave:
    """The two clacks of a shutter, sometimes the motor that winds on."""

    def snap() -> Wave:
        first, second = (s.burst(0.05, 0.015, 0.006, low=500) for _ in range(2))
        metal = s.ring(0.05, [2300, 3700, 5200], 0.008, [0.8, 0.6, 0.4])
        events = [(0.0, first + metal), (s.between(0.05, 0.16), 0.8 * second + 0.5 * metal)]
        if motor:
            hz = s.between(120, 200) * s.curve(0.35, [(0, 0.7), (0.3, 1), (1, 0.9)])
            wind = s.filtered(s.pulses(hz), 300, 6000) + 0.4 * s.noise(0.35, 800)
            events.append((0.18, 0.25 * wind / (np.std(wind) + 1e-9)))
        return s.layer(0.55 if motor else 0.3, events)

    motor = s.maybe(0.4)
    return s.sequence(snap, s.whole(1, 5), (0.05, 0.7))


def hammer(s: Studio) -> Wave:
    """Blows on a nail in wood; the nail rings higher as it goes in."""
    every, wood, nail = s.between(0.25, 0.7), s.log_between(120, 350), s.log_between(1800, 4200)
    count = s.whole(2, 9)
    events = []
    for k in range(count):
        ring = s.ring(
            0.3,
            nail * (1 + 0.04 * k) * np.array([1, 1.9, 2.7]),
            [0.06, 0.03, 0.02],
            [0.7, 0.5, 0.3],
        )
        blow = thud(s, wood, 0.3, 1.2) + ring
        events.append((k * every * s.between(0.96, 1.04), blow * s.between(0.7, 1)))
    return s.layer(min(4.0, max(1.2, count * every)), events)


def scissors(s: Studio) -> Wave:
    """Snips: a sliding scrape that ends in a bright click."""

    def snip() -> Wave:
        long = s.between(0.1, 0.22)
        slide = s.noise(long, s.log_between(2000, 4000), 9000, 2)
        slide *= s.curve(long, [(0, 0), (0.3, 0.5), (0.9, 1), (1, 0)])
        click = s.ring(0.08, metal, [0.02, 0.015, 0.01], [1, 0.8, 0.5])
        return s.layer(long + 0.08, [(0, 0.6 * slide), (long * 0.95, click)])

    metal = s.log_between(3000, 4800) * np.array([1, 1.27, 1.61])
    return s.sequence(snip, s.whole(3, 9), (0.03, 0.25))


def saw(s: Studio) -> Wave:
    """Strokes through wood, forth and back, each a rasp of teeth."""
    every, count = s.between(0.3, 0.65), s.whole(3, 8)
    body, teeth = s.log_between(500, 1400), s.between(70, 160)
    events = []
    for k in range(count):
        long = every * 0.85
        hz = teeth * s.curve(long, [(0, 0.5), (0.5, 1.2), (1, 0.5)])
        rasp = s.noise(long, 300, 8000, -1) * (0.4 + abs(s.pulses(hz)) / 4)
        rasp = s.resonant(rasp, [(body * (1 if k % 2 else 1.25), 500, 1), (3200, 1500, 0.7)], 0.2)
        loud = s.curve(long, [(0, 0), (0.3, 1), (0.8, 0.8), (1, 0)]) * (1 if k % 2 else 0.6)
        events.append((k * every, rasp * loud))
    return s.layer(min(4.0, max(1.0, count * every)), events)


def axe(s: Studio) -> Wave:
    """Slow chops into a log: a deep crack, then splinters."""
    every, wood, count = s.between(0.8, 1.5), s.log_between(70, 180), s.whole(1, 4)
    events = []
    for k in range(count):
        crack = thud(s, wood, 0.45, 2.0) + s.burst(0.45, 0.08, 0.015, low=100)
        chips = s.filtered(s.clicks(0.4, 50, 1), 800, 7000) * s.curve(0.4, [(0, 1), (1, 0)])
        events += [(k * every, crack * s.between(0.8, 1)), (k * every + 0.03, 1.5 * chips)]
    return s.layer(min(4.0, max(1.1, count * every)), events)


def key(s: Studio) -> Wave:
    """Jingling: many small pieces of metal that hit each other."""
    seconds, events = s.between(1.2, 3), []
    pieces = [s.log_between(2500, 6500) * np.array([1, 1.41, 2.1]) for _ in range(s.whole(3, 6))]
    shake = s.between(2.5, 6)
    for _ in range(int(seconds * s.between(12, 28))):
        hit = s.ring(0.25, s.pick(pieces), [0.07, 0.04, 0.02], [1, 0.7, 0.4])
        moment = (s.whole(0, int(seconds * shake)) + abs(s.rng.normal(0, 0.2))) / shake
        events.append((moment, hit * s.between(0.2, 1)))
    return s.layer(seconds, events)


def sword(s: Studio) -> Wave:
    """Blades that clash and ring, sometimes drawn with a scrape."""
    blade = s.log_between(700, 1900) * np.array([1, 1.52, 2.31, 2.94, 4.2, 5.4])
    decays = s.between(0.5, 1.6) * np.array([0.5, 0.4, 0.35, 0.3, 0.2, 0.15])

    def clash() -> Wave:
        tune = s.between(0.92, 1.08)
        wave = s.ring(0.9, blade * tune, decays, [0.5, 0.7, 1, 0.8, 0.7, 0.5])
        return s.layer(
            s.between(0.3, 0.9), [(0, wave), (0, 0.8 * s.burst(0.06, 0.02, 0.01, low=900))]
        )

    clashes = s.sequence(clash, s.whole(1, 5), (0.0, 0.4))
    if s.maybe(0.4):
        long = s.between(0.3, 0.7)
        scrape = s.noise(long, 2000, 9000, 1) * s.curve(long, [(0, 0), (0.8, 1), (1, 0)])
        clashes = np.concatenate([0.3 * scrape + 0.05 * s.ring(long, blade, 1, 1), clashes])
    return clashes


def ball(s: Studio) -> Wave:
    """Bounces that come faster and softer."""
    seconds, hollow = s.between(1.8, 3.6), s.log_between(75, 260)
    at, gap, loud, events = 0.05, s.between(0.35, 0.8), 1.0, []
    keep = s.between(0.7, 0.97)
    while at < seconds and gap > 0.03:
        modes = hollow * np.array([1, 2.2, 3.5, 8])
        hit = s.ring(0.22, modes, [0.05, 0.04, 0.02, 0.02], [1, 0.5, 0.4, 0.2])
        events.append((at, loud * (hit + 0.4 * s.burst(0.22, 0.02, 0.005, low=100))))
        at, gap, loud = at + gap, gap * keep, loud * keep
    return s.layer(seconds, events)


def robot(s: Studio) -> Wave:
    """Beeps, sweeps and warbles in steps, as toys and films let robots talk."""
    base = s.log_between(350, 1400)

    def beep() -> Wave:
        long = s.log_between(0.05, 0.35)
        start = base * 2 ** (s.whole(-7, 12) / 12)
        end = start if s.maybe(0.5) else base * 2 ** (s.whole(-12, 14) / 12)
        hz = s.curve(long, [(0, start), (1, end)])
        if s.maybe(0.3):
            hz = hz * (1 + 0.2 * np.sign(np.sin(2 * np.pi * s.between(15, 40) * s.time(long))))
        wave = s.whistle(hz, (1, 0.0, 0.33, 0.0, 0.2) if square else (1, 0.1))
        return wave * s.curve(long, [(0, 0), (0.05, 1), (0.9, 1), (1, 0)])

    square = s.maybe(0.5)
    return s.sequence(beep, s.whole(2, 14), (0.0, 0.12))


THINGS: dict[str, Callable[[Studio], Wave]] = {
    "door": door,
    "clock": clock,
    "telephone": telephone,
    "television": television,
    "laptop": laptop,
    "camera": camera,
    "hammer": hammer,
    "scissors": scissors,
    "saw": saw,
    "axe": axe,
    "key": key,
    "sword": sword,
    "ball": ball,
    "robot": robot,
}
