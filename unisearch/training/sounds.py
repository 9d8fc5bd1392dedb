"""Sound files for training: decoding, and the changes that a recording survives."""

from __future__ import annotations

import io

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from unisearch.spaces.starter.prepare import PIECE, RATE_HZ

Floats = NDArray[np.float32]
MAX_S = 20.0  # what a variant is cut from


def decode(content: bytes) -> Floats:
    """float32 (n,): the sound of a file of the corpus, mono, 16 kHz, at most MAX_S."""
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        parts = [
            out.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for out in resampler.resample(frame)
        ]
    whole = np.concatenate(parts) if parts else np.zeros(0)
    return whole[: int(MAX_S * RATE_HZ)].astype(np.float32)


def vary(samples: Floats, rng: np.random.Generator, background: Floats) -> Floats:
    """float32 (PIECE,): another take of the sound, with room, pace, gaps and noise of its own."""
    factor = rng.uniform(0.84, 1.2)
    taken = soxr.resample(samples, RATE_HZ, RATE_HZ * factor).astype(np.float32)
    if rng.random() < 0.3:
        taken = _in_a_room(taken, rng)
    placed = _place(taken, rng)
    placed = placed / max(float(np.abs(placed).max()), 1e-6)
    if rng.random() < 0.6:
        placed = placed + 10 ** -rng.uniform(0.6, 2.2) * _noise(rng)
    if rng.random() < 0.25 and len(background):
        other = _place(background, rng)
        placed = placed + rng.uniform(0.03, 0.3) * other / max(float(np.abs(other).max()), 1e-6)
    return placed.astype(np.float32)


def _place(samples: Floats, rng: np.random.Generator) -> Floats:
    """A random stretch of a long sound; a short one repeated, or once in near silence."""
    if len(samples) >= PIECE:
        start = int(rng.integers(0, len(samples) - PIECE + 1))
        return samples[start : start + PIECE]
    if rng.random() < 0.5:
        canvas = np.zeros(PIECE, np.float32)
        start = int(rng.integers(0, PIECE - len(samples) + 1))
        canvas[start : start + len(samples)] = samples
        return canvas
    gap = np.zeros(int(rng.uniform(0, 0.5) * RATE_HZ), np.float32)
    unit = np.concatenate([samples, gap])
    tiled = np.tile(unit, 2 + PIECE // max(len(unit), 1))
    start = int(rng.integers(0, len(tiled) - PIECE + 1))
    return tiled[start : start + PIECE]


def _in_a_room(samples: Floats, rng: np.random.Generator) -> Floats:
    length = int(rng.uniform(0.1, 0.6) * RATE_HZ)
    decay = np.exp(-np.arange(length) / (length / 5))
    echo = rng.standard_normal(length) * decay * rng.uniform(0.02, 0.15)
    echo[0] = 1.0
    size = 1 << int(np.ceil(np.log2(len(samples) + length)))
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(echo, size), size)
    return wet[: len(samples)].astype(np.float32)


def _noise(rng: np.random.Generator) -> Floats:
    """White to brown, peak about 1."""
    spectrum = np.fft.rfft(rng.standard_normal(PIECE))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** rng.uniform(0, 1.2)
    noise = np.fft.irfft(spectrum, PIECE)
    scaled: Floats = (noise / np.abs(noise).max()).astype(np.float32)
    return scaled
