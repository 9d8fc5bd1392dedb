"""Sounds as ImageBind hears them: three clips of 2 s, each a picture of 128 log-mel bands.

The published preparation is imagebind/data.py over torchaudio (its windowed-sinc resampling and its
filter bank in the manner of Kaldi) and pytorchvideo (where clips begin). Here in numpy, to the same
numbers, so that it runs in the processes that decode.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
CLIPS, CLIP_S = 3, 2.0
BANDS, FRAMES = 128, 204
MEAN, DEVIATION = -4.268, 9.138
#: Into how many steps the starts of clips divide what a sound is longer than one. Of pytorchvideo,
#: in the version that ImageBind pins; its release 0.1.5 takes 3, and leaves the end unheard.
STEPS, STEPS_OF_RELEASE = 2, 3

WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms, the next power of two
PREEMPHASIS = 0.97
LOWEST_HZ = 20.0
LEAST = float(np.finfo(np.float32).eps)  # energy, before the logarithm
#: Of the resampling filter: zero crossings of the sinc on either side, and how much of the band
#: it leaves.
CROSSINGS, ROLLOFF = 6, 0.99

Floats = NDArray[np.float32]


def clips(samples: Floats, rate_hz: int, steps: int = STEPS) -> Floats:
    """float32 (CLIPS, 1, BANDS, FRAMES), normalised; what is missing of a clip is silence.

    samples: (channels, n) in [-1, 1]; of several channels the first is heard
    """
    heard = np.array(resample(samples, rate_hz, RATE_HZ))
    pictures = np.zeros((CLIPS, 1, BANDS, FRAMES), np.float32)
    for place, start_s in enumerate(starts(heard.shape[1] / RATE_HZ, steps)):
        clip = heard[:, int(start_s * RATE_HZ) : int((start_s + CLIP_S) * RATE_HZ)]
        if clip.shape[1]:
            # In place, as published: where clips overlap, the later one is moved twice.
            clip -= clip.mean()
        mel = log_mel(clip[0])[:FRAMES]
        pictures[place, 0, :, : len(mel)] = mel.T
    scaled: Floats = (pictures - np.float32(MEAN)) / np.float32(DEVIATION)
    return scaled


def starts(duration_s: float, steps: int = STEPS) -> list[float]:
    """Where the clips of a sound begin, in seconds."""
    spare = max(duration_s - CLIP_S, 0.0)
    return [spare * place / steps for place in range(CLIPS)]


def log_mel(samples: Floats) -> Floats:
    """float32 (frames, BANDS): Kaldi's filter bank of a sound (n,) at RATE_HZ, without dither.

    Only whole windows count: there is none in less than 25 ms.
    """
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    windowed = (frames - np.float32(PREEMPHASIS) * before) * _hann()
    power = np.abs(np.fft.rfft(windowed, FFT)).astype(np.float32) ** 2
    energy = power[:, : FFT // 2] @ _bank()
    found: Floats = np.log(np.maximum(energy, np.float32(LEAST)))
    return found


@lru_cache(maxsize=1)
def _hann() -> Floats:
    return np.hanning(WINDOW).astype(np.float32)


@lru_cache(maxsize=1)
def _bank() -> Floats:
    """float32 (FFT / 2, BANDS): triangles, evenly spaced on the mel scale from LOWEST_HZ on.

    They reach to half the rate; the bin of that itself belongs to none.
    """
    hertz = np.array([LOWEST_HZ, RATE_HZ / 2, *(RATE_HZ / FFT * np.arange(FFT // 2))])
    low, high, *others = 1127 * np.log1p(hertz / 700)
    edges = np.linspace(low, high, BANDS + 2)
    bins = np.array(others)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: Floats = np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
    return triangles


def resample(samples: Floats, rate_hz: int, wanted_hz: int) -> Floats:
    """float32 (channels, ceil(n * wanted_hz / rate_hz)): torchaudio.functional.resample's default.

    samples: (channels, n)
    """
    if rate_hz == wanted_hz:
        return samples
    shared = math.gcd(rate_hz, wanted_hz)
    taken, given = rate_hz // shared, wanted_hz // shared
    filters, reach = _filters(taken, given)
    wanted = -(-samples.shape[1] * given // taken)
    padded = np.pad(samples, ((0, 0), (reach, reach + taken)))
    runs = np.lib.stride_tricks.sliding_window_view(padded, len(filters), axis=1)[:, ::taken]
    moved = (runs @ filters).reshape(len(samples), -1)
    found: Floats = moved[:, :wanted]
    return found


@lru_cache(maxsize=4)
def _filters(taken: int, given: int) -> tuple[Floats, int]:
    """float32 (length, given): how `given` samples come of `taken`; and the reach to either side.

    A sinc below both halves of the rates, under a window of Hann.
    """
    limit = min(taken, given) * ROLLOFF
    reach = math.ceil(CROSSINGS * taken / limit)
    at = np.arange(-reach, reach + taken)[:, None] / taken - np.arange(given) / given
    at = np.clip(at * limit, -CROSSINGS, CROSSINGS)
    window = np.cos(at * np.pi / CROSSINGS / 2) ** 2
    filters: Floats = (np.sinc(at) * window * (limit / taken)).astype(np.float32)
    return filters, reach
