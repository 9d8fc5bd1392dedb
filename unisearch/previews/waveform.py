"""A sound as a picture: its waveform above its spectrogram, one time axis for both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.previews import webp
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.previews.sound import SoundSketch

Floats = NDArray[np.float32]

#: Shares of the width.
WAVE_HEIGHT, MEL_HEIGHT, GAP = 0.16, 0.25, 0.006

# The picture brings its own dark ground, so that it reads the same on light and dark pages.
GROUND = (20, 22, 30)
PEAKS, LOUDNESS = (58, 122, 148), (146, 222, 232)

#: Dark violet over red to pale yellow, of even steps in lightness (as 'inferno' of matplotlib).
STOPS = ("14161e", "2d1156", "6e186e", "ac2c5b", "e05830", "f8a018", "fafab4")
COLORS = np.array([list(bytes.fromhex(stop)) for stop in STOPS], dtype=np.float64)

QUIET = 0.02  # a sound whose peak is lower is drawn as quiet as it is
RANGE_DB = 65.0  # what is weaker than the strongest by more is ground
FLOOR_DB = -55.0  # the strongest counts as at least so strong, so that silence stays dark


def make_waveform(sketch: SoundSketch, options: PreviewOptions) -> list[Preview]:
    """One picture, `options.side` wide. Silence is a flat line over darkness."""
    width = options.side
    gap = np.full((max(1, round(GAP * width)), width, 3), GROUND, np.uint8)
    wave = draw_wave(sketch, width, round(WAVE_HEIGHT * width))
    mel = draw_mel(sketch.mel(), width, round(MEL_HEIGHT * width))
    return [Preview("still", webp.still(np.concatenate([gap, wave, gap, mel])))]


def draw_wave(sketch: SoundSketch, width: int, height: int) -> NDArray[np.uint8]:
    """Highest and lowest sample of each column, and the loudness (RMS) around the middle."""
    low, high, power = (_spread(values, width) for values in sketch.extremes())
    scale = 0.94 / max(float(np.abs(low).max()), float(np.abs(high).max()), QUIET)
    rms = np.sqrt(power) * scale
    # Drawn three times as high, and averaged: soft edges.
    y = np.linspace(1.0, -1.0, 3 * height, dtype=np.float32)[:, None]
    least = 1.5 / (3 * height)  # a line also where there is no sound
    is_peak = (y <= np.maximum(high * scale, 0) + least) & (y >= np.minimum(low * scale, 0) - least)
    is_loud = np.abs(y) <= np.minimum(rms, 1.0)
    shown = np.array([GROUND, PEAKS, LOUDNESS], np.float32)[
        is_peak.astype(np.intp) + (is_peak & is_loud)
    ]
    return np.asarray(shown.reshape(height, 3, width, 3).mean(axis=1) + 0.5, np.uint8)


def draw_mel(mel: Floats, width: int, height: int) -> NDArray[np.uint8]:
    """Power (columns, bands) in dB as colours; high tones on top."""
    level = 10.0 * np.log10(np.maximum(mel, 1e-12))
    top = max(float(level.max()), FLOOR_DB)
    shares = np.clip(1.0 + (level - top) / RANGE_DB, 0.0, 1.0).T[::-1]
    stretched = np.asarray(
        Image.fromarray(np.ascontiguousarray(shares, np.float32)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
    )
    at = stretched * (len(COLORS) - 1)
    steps = np.arange(len(COLORS))
    colors = np.stack([np.interp(at, steps, channel) for channel in COLORS.T], axis=-1)
    return np.asarray(colors + 0.5, np.uint8)


def _spread(values: Floats, width: int) -> Floats:
    """One value for each of `width` columns; of several the one farthest from zero."""
    count = len(values)
    if count <= width:
        at = (np.arange(width) + 0.5) * count / width - 0.5
        return np.interp(at, np.arange(count), values).astype(np.float32)
    cuts = np.arange(width) * count // width
    if values.min() < 0:
        return np.minimum.reduceat(values, cuts)
    return np.maximum.reduceat(values, cuts)
