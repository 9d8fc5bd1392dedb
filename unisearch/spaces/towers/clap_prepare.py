"""Sounds to the log-mel pictures that LAION-CLAP reads. Numpy and soxr only.

Facts from laion_clap/training/data.py (get_mel, get_audio_features) and, for the networks without
fusion, torchlibrosa's Spectrogram and LogmelFilterBank in clap_module/htsat.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from unisearch.records import AudioSample, Sample

RATE_HZ = 48_000
WINDOW = 10 * RATE_HZ
FFT, HOP = 1024, 480
FRAMES, BANDS = 1 + WINDOW // HOP, 64
LOW_HZ, HIGH_HZ = 50.0, 14_000.0
#: Frames that are transformed at once: what is between two steps stays in the cache of a core.
BLOCK = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PrepareSound:
    """float32 (pieces, FRAMES, BANDS): the sound in dB, one piece for each window of 10 s.

    fusion: whether it is for a network with fusion, which has other mel filters
    A shorter sound is repeated as often as it fits whole, then followed by silence; a longer one is
    cut into windows that overlap where they do not fit evenly.
    """

    fusion: bool

    def __call__(self, sample: Sample) -> Floats:
        assert isinstance(sample, AudioSample)
        sound = round_trip(resample(sample.samples, sample.rate_hz))
        return np.stack([log_mel(window, self.fusion) for window in windows(sound)])


def resample(samples: Floats, rate_hz: int) -> Floats:
    """The sound at RATE_HZ, through the resampler that librosa takes by default."""
    if rate_hz == RATE_HZ:
        return samples
    resampled: Floats = soxr.resample(samples, rate_hz, RATE_HZ, "HQ").astype(np.float32)
    return resampled


def round_trip(samples: Floats) -> Floats:
    """As it comes back from 16 bit integers, cut toward zero."""
    whole = np.trunc(np.clip(samples, -1, 1) * np.float32(32_767))
    scaled: Floats = whole / np.float32(32_767)
    return scaled


def windows(samples: Floats) -> list[Floats]:
    """Windows of WINDOW samples, or of less than a hop more: that much adds no frame."""
    if len(samples) < WINDOW:
        return [repeat_and_pad(samples)]
    count = -(-(len(samples) - HOP + 1) // WINDOW)
    if count == 1:
        return [samples]
    starts = np.linspace(0, len(samples) - WINDOW, count).astype(int)
    return [samples[start : start + WINDOW] for start in starts]


def repeat_and_pad(samples: Floats) -> Floats:
    """float32 (WINDOW,): the sound as often as it fits, then silence ('repeatpad')."""
    filled = np.zeros(WINDOW, np.float32)
    if len(samples):
        repeated = np.tile(samples, WINDOW // len(samples))
        filled[: len(repeated)] = repeated
    return filled


def long_mels(samples: Floats, starts: Sequence[int]) -> Floats:
    """float32 (4, FRAMES, BANDS): a sound of more than FRAMES frames for a network with fusion.

    The whole of it, shrunk; then the frames from each of three starts. Spaces do not use it, as
    they see windows; it is how such networks were trained and are measured elsewhere.
    """
    whole = log_mel(samples, fusion=True)
    return np.stack([shrunk(whole), *(whole[start : start + FRAMES] for start in starts)])


def shrunk(mel: Floats) -> Floats:
    """float32 (FRAMES, BANDS): linear interpolation between frame centres, without antialiasing."""
    place = np.clip((np.arange(FRAMES) + 0.5) * (len(mel) / FRAMES) - 0.5, 0, len(mel) - 1)
    before = place.astype(int)
    after = np.minimum(before + 1, len(mel) - 1)
    share = (place - before).astype(np.float32)[:, None]
    mixed: Floats = mel[before] * (1 - share) + mel[after] * share
    return mixed


def log_mel(samples: Floats, fusion: bool) -> Floats:
    """float32 (1 + n // HOP, BANDS): power in mel bands in dB, at least -100.

    samples: (n,), more than FFT / 2 of them
    Frames are centred on multiples of HOP; before and behind the sound is its mirror image.
    """
    padded = np.pad(samples, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    filters = mel_filters(fusion)
    energy = np.empty((len(frames), BANDS), np.float32)
    for start in range(0, len(frames), BLOCK):
        spectrum = np.fft.rfft(frames[start : start + BLOCK] * _hann())[:, : len(filters)]
        power = spectrum.real**2 + spectrum.imag**2
        energy[start : start + BLOCK] = power.astype(np.float32, copy=False) @ filters
    decibel: Floats = 10 * np.log10(np.maximum(energy, 1e-10))
    return decibel


@lru_cache(maxsize=1)
def _hann() -> Floats:
    """The periodic window: its period is FFT, so that its last value is not 0."""
    return np.hanning(FFT + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=2)
def mel_filters(fusion: bool) -> Floats:
    """float32 (bins, BANDS): triangles; bins of the spectrum up to the last that counts.

    With fusion as torchaudio makes them by default (mel scale of HTK, all of height 1), without as
    librosa does (mel scale of Slaney's Auditory Toolbox, all of one area).
    """
    low, high = (_mel(hz, fusion) for hz in (LOW_HZ, HIGH_HZ))
    edges = _hertz(np.linspace(low, high, BANDS + 2), fusion)
    bins = np.arange(FFT // 2 + 1)[:, None] * (RATE_HZ / FFT)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(np.minimum(rising, falling), 0)
    if not fusion:
        filters *= 2 / (edges[2:] - edges[:-2])
    used = int(np.flatnonzero(filters.any(axis=1))[-1]) + 1
    return np.ascontiguousarray(filters[:used], np.float32)


#: Slaney's scale: even up to 1 kHz, at 15 mel; from there 27 steps for a factor of 6.4.
EVEN_HZ, EVEN_MEL, STEP = 1_000.0, 15.0, np.log(6.4) / 27


def _mel(hertz: float, htk: bool) -> float:
    if htk:
        return float(2595 * np.log10(1 + hertz / 700))
    if hertz < EVEN_HZ:
        return hertz * EVEN_MEL / EVEN_HZ
    return float(EVEN_MEL + np.log(hertz / EVEN_HZ) / STEP)


def _hertz(mels: NDArray[np.float64], htk: bool) -> NDArray[np.float64]:
    if htk:
        return np.asarray(700 * (10 ** (mels / 2595) - 1))
    even = mels * EVEN_HZ / EVEN_MEL
    return np.where(mels < EVEN_MEL, even, EVEN_HZ * np.exp((mels - EVEN_MEL) * STEP))
