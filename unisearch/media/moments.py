"""Which moments of a video are looked at, and how to get there with little decoding."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from unisearch.records import SHOT_STEP_S

#: More frames than this are not looked at: the steps of longer videos are larger.
MOST_MOMENTS = 1_200


class Run(NamedTuple):
    """Go to a frame that stands for itself and decode from there up to each of these moments."""

    key_s: float
    moments: tuple[float, ...]  # seconds, ascending, none before the key


def moments(keys: Sequence[float], end_s: float, most_passed_s: float) -> list[Run]:
    """About one moment in each step, in the order of time.

    keys: seconds of the frames that are coded without others, ascending, the first at the start
    most_passed_s: seconds of video that may be decoded on the way to moments without such a frame;
    the longest gaps come first, for what happens there is known least

    A step with keys in it is looked at there: that costs one frame, and encoders put keys at cuts.
    """
    step = max(SHOT_STEP_S, end_s / MOST_MOMENTS)
    count = max(1, int(-(-(end_s - keys[0]) // step)))
    seen: dict[float, list[float]] = {}  # moments by key
    gaps: dict[float, list[float]] = {}
    for number in range(count):
        start = keys[0] + number * step
        place = bisect_right(keys, start)
        if keys[place - 1] == start:
            seen[start] = [start]
        elif place < len(keys) and keys[place] < start + step:
            seen[keys[place]] = [keys[place]]
        else:
            gaps.setdefault(keys[place - 1], []).append(start)
    for key, wanted in sorted(gaps.items(), key=lambda gap: gap[0] - gap[1][-1]):
        reached = [moment for moment in wanted if moment - key <= most_passed_s]
        if reached:
            most_passed_s -= reached[-1] - key
            seen[key] = [*seen.get(key, []), *reached]
    return [Run(key, tuple(found)) for key, found in sorted(seen.items())]
