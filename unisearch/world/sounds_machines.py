"""What vehicles and motors sound like: trains of ignitions, rotors, horns, wind and whistles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unisearch.world.sounds_parts import creak, drops
from unisearch.world.synth import Formants, Studio, Wave


def _engine(s: Studio, firings: Wave, body: Formants, noise: float, uneven: float) -> Wave:
    """An engine that fires at `firings` (Hz at each sample); uneven: how much firings differ."""
    seconds = firings.size / s.rate_hz
    turn = np.sin(np.pi * np.cumsum(firings) / s.rate_hz)  # every second firing is a weaker one
    source = s.pulses(firings * s.wander(seconds, 25, 0.01)) * (1 + uneven * turn)
    wave = s.filtered(s.resonant(source, body, 0.05), 30, 5000, -4)
    wave /= np.std(wave) + 1e-9
    return wave + noise * s.noise(seconds, 40, 6000, -5)


def _horn(s: Studio, seconds: float, notes: Sequence[float], tilt: float = -2) -> Wave:
    """Reeds that sound together, with a soft start and end."""
    t = np.zeros(s.length(seconds))
    wave = sum((s.pulses(t + f * s.between(0.995, 1.005)) for f in notes), t)
    wave = s.filtered(s.resonant(wave, [(notes[0] * 3, 900, 1), (2500, 1200, 0.9)]), 80, 6000, tilt)
    loud = s.curve(seconds, [(0, 0), (0.06, 1), (0.92, 0.9), (1, 0)])
    return wave * loud / (np.std(wave) + 1e-9)


def car(s: Studio) -> Wave:
    """A horn, an idling engine, or one that speeds up and passes."""
    kind = s.whole(0, 2)
    if kind == 0:
        low = s.log_between(300, 480)
        notes, sharp = [low, low * s.between(1.18, 1.3)], s.between(-1, 3)
        return s.sequence(
            lambda: _horn(s, s.log_between(0.15, 1.1), notes, sharp), s.whole(1, 4), (0.05, 0.3)
        )
    seconds, f0 = s.between(2, 4), s.log_between(45, 110)
    if kind == 1:
        hz = f0 * 0.6 * s.wander(seconds, 3, 0.02)
        return _engine(s, hz, [(140, 120, 1), (420, 300, 0.4)], s.between(0.2, 0.8), 0.2)
    up = s.between(1.3, 2.4)
    hz = s.curve(seconds, [(0, f0), (0.4, f0 * up), (0.45, f0 * up * 0.7), (1, f0 * up)])
    motor = _engine(s, hz, [(220, 200, 1), (700, 500, 0.5)], 0.3, 0.15)
    road = s.noise(seconds, 150, 4000, -3) * s.between(0.3, 1.2)
    return (motor + road) * s.curve(seconds, [(0, 0.3), (s.between(0.3, 0.7), 1), (1, 0.25)])


def bus(s: Studio) -> Wave:
    """A diesel under load, then the hiss of its air brake."""
    seconds, f0 = s.between(2.4, 4), s.log_between(28, 55)
    hz = s.curve(seconds, [(0, f0), (0.6, f0 * s.between(0.8, 1.7)), (1, f0 * 0.7)])
    motor = _engine(s, hz, [(90, 90, 1), (300, 250, 0.5), (900, 600, 0.2)], 0.5, 0.3)
    hiss = s.noise(0.6, 1500, 8000, 1) * s.curve(0.6, [(0, 0), (0.04, 1), (0.4, 0.4), (1, 0)])
    return s.layer(seconds, [(0, motor), (s.between(0.8, seconds - 0.7), s.between(0.7, 2) * hiss)])


def truck(s: Studio) -> Wave:
    """A heavy idling diesel, often with the beep of reversing or a deep double horn."""
    seconds = s.between(2.4, 4)
    hz = s.log_between(24, 42) * s.wander(seconds, 3, 0.02)
    motor = _engine(s, hz, [(70, 70, 1), (210, 160, 0.6), (1200, 900, 0.25)], 0.4, 0.5)
    if s.maybe(0.3):
        low = s.log_between(150, 230)
        notes = [low, low * 1.26, low * 1.5]
        return s.layer(seconds, [(0, 0.3 * motor), (0.4, _horn(s, s.between(0.6, 1.5), notes))])
    pitch, every, events = s.log_between(900, 1500), s.between(0.7, 1.1), [(0.0, 0.5 * motor)]
    tone = s.whistle(np.full(s.length(every / 2), pitch), (1, 0.2, 0.25)) * s.between(0.6, 1.5)
    events += [(0.2 + k * every, tone) for k in range(int(seconds / every))]
    return s.layer(seconds, events)


def train(s: Studio) -> Wave:
    """A whistle of several pipes, the chuff of steam, or wheels over joints."""
    seconds, kind = s.between(2.2, 4), s.pick(["whistle", "whistle", "steam", "wheels"])
    if kind == "whistle":
        return _train_whistle(s)
    if kind == "steam":
        every = s.between(0.16, 0.42)
        events = []
        for k in range(int(seconds / every)):
            puff = s.noise(every, 120, 5000, -4)
            puff *= s.curve(every, [(0, 0), (0.1, 1), (0.5, 0.3), (1, 0)])
            events.append((k * every, puff * (1 if k % 4 == 0 else 0.65)))
        return s.layer(seconds, events) + 0.08 * s.noise(seconds, tilt=-4)
    every = s.between(0.5, 0.95)
    wave = 0.25 * s.noise(seconds, 60, 3000, -5)
    for k in range(int(seconds / every) + 1):
        for beat in (0.0, 0.16):
            clack = s.ring(0.2, [310, 870, 1900], [0.05, 0.03, 0.015], [1, 0.6, 0.3])
            clack += s.burst(0.2, 0.06, 0.015)
            wave += s.layer(seconds, [((k + beat) * every, clack * s.between(0.6, 1))])
    return wave


def _train_whistle(s: Studio) -> Wave:
    low, steep = s.log_between(250, 500), s.between(0.5, 1.1)
    overtones = [k**-steep for k in range(1, 13)]
    notes = [low * r for r in s.pick([(1, 1.2, 1.5), (1, 1.26, 1.5, 1.78), (1, 1.19)])]

    def blow() -> Wave:
        seconds = s.log_between(0.5, 2.4)
        bend = s.curve(seconds, [(0, 0.93), (0.12, 1), (0.9, 1), (1, 0.92)])
        wave = np.zeros(s.length(seconds))
        for f in notes:
            wave += s.whistle(f * bend * s.wander(seconds, 8, 0.002), overtones)
        wave += s.between(0.3, 1.2) * s.noise(seconds, 250, 6000, -3)
        return wave * s.curve(seconds, [(0, 0), (0.08, 1), (0.9, 0.9), (1, 0)])

    return s.sequence(blow, s.whole(1, 3), (0.08, 0.3))


def bicycle(s: Studio) -> Wave:
    """The ringing of its bell, or ticking spokes."""
    if s.maybe(0.25):
        every = s.between(0.03, 0.08)
        tick = s.ring(0.03, [1900, 3300, 5200], [0.006, 0.004, 0.003], [1, 1, 0.6])
        seconds = s.between(1.2, 3)
        moments = np.cumsum(every * s.wander(seconds, 4, 0.15)[:: s.length(0.1)])
        times = np.arange(0, seconds, every) + 0.2 * moments[0]
        return s.layer(seconds, [(float(t), tick * s.between(0.5, 1)) for t in times])
    f0, rate = s.log_between(1500, 3000), s.between(10, 20)
    partials = f0 * np.array([1, 1.003, 2.42, 2.43, 3.9])

    def ring() -> Wave:
        strikes = s.whole(2, 12)
        decays = np.array([0.5, 0.45, 0.3, 0.3, 0.12]) * s.between(0.5, 1.3)
        hit = s.ring(1.3, partials, decays, [1, 0.7, 0.8, 0.5, 0.3])
        click = 0.4 * s.burst(0.02, 0.006, 0.003, low=500)
        events = [(k / rate, w * s.between(0.6, 1)) for k in range(strikes) for w in (hit, click)]
        return s.layer(strikes / rate + s.between(0.3, 1.0), events)

    return s.sequence(ring, s.whole(1, 2), (0.05, 0.4))


def motorcycle(s: Studio) -> Wave:
    """A twin that idles, or whose throttle is opened in bursts."""
    seconds, f0 = s.between(2, 4), s.log_between(28, 75)
    if s.maybe(0.4):
        hz = f0 * s.wander(seconds, 5, 0.03)
    else:
        up = s.between(1.8, 3.5)
        points = [(0.0, 1.0), (0.15, up), (0.35, 1.2), (0.5, up), (0.75, up * 1.2), (1.0, 1.1)]
        hz = f0 * s.curve(seconds, points)
    body = [(120, 100, 1), (330, 200, 0.8), (900, 600, 0.45), (2200, 1200, 0.2)]
    return _engine(s, hz, body, s.between(0.1, 0.4), s.between(0.4, 0.8))


def airplane(s: Studio) -> Wave:
    """A jet that passes with a falling whine, or the drone of a propeller."""
    seconds = s.between(3, 4)
    if s.maybe(0.35):
        hz = s.log_between(60, 130) * s.wander(seconds, 2, 0.006)
        return _engine(s, hz, [(150, 150, 1), (400, 300, 0.4)], s.between(0.3, 0.9), 0.05)
    rush = s.noise(seconds, 60, s.log_between(1500, 7000), -4)
    near = s.between(0.25, 0.75)
    whine = s.log_between(1200, 3500) * s.curve(seconds, [(0, 1.1), (near, 1), (1, 0.7)])
    tone = s.whistle(whine * s.wander(seconds, 8, 0.004), (1, 0.3)) * s.between(0.02, 0.25)
    comb = s.filtered(rush, 300, 5000, 1) * np.sin(np.cumsum(whine) / s.rate_hz)
    loud = s.curve(seconds, [(0, s.between(0.1, 0.9)), (near, 1), (1, s.between(0.15, 0.9))])
    return (rush + tone + 0.4 * comb) * loud


def helicopter(s: Studio) -> Wave:
    """Blades that chop, over a turbine's whine."""
    seconds, rate = s.between(1.5, 4), s.between(9, 24)
    phase = np.cumsum(rate * s.wander(seconds, 2, 0.01)) / s.rate_hz
    chop = np.exp(-s.between(5, 10) * (phase % 1))
    wave = s.noise(seconds, 40, 5000, -5) * chop + 0.6 * s.filtered(chop, 30, 400)
    turbine = s.whistle(s.log_between(700, 2500) * s.wander(seconds, 4, 0.003), (1, 0.4))
    wave = wave / (np.std(wave) + 1e-9) + s.between(0, 0.12) * turbine
    return wave * s.curve(seconds, [(0, s.between(0.3, 1)), (0.5, 1), (1, s.between(0.3, 1))])


def sailboat(s: Studio) -> Wave:
    """Waves that wash along a hull, and drops."""
    seconds = s.between(2.5, 4)
    wave = 0.15 * s.noise(seconds, 100, 3000, -3)
    for _ in range(s.whole(2, 5)):
        long = s.between(0.6, 1.6)
        wash = s.noise(long, 200, s.log_between(1500, 5000), -3)
        wash *= s.curve(long, [(0, 0), (0.35, 1), (1, 0)]) ** 2
        wave += s.layer(seconds, [(s.between(0, seconds - 0.5), wash * s.between(0.5, 1.2))])
    return wave + s.layer(seconds, [(m, 0.8 * d) for m, d in drops(s, seconds, s.between(4, 14))])


def ship(s: Studio) -> Wave:
    """A deep horn, once or twice, over the harbour's water."""
    low = s.log_between(75, 170)
    notes = s.pick([[low], [low, low * 1.5], [low, low * 1.02]])
    horn = s.sequence(lambda: _horn(s, s.between(0.9, 2.6), notes, -4), s.whole(1, 2), (0.2, 0.6))
    return horn + s.between(0.03, 0.2) * s.noise(horn.size / s.rate_hz, 100, 3000, -4)


def rocket(s: Studio) -> Wave:
    """A launch: a roar that grows, crackles and sinks."""
    seconds = s.between(3, 4)
    roar = s.noise(seconds, 25, s.log_between(1500, 6000), -5)
    crackle = abs(s.noise(seconds, 20, 300, -3)) * s.noise(seconds, 300, 6000, -2)
    rise = s.between(0.1, 0.5)
    loud = s.curve(seconds, [(0, 0.05), (rise, 1), (1, s.between(0.2, 0.9))])
    return (roar + s.between(0.2, 0.6) * crackle) * loud


