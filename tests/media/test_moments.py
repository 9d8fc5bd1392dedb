"""Which moments of a video are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.media.moments import MOST_MOMENTS, moments


def looked(runs: list[tuple[float, tuple[float, ...]]]) -> list[float]:
    return [moment for _, found in runs for moment in found]


def test_a_key_frame_in_each_second_is_looked_at_alone() -> None:
    keys = [0.2 * number for number in range(50)]

    runs = moments(keys, 10.0, most_passed_s=0.0)

    assert len(runs) == 10
    assert all(run.moments == (run.key_s,) for run in runs)
    assert {run.key_s for run in runs} <= set(keys)


def test_between_far_key_frames_it_is_decoded_once_from_each() -> None:
    runs = moments([0.0, 4.0], 8.0, most_passed_s=100.0)

    assert [run.key_s for run in runs] == [0.0, 4.0]
    assert looked(runs) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_the_longest_gap_is_looked_into_first_and_no_farther_than_allowed() -> None:
    runs = moments([0.0, 3.0, 9.0], 12.0, most_passed_s=5.0)

    assert looked(runs) == [0, 3, 4, 5, 6, 7, 8, 9]


def test_a_long_video_is_looked_at_in_larger_steps() -> None:
    keys = list(np.arange(0, 7_200, 0.5))

    runs = moments(keys, 7_200.0, most_passed_s=0.0)

    assert MOST_MOMENTS * 0.99 < len(runs) <= MOST_MOMENTS
    assert np.diff(looked(runs)) == pytest.approx(6.0)


@pytest.mark.parametrize("seed", range(20))
def test_moments_are_distinct_ascending_and_within_the_video(seed: int) -> None:
    chance = np.random.default_rng(seed)
    end = float(chance.uniform(0.1, 300))
    keys = sorted({0.0, *chance.uniform(0, end, chance.integers(0, 200)).tolist()})

    runs = moments(keys, end, most_passed_s=float(chance.uniform(0, 100)))

    found = looked(runs)
    assert found == sorted(set(found))
    assert 0 <= found[0] <= found[-1] <= end
    assert all(run.key_s in keys and run.moments[0] >= run.key_s for run in runs)
