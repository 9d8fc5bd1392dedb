"""The grid that a sound is cut by: windows of 10 s, one every 5 s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from unisearch.records import AUDIO_HOP_S, AUDIO_WINDOW_S


def windows(
    chunks: Iterable[NDArray[np.float32]], rate_hz: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first sample, samples) of each window, in order; holds little more than one in memory.

    chunks: a mono sound in pieces of any length
    Windows begin at 0, 5, 10 … s. A window exists only when it reaches beyond the one before
    it; the last one ends with the sound and may be shorter than 10 s, but never shorter than
    5 s unless it is the only one.
    """
    width, hop = round(AUDIO_WINDOW_S * rate_hz), round(AUDIO_HOP_S * rate_hz)
    held: list[NDArray[np.float32]] = []  # the sound from `start` on
    length = start = reach = 0
    for chunk in chunks:
        held.append(chunk)
        length += len(chunk)
        while length >= width:
            sound = np.concatenate(held)
            yield start, sound[:width].copy()
            reach = start + width
            held, length, start = [sound[hop:]], length - hop, start + hop
    if start + length > reach:
        yield start, np.concatenate(held)