def tractor(s: Studio) -> Wave:
    """A slow puttering engine: single strokes that one can count."""
    seconds, rate = s.between(2.2, 4), s.between(8, 17)
    stroke = s.burst(0.12, 0.05, 0.012, low=50) + 1.5 * s.ring(0.12, [75, 140], 0.03, [1, 0.7])
    moments = np.cumsum(
        s.between(0.93, 1.07) / rate * s.wander(seconds, 20, 0.06)[:: s.length(0.03)]
    )
    wave = s.layer(seconds, [(float(m), stroke * s.between(0.6, 1)) for m in moments])
    return wave + 0.1 * s.noise(seconds, 50, 3000, -4)


def fan(s: Studio) -> Wave:
    """Moved air, with the beat of the blades and a humming motor."""
    seconds, rate = s.between(2, 4), s.between(14, 45)
    beat = 1 + s.between(0.1, 0.4) * np.sin(2 * np.pi * rate * s.time(seconds))
    air = s.noise(seconds, 100, s.log_between(1500, 5000), -3.5) * beat
    hum = s.whistle(np.full(s.length(seconds), s.between(95, 125)), (1, 0.5, 0.6, 0.2))
    return air + s.between(0.05, 0.4) * hum


def refrigerator(s: Studio) -> Wave:
    """The hum of a compressor: the mains' even harmonics, hardly any hiss."""
    seconds, mains = s.between(2.4, 4), s.pick([50.0, 60.0])
    gains = [s.between(0.05, 1) / k**0.7 for k in range(1, 9)]
    gains[1] += 1
    hum = s.whistle(mains * s.wander(seconds, 1, 0.0008), gains)
    slow = 1 + 0.1 * np.sin(2 * np.pi * s.between(0.5, 3) * s.time(seconds))
    return hum * slow + s.between(0.1, 0.4) * s.noise(seconds, 60, 1200, -5)


