"""Sounds of everyday things, by synthesis: the same concept and seed give the same sound.

What each file's sounds stand for, beside the words of `Concept.sounds`:

| file | kinds |
|---|---|
| sounds_farm.py | bark, meow, purr, moo, neigh, gallop, bleat, oink, cluck, crow, quack |
| sounds_animals.py | songs, hoots, hisses, a rattle, croaks, buzzes, roars |
| sounds_machines.py | engines, horns, rotors, whistles, hums, waves on a hull, wind in sails |
| sounds_music.py | bells, drums, strings, piano, trumpet |
| sounds_nature.py | water, rain, fire, thunder, leaves, shots and pops, a heartbeat |
| sounds_things.py | knocks, clicks, tools, rings, beeps |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import UnknownName
from unisearch.world.concepts import SOUNDING
from unisearch.world.sounds_animals import ANIMALS
from unisearch.world.sounds_farm import FARM
from unisearch.world.sounds_machines import MACHINES
from unisearch.world.sounds_music import MUSIC
from unisearch.world.sounds_nature import NATURE
from unisearch.world.sounds_things import THINGS
from unisearch.world.synth import LONGEST_S, SHORTEST_S, Studio, Wave, transform_size

MAKERS: dict[str, Callable[[Studio], Wave]] = {
    **ANIMALS,
    **FARM,
    **MACHINES,
    **MUSIC,
    **NATURE,
    **THINGS,
}


def make_sound(concept: str, seed: int, rate_hz: int = 16_000) -> NDArray[np.float32]:
    """A sound of the concept, as a microphone may have heard it.

    concept: a name of SOUNDING; rate_hz: samples a second, 8,000 or more
    Returns float32 (n,) in [-1, 1], of 1-4 s, with a peak between 0.3 and 0.95.
    Raises UnknownName for a name that is no concept, or one without a sound.
    """
    if concept not in MAKERS:
        raise UnknownName("sounding concept", concept, SOUNDING)
    studio = Studio(concept, seed, rate_hz)
    return _recorded(studio, _trimmed(studio, MAKERS[concept](studio)))


def _trimmed(s: Studio, wave: Wave) -> Wave:
    """Of 1-4 s: silence after what is short, a soft end for what is long."""
    longest, shortest = s.length(LONGEST_S), s.length(SHORTEST_S)
    wave = np.pad(wave[:longest], (0, max(0, shortest - wave.size)))
    fade = s.length(0.01)
    wave[-fade:] *= np.linspace(1, 0, fade)
    return np.asarray(wave / (np.abs(wave).max() + 1e-12), dtype=np.float64)


def _recorded(s: Studio, wave: Wave) -> NDArray[np.float32]:
    """As recorded: room, distance, the microphone's colour, background noise and level."""
    seconds = wave.size / s.rate_hz
    n = transform_size(wave.size + s.length(0.5))
    f: Wave = np.asarray(np.fft.rfftfreq(n, 1 / s.rate_hz), dtype=np.float64)
    gain = _microphone(s, f)
    if s.maybe(0.4):
        gain = gain * np.fft.rfft(_room(s), n)
    heard = np.fft.irfft(np.fft.rfft(wave, n) * gain, n)[: wave.size]
    heard /= np.abs(heard).max() + 1e-12
    floor = 10 ** (s.between(-60, -25) / 20) * np.std(heard)
    heard += floor * s.noise(seconds, 30, 2e4, s.between(-4, -1))
    if s.maybe(0.15):
        mains = np.full(wave.size, s.pick([50.0, 60.0]))
        heard += s.log_between(0.001, 0.01) * s.whistle(mains, (1, 0.5, 0.6, 0.2, 0.3))
    level = s.between(0.3, 0.95) / np.abs(heard).max()
    return np.asarray(heard * level, dtype=np.float32)


def _microphone(s: Studio, f: Wave) -> NDArray[np.complex128]:
    """Gains at the frequencies: a colour of a few dB, rumble cut, highs lost over distance."""
    bands = np.log2(np.maximum(f, 20.0) / 20)
    colour = np.interp(bands, np.arange(11), s.rng.normal(0, 2.0, 11))
    low = s.log_between(20, 120)
    high = s.log_between(2000, 7000) if s.maybe(0.35) else 2e4
    gain = 10 ** (colour / 20) / (
        np.sqrt(1 + (low / np.maximum(f, 1)) ** 4) * np.sqrt(1 + (f / high) ** 4)
    )
    return np.asarray(gain, dtype=np.complex128)


def _room(s: Studio) -> Wave:
    """The answer of a room to one click: the click itself, then echoes that die away."""
    decay, wet = s.log_between(0.03, 0.25), s.log_between(0.05, 0.5)
    tail = s.filtered(s.grain.standard_normal(s.length(0.5)), 100, 5000, -2)
    tail *= np.exp(-s.time(0.5) / decay)
    tail *= wet / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail
