"""What chance gives: the tail of unrelated things, and the ranks below the best."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.engine import chance
from unisearch.engine.chance import Floats, Pair, Tail, bend, chance_of, measure_pair

DIM = 24


def directions(seed: int, count: int, dim: int = DIM) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearness(cosines: Floats) -> Floats:
    middle = np.median(cosines)
    return np.asarray((cosines - middle) / (1 - middle), np.float32)


def bent(level: float) -> float:
    return float(bend(np.array([level], np.float32))[0])


def expected_by_chance(tail: Tail, near: Floats, live: int) -> Floats:
    """How many as near things each of these candidates is expected to have."""
    given = chance_of(tail, bend(near), live)
    return np.array([given.expected(one) for one in bend(near).tolist()], np.float32)


@pytest.fixture(scope="module")
def pair() -> Pair:
    return measure_pair(directions(0, 256), directions(1, 1024))


def test_the_deviation_is_that_of_the_cosines(pair: Pair) -> None:
    assert pair.deviation == pytest.approx(DIM**-0.5, rel=0.1)


def test_the_chance_of_a_nearness_is_its_share_among_a_million_unrelated_things(
    pair: Pair,
) -> None:
    query = directions(2, 1)
    others = nearness(np.concatenate([directions(s, 100_000) @ query[0] for s in range(3, 13)]))

    for level in (0.4, 0.5, 0.6, 0.7):
        share = float((others >= level).mean())
        estimate = pair.tail.probability(bent(level))
        assert share / 5 < estimate < 5 * share, level


def test_things_of_a_kind_that_is_asked_for_do_not_stretch_the_tail() -> None:
    queries, background = directions(0, 256), directions(1, 1024)
    related = background.copy()
    related[:200] = queries[:200] + 0.5 * directions(14, 200)  # each has a match of its own
    related /= np.linalg.norm(related, axis=1, keepdims=True)

    clean, mixed = measure_pair(queries, background), measure_pair(queries, related)

    assert mixed.deviation == pytest.approx(clean.deviation, rel=0.1)
    assert mixed.tail.probability(bent(0.7)) < 3 * clean.tail.probability(bent(0.7))


def test_a_reference_that_is_its_own_background_is_not_its_own_match() -> None:
    rows = directions(15, 512)

    own, other = measure_pair(rows[:256], rows), measure_pair(rows[:256], directions(16, 512))

    assert own.deviation == pytest.approx(other.deviation, rel=0.1)


def test_the_best_of_many_unrelated_things_is_expected_and_a_match_is_not(pair: Pair) -> None:
    for live in (1_000, 100_000):
        others = nearness(directions(17, live) @ directions(18, 1)[0])
        found = np.sort(others)[::-1][:20]

        best = expected_by_chance(pair.tail, found, live)
        match = expected_by_chance(pair.tail, np.append(np.float32(0.97), found[:-1]), live)

        assert best[0] > 0.05
        assert match[0] < 0.05


def test_many_right_answers_are_all_good(pair: Pair) -> None:
    right = np.linspace(0.96, 0.92, 40, dtype=np.float32)

    expected = expected_by_chance(pair.tail, right, live=100_000)

    assert expected.max() < 0.05


def test_one_right_answer_above_crowded_ranks_is_good_however_many_rows_there_are() -> None:
    tail = Tail(start=0.04, scale=0.04, share=0.15)
    crowd = np.linspace(0.50, 0.47, 19, dtype=np.float32)  # a million pictures of few kinds

    expected = expected_by_chance(tail, np.append(np.float32(0.62), crowd), live=1_000_000)

    assert tail.probability(bent(0.62)) * 1e6 > 0.05
    assert expected[0] < 0.05
    assert expected[1] > 0.05


def test_ranks_of_a_small_partition_are_no_evidence(pair: Pair) -> None:
    found = np.append(np.float32(0.62), np.linspace(0.3, 0.2, 19, dtype=np.float32))

    small = expected_by_chance(pair.tail, found, live=chance.RANKS_FROM - 1)

    assert small[0] == pytest.approx(
        pair.tail.probability(bent(0.62)) * (chance.RANKS_FROM - 1), rel=1e-5
    )


def test_what_is_nearer_than_reached_is_expected_less_often_and_the_rest_more_often(
    pair: Pair,
) -> None:
    crowd = bend(np.linspace(0.9, 0.3, 40, dtype=np.float32))

    given = chance_of(pair.tail, crowd, live=100_000)
    least = given.reached(0.05)

    assert given.expected(least) == pytest.approx(0.05)
    assert given.expected(least + 0.01) < 0.05 < given.expected(least - 0.01)
    assert given.reached(1e9) == 0.0


def test_a_query_equally_far_from_everything_gives_finite_numbers() -> None:
    flat = np.tile(directions(21, 1), (300, 1))

    pair = measure_pair(directions(22, 256), flat)
    expected = expected_by_chance(pair.tail, np.zeros(30, np.float32), live=5000)

    assert np.isfinite(pair.deviation)
    assert np.isfinite(expected).all()
    assert expected.min() > 0.05
