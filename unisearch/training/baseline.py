"""What one gets without any model: colours and proportions of pictures and shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unisearch.records import PointSample

BINS = 4
ASPECT_WEIGHT = 0.5

Floats = NDArray[np.float64]


def describe_picture(rgba: NDArray[np.uint8]) -> Floats:
    """float (BINS^3 + 1,): histogram of the colours that are not clear; log of width to height."""
    shown = rgba[..., 3] > 127
    if not shown.any():
        return np.zeros(BINS**3 + 1)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    aspect = np.log((np.ptp(columns) + 1) / (np.ptp(rows) + 1))
    return np.append(_histogram(rgba[shown][:, :3] / 255.0), aspect)


def describe_shape(sample: PointSample) -> Floats:
    """The same of points: colours (grey without), mean horizontal extent to height."""
    points = sample.points[:, [0, 2, 1]] if sample.up == "z" else sample.points
    width, height, depth = np.ptp(points, axis=0) + 1e-9
    colors = np.full((1, 3), 0.5) if sample.colors is None else sample.colors
    return np.append(_histogram(colors), np.log((width + depth) / 2 / height))


def likeness(first: Floats, second: Floats) -> Floats:
    """float (q, n): intersection of histograms, plus how close the proportions are."""
    shared = np.minimum(first[:, None, :-1], second[None, :, :-1]).sum(-1)
    apart = np.abs(first[:, None, -1] - second[None, :, -1])
    return np.asarray(shared + ASPECT_WEIGHT * np.exp(-apart))


def _histogram(colors: NDArray[np.floating]) -> Floats:
    cells = np.minimum((np.asarray(colors) * BINS).astype(int), BINS - 1) @ [BINS * BINS, BINS, 1]
    return np.bincount(cells, minlength=BINS**3) / len(cells)
