"""What instruments and bells play: strings, struck metal, skins and brass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unisearch.world.synth import Studio, Wave

# Partials of a church bell (hum, prime, tierce, quint, nominal and above), relative to its prime:
# Fletcher and Rossing, The Physics of Musical Instruments, chapter 21.
_BELL = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.66, 3.0, 4.0, 5.3])
_BELL_DECAYS = np.array([2.5, 1.8, 1.3, 0.8, 1.0, 0.6, 0.5, 0.6, 0.45, 0.3])
_BELL_GAINS = np.array([0.4, 0.6, 0.8, 0.3, 1.0, 0.5, 0.5, 0.7, 0.6, 0.5])
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16])


def _strike(s: Studio, prime: float, seconds: float, long: float) -> Wave:
    off = 1 + 0.01 * s.rng.standard_normal(_BELL.size)
    wave = s.ring(seconds, prime * _BELL * off, _BELL_DECAYS * long, _BELL_GAINS)
    clapper = 0.5 * s.burst(0.03, 0.01, 0.004, low=400)
    return s.layer(seconds, [(0, wave), (0, clapper)])


def bell(s: Studio) -> Wave:
    """A hand bell that is shaken, or a doorbell's two notes."""
    if s.maybe(0.4):
        high = s.log_between(500, 900)
        long = s.between(0.4, 1.1)
        chime = [
            (0.0, _chime(s, high, long)),
            (s.between(0.35, 0.7), _chime(s, high * 0.794, long)),
        ]
        return s.layer(s.between(1.6, 3), chime)
    prime, every = s.log_between(700, 2200), s.between(0.14, 0.4)
    hit = _strike(s, prime, 1.5, s.between(0.2, 0.45))
    strikes = [
        (k * every * s.between(0.93, 1.05), hit * s.between(0.5, 1)) for k in range(s.whole(1, 9))
    ]
    return s.layer(s.between(1.5, 3.5), strikes)


def _chime(s: Studio, pitch: float, long: float) -> Wave:
    ratios = np.array([1, 2, 2.76, 4.07, 5.4])
    return s.ring(
        2.0, pitch * ratios, long * np.array([1, 0.7, 0.4, 0.3, 0.15]), [1, 0.6, 0.3, 0.25, 0.15]
    )


def church(s: Studio) -> Wave:
    """Large bells in a tower: one that tolls, or several that change."""
    seconds, prime = s.between(3, 4), s.log_between(180, 700)
    bells = [1.0] if s.maybe(0.3) else [1.0, 0.89, 0.75, 1.19][: s.whole(2, 4)]
    every = s.between(1.1, 2.0) if len(bells) == 1 else s.between(0.15, 0.6)
    tones = [_strike(s, prime * pitch, 2.5, s.between(0.7, 1.2)) for pitch in bells]
    strikes = [
        (k * every, tones[k % len(bells)] * s.between(0.6, 1))
        for k in range(int(seconds / every) + 1)
    ]
    return s.layer(seconds, strikes)


def drum(s: Studio) -> Wave:
    """A beat of bass drum, snare and cymbal, a roll, or single hits."""
    seconds, step = s.between(1.4, 3.6), s.between(0.13, 0.3)
    low, snap = s.log_between(50, 110), s.log_between(160, 280)
    pattern = s.pick(
        ["k.s.k.s.", "kkskk.s.", "k.hsk.hs", "ssssssss", "t.t.tttt", "k...k...", "khshkkhs"]
    )
    wave = np.zeros(s.length(seconds))
    if s.maybe(0.2):
        step, pattern = 0.055, "s"
    for k in range(int(seconds / step)):
        hit = _hit(s, pattern[k % len(pattern)], low, snap) * s.between(0.7, 1)
        wave += s.layer(seconds, [(k * step, hit)])
    return wave


def _hit(s: Studio, which: str, low: float, snap: float) -> Wave:
    if which == ".":
        return np.zeros(1)
    if which == "h":
        return 0.4 * s.burst(0.1, 0.03, 0.03, low=3000)
    t = s.time(0.35)
    pitch = {"k": low, "s": snap, "t": low * 2}[which]
    skin = np.sin(2 * np.pi * (pitch * t - 0.03 * pitch * np.exp(-t / 0.03)))
    skin = skin * np.exp(-t / (0.05 if which == "s" else 0.12))
    modes = s.ring(0.35, pitch * np.array([1.59, 2.14, 2.3]), 0.05, [0.4, 0.3, 0.2])
    rattle = s.noise(0.35, 700, 8000, -1) * np.exp(-t / 0.07) * (0.7 if which == "s" else 0.03)
    return 1.2 * skin + modes + rattle