def windmill(s: Studio) -> Wave:
    """Gusts around sails that creak once a turn."""
    seconds, every = s.between(3, 4), s.between(0.8, 1.6)
    wave = s.noise(seconds, 80, 900, -4) * np.clip(s.wander(seconds, 2, 0.3), 0.2, 2)
    for k in range(int(seconds / every) + 1):
        swish = s.noise(0.5, 200, 2500, -3) * s.curve(0.5, [(0, 0), (0.5, 1), (1, 0)])
        groan = creak(s, s.between(0.2, 0.5), s.log_between(60, 160))
        wave += s.layer(seconds, [(k * every, swish), (k * every + 0.3, 0.5 * groan)])
    return wave


def lighthouse(s: Studio) -> Wave:
    """A foghorn's two tones above the surf."""
    seconds, low = s.between(3, 4), s.log_between(110, 240)
    surf = s.noise(seconds, 150, 5000, -3)
    surf *= 0.3 + s.curve(seconds, [(0, 0.2), (s.between(0.3, 0.7), 1), (1, 0.2)]) ** 2
    events = [(s.between(0.1, 0.6), _horn(s, s.between(1.0, 1.6), [low], -5))]
    events += [(events[0][0] + s.between(1.1, 1.6), _horn(s, 0.8, [low * 0.7], -5))]
    return s.layer(seconds, events) + s.between(0.25, 0.9) * surf


MACHINES: dict[str, Callable[[Studio], Wave]] = {
    "car": car,
    "bus": bus,
    "truck": truck,
    "train": train,
    "bicycle": bicycle,
    "motorcycle": motorcycle,
    "airplane": airplane,
    "helicopter": helicopter,
    "sailboat": sailboat,
    "ship": ship,
    "rocket": rocket,
    "tractor": tractor,
    "fan": fan,
    "refrigerator": refrigerator,
    "windmill": windmill,
    "lighthouse": lighthouse,
}
