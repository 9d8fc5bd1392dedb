"""Building blocks of sounds: noise, pulses, struck bodies, plucked strings, voices, places in time.

All frequencies are in Hz, all times in seconds; a wave is float64 (n,) without a fixed level, as
only the finished sound is brought to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unisearch.world.chance import Chance

Wave = NDArray[np.float64]
Points = Sequence[tuple[float, float]]  # (place, value), rising places
Formants = Sequence[tuple[float, float, float]]  # (centre Hz, width Hz, gain)

LONGEST_S = 4.0
SHORTEST_S = 1.0


class Studio(Chance):
    """The choices for one sound and the instruments that play them at its sampling rate.

    Noise has a stream of its own, so that pitches and rhythms do not hang on the rate.
    """

    def __init__(self, concept: str, seed: int, rate_hz: int) -> None:
        super().__init__("sound", concept, seed)
        self.rate_hz = rate_hz
        self.grain = Chance("noise", concept, seed).rng

    def log_between(self, low: float, high: float) -> float:
        """A number whose logarithm is evenly spread: right for frequencies and decays."""
        return float(np.exp(self.between(np.log(low), np.log(high))))

    def length(self, seconds: float) -> int:
        """How many samples that is, at least one."""
        return max(1, round(seconds * self.rate_hz))

    def time(self, seconds: float) -> Wave:
        """The moment of each sample (n,)."""
        return np.asarray(np.arange(self.length(seconds)) / self.rate_hz, dtype=np.float64)

    def curve(self, seconds: float, points: Points) -> Wave:
        """Straight lines through (place in [0, 1], value), as long as `seconds`."""
        places, values = zip(*points, strict=True)
        line = np.interp(np.linspace(0, 1, self.length(seconds)), places, values)
        return np.asarray(line, dtype=np.float64)

    def glide(self, seconds: float, points: Points) -> Wave:
        """Like `curve`, but at rest at each point: how throats move between pitches."""
        places, values = (np.array(row) for row in zip(*points, strict=True))
        at = np.linspace(0, 1, self.length(seconds))
        k = np.clip(np.searchsorted(places, at, "right") - 1, 0, places.size - 2)
        part = (at - places[k]) / (places[k + 1] - places[k])
        return np.asarray(values[k] + (values[k + 1] - values[k]) * part**2 * (3 - 2 * part))

    def wander(self, seconds: float, per_s: float, depth: float) -> Wave:
        """A curve that strays around 1 by `depth` (standard deviation), `per_s` turns a second."""
        knots = max(2, int(seconds * per_s) + 2)
        values = 1 + depth * self.grain.standard_normal(knots)
        at = np.linspace(0, knots - 1, self.length(seconds))
        return np.asarray(np.interp(at, np.arange(knots), values))

    def noise(self, seconds: float, low: float = 20, high: float = 2e4, tilt: float = 0) -> Wave:
        """Noise between two frequencies, falling or rising by `tilt` dB an octave, of power 1."""
        n = self.length(seconds)
        size = transform_size(n)
        spectrum = np.fft.rfft(self.grain.standard_normal(size))
        f = np.maximum(np.fft.rfftfreq(size, 1 / self.rate_hz), 10.0)
        gain = band(f, low, high) * (f / 1000) ** (tilt / 6.02)
        wave = np.fft.irfft(spectrum * gain, size)[:n]
        return np.asarray(wave / (np.std(wave) + 1e-9))

    def pulses(self, pitch: Wave) -> Wave:
        """A train of pulses with all harmonics below half the rate; pitch: Hz at each sample.

        The sum of N cosines in closed form: band-limited impulse train of Stilson and Smith, 1996.
        """
        half = np.pi * (np.cumsum(pitch) / self.rate_hz + self.grain.random())
        count = np.maximum(1, np.floor(0.46 * self.rate_hz / np.maximum(pitch, 1.0)))
        below = np.sin(half)
        near = np.abs(below) < 1e-4
        train = np.sin((2 * count + 1) * half) / np.where(near, 1.0, below)
        train = np.where(near, 2 * count + 1, train)
        return np.asarray((train - 1) / np.sqrt(2 * count))

    def whistle(self, pitch: Wave, overtones: Sequence[float] = (1.0,)) -> Wave:
        """A tone of few harmonics with the given gains; those above half the rate are left out."""
        phase = 2 * np.pi * np.cumsum(pitch) / self.rate_hz + self.grain.random()
        wave = np.zeros_like(pitch)
        for k, gain in enumerate(overtones, 1):
            wave += gain * np.sin(k * phase) * (k * pitch < 0.47 * self.rate_hz)
        return wave

    def ring(
        self, seconds: float, partials: ArrayLike, decays: ArrayLike, gains: ArrayLike
    ) -> Wave:
        """A struck body: partials (m,) Hz that die away, each with its time constant and gain."""
        t = self.time(seconds)
        wave = np.zeros_like(t)
        for f, decay, gain in np.broadcast(partials, decays, gains):
            phase = self.grain.random()
            if f < 0.47 * self.rate_hz:
                wave += gain * np.exp(-t / decay) * np.sin(2 * np.pi * (f * t + phase))
        return wave

    def pluck(self, pitch: float, seconds: float, damping: float = 0.996) -> Wave:
        """A plucked string (Karplus and Strong, 1983): noise in a loop that averages neighbours."""
        period = max(2, round(self.rate_hz / pitch))
        loop = self.grain.uniform(-1, 1, period)
        rounds = []
        for _ in range(self.length(seconds) // period + 1):
            rounds.append(loop)
            loop = damping * 0.5 * (loop + np.concatenate((loop[-1:], loop[:-1])))
        return np.concatenate(rounds)[: self.length(seconds)]

    def burst(self, seconds: float, slow: float, fast: float, low: float = 40) -> Wave:
        """A bang: noise whose deep bands die away with `slow`, its highest with `fast` (s)."""
        n, t = self.length(seconds), self.time(seconds)
        size = transform_size(n)
        spectrum = np.fft.rfft(self.grain.standard_normal(size))
        f = np.maximum(np.fft.rfftfreq(size, 1 / self.rate_hz), 10.0)
        edges = np.geomspace(low, 8000, 7)
        decays = np.geomspace(slow, fast, 6)
        wave = np.zeros(n)
        for low_hz, high_hz, decay in zip(edges[:-1], edges[1:], decays, strict=True):
            shape = band(f, low_hz, high_hz) / np.sqrt(high_hz - low_hz)
            wave += np.fft.irfft(spectrum * shape, size)[:n] * np.exp(-t / decay)
        return wave / (np.std(wave[: max(64, n // 10)]) + 1e-9)

    def clicks(self, seconds: float, per_s: float, spread: float = 1.0) -> Wave:
        """Single samples at chance moments; their heights differ by factors of about e^spread."""
        n = self.length(seconds)
        wave = np.zeros(n)
        count = self.grain.poisson(per_s * seconds)
        heights = np.exp(spread * self.grain.standard_normal(count))
        wave[self.grain.integers(0, n, count)] = heights * self.grain.choice([-1.0, 1.0], count)
        return wave

    def filtered(self, wave: Wave, low: float, high: float, tilt: float = 0) -> Wave:
        """The wave between two frequencies, with `tilt` dB an octave."""
        size = transform_size(wave.size)
        f = np.maximum(np.fft.rfftfreq(size, 1 / self.rate_hz), 10.0)
        gain = band(f, low, high) * (f / 1000) ** (tilt / 6.02)
        return np.fft.irfft(np.fft.rfft(wave, size) * gain, size)[: wave.size]

    def resonant(self, wave: Wave, formants: Formants, floor: float = 0.02) -> Wave:
        """The wave through a body or throat with these resonances."""
        size = transform_size(wave.size)
        f = np.fft.rfftfreq(size, 1 / self.rate_hz)
        gain = np.full_like(f, floor)
        for centre, width, height in formants:
            gain += height / (1 + ((f - centre) / (width / 2)) ** 2) ** 0.75
        return np.fft.irfft(np.fft.rfft(wave, size) * gain, size)[: wave.size]

    def voice(
        self,
        seconds: float,
        pitch: Points,
        formants: Formants,
        breath: float = 0.1,
        jitter: float = 0.01,
        rough: float = 0.0,
        loudness: Points = ((0, 0), (0.1, 1), (0.7, 0.9), (1, 0)),
        tilt: float = -4,
    ) -> Wave:
        """A call: pulses of the glottis and breath through a throat.

        pitch: Hz over the call in [0, 1]; breath: noise beside pulses of power 1; jitter: how far
        the pitch strays; rough: depth of the growl that beats with 25-70 Hz
        """
        hz = self.glide(seconds, pitch) * self.wander(seconds, 40, jitter)
        source = self.pulses(hz) / (0.7 + 0.3 * abs(self.wander(seconds, 60, 0.3)))
        beat = np.sin(np.pi * self.between(25, 70) * self.time(seconds)) ** 2
        source = (source + breath * self.noise(seconds)) * (1 - rough * beat)
        body = self.filtered(self.resonant(source, formants), 50, 9000, tilt)
        wave = body * self.curve(seconds, loudness)
        return wave / (np.std(wave) + 1e-9)

    def sequence(self, call: Callable[[], Wave], count: int, gap: tuple[float, float]) -> Wave:
        """Calls one after another with silence between, as many as fit into the longest sound."""
        parts: list[Wave] = [np.zeros(self.length(self.between(0.0, 0.15)))]
        for _ in range(count):
            if sum(part.size for part in parts) > self.length(LONGEST_S - 0.4):
                break
            parts += [call() * self.between(0.6, 1), np.zeros(self.length(self.between(*gap)))]
        return np.concatenate(parts)

    def layer(self, seconds: float, events: Sequence[tuple[float, Wave]]) -> Wave:
        """Events laid over each other, each from its moment on; what is longer is cut."""
        wave = np.zeros(self.length(seconds))
        for moment, event in events:
            start = round(moment * self.rate_hz)
            if start < wave.size:
                wave[start : start + event.size] += event[: wave.size - start]
        return wave


def transform_size(n: int) -> int:
    """The next length that transforms take quickly; a prime one takes four times as long."""
    return max(64, -(-n // 512) * 512 if n > 2048 else 1 << (n - 1).bit_length())


def band(f: Wave, low: float, high: float) -> Wave:
    """The gain at each frequency of a band with edges of about 24 dB an octave."""
    return np.asarray(1 / np.sqrt((1 + (low / f) ** 8) * (1 + (f / high) ** 8)))
