"""Samples to arrays of a fixed shape: the CPU part of the starter space. Numpy and Pillow only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray
from PIL import Image

from unisearch.records import PointSample

#: Part of the space's id: raise it whenever anything below (or in words.py) changes the arrays.
VERSION = 1

SIDE = 80  # px
RATE_HZ = 16_000
PIECE_S = 5.0  # half a window of the segment grid
PIECE = int(PIECE_S * RATE_HZ)
FRAMES, BANDS = 192, 64
FFT = 1024
POINTS = 1024
CENTRES, NEIGHBOURS = 40, 24
#: Farthest points are picked among this many.
CANDIDATES = 512

Floats = NDArray[np.float32]


def picture(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (SIDE, SIDE, 3): the whole picture, its sides padded with the colour of its border."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(
        Image.fromarray(pixels).resize(
            size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR
        )
    )
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    canvas = np.empty((SIDE, SIDE, 3), np.uint8)
    canvas[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def sound(samples: Floats, rate_hz: int) -> Floats:
    """float32 (pieces, FRAMES, BANDS): log-mel pictures of 5 s, together all of the sound.

    A shorter sound is stripped of silence at its ends and repeated; a longer one is cut into
    pieces that overlap where they do not fit evenly.
    """
    if rate_hz != RATE_HZ:
        samples = soxr.resample(samples, rate_hz, RATE_HZ).astype(np.float32)
    if len(samples) <= PIECE:
        return mel(tile(strip(samples)))[None]
    count = -(-len(samples) // PIECE)
    starts = np.linspace(0, len(samples) - PIECE, count).astype(int)
    return np.stack([mel(samples[start : start + PIECE]) for start in starts])


def strip(samples: Floats) -> Floats:
    """Without what is 60 dB below the peak at either end."""
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max(initial=0.0))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def tile(samples: Floats) -> Floats:
    """float32 (PIECE,): repeated until it fills a piece."""
    if not len(samples):
        return np.zeros(PIECE, np.float32)
    return np.tile(samples, -(-PIECE // len(samples)))[:PIECE]


def mel(samples: Floats) -> Floats:
    """float32 (FRAMES, BANDS): log-mel of one piece, of mean 0 and deviation 1 (silence: 0)."""
    padded = np.pad(samples, FFT // 2)
    starts = np.linspace(0, len(padded) - FFT, FRAMES).astype(int)
    frames = padded[starts[:, None] + np.arange(FFT)] * _hann()
    power = np.abs(np.fft.rfft(frames)).astype(np.float32) ** 2
    energy = power @ _filters()
    top = float(energy.max())
    if top < 1e-8:
        return np.zeros((FRAMES, BANDS), np.float32)
    decibel = np.log10(np.maximum(energy / top, 1e-7))  # 70 dB below the loudest: any gain is equal
    scaled: Floats = (decibel - decibel.mean()) / (decibel.std() + 1e-3)
    return scaled.astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> Floats:
    return np.hanning(FFT).astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> Floats:
    """float32 (bins, BANDS): triangles, evenly spaced on the mel scale from 50 to 7,900 Hz."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (50.0, 7_900.0))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / RATE_HZ)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(np.minimum(rising, falling), 0)
    # the lowest triangles are narrower than a bin: they take the nearest one
    centre = np.abs(bins - edges[1:-1]).argmin(axis=0)
    filters[centre, np.arange(BANDS)] = np.maximum(filters[centre, np.arange(BANDS)], 0.5)
    scaled: Floats = (filters / filters.sum(axis=0)).astype(np.float32)
    return scaled


def points(sample: PointSample) -> tuple[Floats, NDArray[np.int16]]:
    """The shape in a frame of its own, and its parts.

    Returns float32 (POINTS, 9): position (y up, within the unit sphere), |normal| (0 where there
    is none: windings of real files are not reliable) and colour (grey where there is none);
    and int16 (CENTRES, 1 + NEIGHBOURS): for each part its centre, then the points about it.
    """
    table = frame(sample)
    table[:, 3:6] = np.abs(table[:, 3:6])
    return table, parts(table[:, :3])


def frame(sample: PointSample) -> Floats:
    """As the table of `points`, with the normals as the file has them."""
    chosen = _choose(len(sample.points))
    position = _upright(sample.points, sample.up)[chosen]
    low, high = position.min(axis=0), position.max(axis=0)
    position = position - (low + high) / 2
    position = position / max(float(np.linalg.norm(position, axis=1).max()), 1e-9)
    normals = np.zeros_like(position)
    if sample.normals is not None:
        normals = _upright(sample.normals, sample.up)[chosen]
    colors = np.full_like(position, 0.5) if sample.colors is None else sample.colors[chosen]
    return np.concatenate([position, normals, colors], axis=1).astype(np.float32)


def _choose(count: int) -> NDArray[np.intp]:
    """POINTS places among `count`: always the same, each at most once while there are enough."""
    order = np.random.default_rng(count).permutation(count)
    return np.resize(order, POINTS)


def _upright(vectors: Floats, up: str | None) -> Floats:
    """With y up; a format that declares nothing is taken as y up, as most of them are."""
    if up != "z":
        return vectors
    x, y, z = vectors.T
    return np.stack([x, z, -y], axis=1)


def parts(position: Floats) -> NDArray[np.int16]:
    """int16 (CENTRES, 1 + NEIGHBOURS): farthest points from a fixed start, and their neighbours."""
    candidates = position[:CANDIDATES]
    centres = [int(((candidates - candidates.mean(axis=0)) ** 2).sum(axis=1).argmax())]
    distance = np.full(len(candidates), np.inf, np.float32)
    for _ in range(CENTRES - 1):
        moved = candidates - candidates[centres[-1]]
        distance = np.minimum(distance, np.einsum("ij,ij->i", moved, moved))
        centres.append(int(distance.argmax()))
    squared = (position**2).sum(axis=1)
    around = squared - 2 * position[centres] @ position.T  # + a constant per centre
    nearest = np.argpartition(around, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return np.concatenate([np.array(centres)[:, None], nearest], axis=1).astype(np.int16)