def guitar(s: Studio) -> Wave:
    """Strummed chords, or single plucked strings."""
    seconds, root = s.between(1.8, 4), s.log_between(82, 165)
    chord = s.pick([(0, 7, 12, 16, 19, 24), (0, 7, 12, 15, 19, 24)])
    damping = s.between(0.992, 0.999)
    every, strum = s.between(0.25, 0.8), s.maybe(0.65)
    strings: dict[int, Wave] = {}
    plucked: list[tuple[float, Wave]] = []
    for k in range(int(seconds / every)):
        shift = s.pick([0, 0, 5, 7])
        notes = [note + shift for note in (chord if strum else [s.pick(chord)])]
        for i, note in enumerate(notes):
            if note not in strings:
                strings[note] = s.pluck(root * 2 ** (note / 12), 1.6, damping)
            plucked.append((k * every + 0.012 * i, strings[note] * s.between(0.6, 1)))
    return s.filtered(
        s.resonant(
            s.layer(seconds, plucked), [(110, 60, 1), (210, 90, 0.8), (1200, 2500, 0.5)], 0.3
        ),
        60,
        7000,
    )


def piano(s: Studio) -> Wave:
    """A melody with chords below: stiff strings in pairs, struck by a soft hammer."""
    seconds, root = s.between(1.8, 4), s.log_between(180, 400)
    every = s.between(0.14, 0.45)
    tones: dict[int, Wave] = {}
    struck: list[tuple[float, Wave]] = []
    for k in range(int(seconds / every)):
        notes = [int(s.pick(_SCALE.tolist()))]
        if k % 4 == 0:
            notes += [-12, int(s.pick([-5, -8, 4]))]
        for note in notes:
            if note not in tones:
                tones[note] = _piano_tone(s, root * 2 ** (note / 12), 1.3)
            struck.append((k * every, tones[note] * s.between(0.5, 1)))
    return s.layer(seconds, struck)


def _piano_tone(s: Studio, f0: float, seconds: float) -> Wave:
    k = np.arange(1, 11)
    stiff = k * f0 * np.sqrt(1 + 0.0004 * k * k)  # stiff string, Fletcher 1964
    gains = np.exp(-0.38 * k * (f0 / 300) ** 0.4)
    wave = s.ring(seconds, stiff, 1.1 / (1 + 0.25 * k) * (300 / f0) ** 0.5, gains)
    wave[: s.length(0.003)] *= np.linspace(0, 1, s.length(0.003))[: wave.size]
    thump = 0.15 * s.burst(0.05, 0.02, 0.004, low=80)
    return s.layer(seconds, [(0, wave), (0, thump)])


def violin(s: Studio) -> Wave:
    """A bowed tune: saw-toothed strings with vibrato through a wooden body."""
    seconds, root = s.between(2, 4), s.log_between(220, 480)
    notes = s.whole(1, 7)
    steps = np.sort(s.rng.uniform(0.08, 0.95, notes - 1)) if notes > 1 else np.zeros(0)
    pitches = root * 2 ** (np.array([s.pick(_SCALE.tolist()) for _ in range(notes)]) / 12)
    place = np.linspace(0, 1, s.length(seconds))
    hz = pitches[np.searchsorted(steps, place)]
    slide = np.ones(s.length(0.03)) / s.length(0.03)
    hz = np.convolve(np.pad(hz, slide.size, mode="edge"), slide, "same")[slide.size : -slide.size]
    vibrato = 1 + s.between(0.003, 0.012) * np.sin(2 * np.pi * s.between(4.5, 7) * s.time(seconds))
    bow = s.pulses(hz * vibrato) + 0.1 * s.noise(seconds, 800)
    body = [(290, 60, 0.7), (460, 80, 1), (1000, 500, 0.5), (2600, 900, 0.7)]
    wave = s.filtered(s.resonant(bow, body, 0.15), 180, 7500, -3)
    edges = np.min(abs(place[:, None] - np.append(steps, [0, 1])), axis=1) * seconds
    wave *= 0.25 + 0.75 * np.clip(edges / 0.06, 0, 1)
    return wave


def trumpet(s: Studio) -> Wave:
    """A fanfare on natural tones; the brighter the louder."""
    root = s.log_between(110, 165)
    beat = s.between(0.11, 0.24)
    figure = [(4, 1), (4, 1), (4, 1), (5, 2), (4, 1), (6, 3), (3, 1), (8, 4)]
    start, count = s.whole(0, 3), s.whole(2, 6)
    parts = []
    for k in range(count):
        tone, beats = figure[(start + k) % len(figure)]
        seconds = beat * beats + (0.4 if k == count - 1 else 0)
        pitch = root * tone
        hz = np.full(s.length(seconds), pitch) * s.curve(seconds, [(0, 0.97), (0.06, 1), (1, 1)])
        dull = s.filtered(s.pulses(hz), pitch * 0.8, pitch * 4, -4)
        bright = s.resonant(
            s.pulses(hz * s.wander(seconds, 6, 0.002)), [(1200, 900, 1), (2400, 1200, 0.7)]
        )
        loud = s.curve(seconds, [(0, 0), (0.1, 1), (0.8, 0.75), (1, 0)])
        parts.append(
            loud * dull / (np.std(dull) + 1e-9) + loud**2 * bright / (np.std(bright) + 1e-9)
        )
        parts.append(np.zeros(s.length(0.02)))
    return np.concatenate(parts)


MUSIC: dict[str, Callable[[Studio], Wave]] = {
    "bell": bell,
    "church": church,
    "drum": drum,
    "guitar": guitar,
    "piano": piano,
    "violin": violin,
    "trumpet": trumpet,
}
