"""Shots of a video: runs of frames that look alike, each with the frame that stands for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.records import SHOT_S

#: Frames are compared as pictures of so many pixels a side.
SIDE = 16
#: Mean differences of sRGB in [0, 1]. Frames that differ more may be of different shots; they are
#: when their colours differ as much, wherever they are, or when the difference reaches a share of
#: their contrast: views of one thing 20 degrees apart stay below 0.7, those of other things are
#: mostly above 0.9 (sample models on their grounds). Below the last one they are the same.
OTHER, OF_CONTRAST = 0.06, 0.8
SAME = 0.015

Thumbnail = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a video and when it is shown, in seconds from the start."""

    time_s: float
    pixels: NDArray[np.uint8]  # (h, w, 3), upright


@dataclass(frozen=True, eq=False)
class Shot:
    """What is shown from start to end, as its most typical frame has it."""

    start_s: float
    end_s: float
    pixels: NDArray[np.uint8]  # (h, w, 3), upright
    small: Thumbnail


def shots(frames: Iterable[Frame], start_s: float, end_s: float) -> Iterator[Shot]:
    """The shots from the first to the last second; each ends where the next one begins.

    frames: in the order of time; a shot starts with its first frame
    A shot lasts about SHOT_S at most. Shots in a row that show the same become one: a slide is one
    shot however long it stands.
    """
    held: Shot | None = None
    for run, end in _runs(frames, end_s):
        shot = _shot(run, end)
        if held is None:
            held = replace(shot, start_s=min(start_s, shot.start_s))
        elif _difference(held.small, shot.small) < SAME:
            held = replace(held, end_s=shot.end_s)
        else:
            yield held
            held = shot
    if held is not None:
        yield held


_Seen = tuple[Frame, Thumbnail]


def _runs(frames: Iterable[Frame], end_s: float) -> Iterator[tuple[list[_Seen], float]]:
    """(frames that look alike, when the next run begins)."""
    run: list[_Seen] = []
    for frame in frames:
        small = thumbnail(frame.pixels)
        if run and (is_cut(run[-1][1], small) or frame.time_s - run[0][0].time_s >= SHOT_S):
            yield run, frame.time_s
            run = []
        run.append((frame, small))
    if run:
        yield run, max(end_s, run[-1][0].time_s)


def _shot(run: list[_Seen], end_s: float) -> Shot:
    middle = np.mean([small for _, small in run], axis=0)
    frame, small = min(run, key=lambda seen: _difference(seen[1], middle))
    return Shot(run[0][0].time_s, end_s, frame.pixels, small)


def thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    """float32 (SIDE, SIDE, 3) in [0, 1]."""
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255.0


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether two frames are of different shots.

    What moves before a camera changes the picture less than a cut does, and hardly its colours.
    """
    difference = _difference(before, after)
    if difference < OTHER:
        return False
    contrast = (_contrast(before) + _contrast(after)) / 2
    return difference > OF_CONTRAST * contrast or _color_difference(before, after) > OTHER


def _contrast(small: Thumbnail) -> float:
    """Mean difference from the mean colour."""
    return float(np.abs(small - small.mean(axis=(0, 1))).mean())


def _difference(one: Thumbnail, other: Thumbnail) -> float:
    return float(np.abs(one - other).mean())


def _color_difference(one: Thumbnail, other: Thumbnail) -> float:
    """How far the values of each channel must move, wherever in the picture they are."""
    ordered = (np.sort(small.reshape(-1, 3), axis=0) for small in (one, other))
    return float(np.abs(np.subtract(*ordered)).mean())
