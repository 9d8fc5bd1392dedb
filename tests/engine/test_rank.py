"""Scores: what standardising, fusing and the chance estimate promise."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.engine import rank


def noise(seed: int, *shape: int) -> rank.Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_pairs_with_other_levels_of_cosine_become_comparable() -> None:
    same = 0.6 + 0.1 * noise(0, 1, 2000)
    cross = 0.05 + 0.01 * noise(1, 1, 2000)

    near_same = rank.spread(same).standardise(np.array([[0.8]], np.float32))
    near_cross = rank.spread(cross).standardise(np.array([[0.15]], np.float32))

    assert near_same[0, 0] == pytest.approx(2, abs=0.3)
    assert near_cross[0, 0] == pytest.approx(10, abs=1)


def test_a_few_true_matches_in_the_background_do_not_hide_a_match() -> None:
    background = 0.1 * noise(2, 1, 512)
    with_matches = background.copy()
    with_matches[0, :8] = 0.95
    score = np.array([[0.95]], np.float32)

    clean = rank.spread(background).standardise(score)
    mixed = rank.spread(with_matches).standardise(score)

    assert mixed[0, 0] == pytest.approx(clean[0, 0], rel=0.1)


def test_the_chance_of_a_score_is_about_its_share_among_unrelated_things() -> None:
    background = noise(3, 2000)
    others = noise(4, 200_000)
    tail = rank.fit_tail(background)

    for score in (1.5, 2.0, 2.5):
        share = float((others >= score).mean())
        estimate = float(tail.probability(np.array([score], np.float32))[0])
        assert 0.5 * share < estimate < 4 * share


def test_the_best_of_many_unrelated_things_is_expected_and_a_match_is_not() -> None:
    background = noise(5, 1024)
    library = noise(6, 5000)
    tail = rank.fit_tail(background)

    best = np.array([library.max()], np.float32)
    match = np.array([9.0], np.float32)

    assert rank.expected_by_chance(tail, best, 5000)[0] > 0.05
    assert rank.expected_by_chance(tail, match, 5000)[0] < 0.05


def test_a_query_equally_far_from_everything_gives_finite_scores() -> None:
    flat = np.full((1, 512), 0.25, np.float32)

    scores = rank.spread(flat).standardise(flat)
    tail = rank.fit_tail(scores[0])

    assert np.isfinite(scores).all()
    assert np.isfinite(tail.probability(scores[0])).all()


def test_one_term_of_any_weight_keeps_its_score() -> None:
    scores = noise(7, 1, 10)

    whole, positive = rank.fuse(scores, np.array([3.0], np.float32))

    np.testing.assert_allclose(whole, scores[0], rtol=1e-6)
    np.testing.assert_allclose(positive, scores[0], rtol=1e-6)


def test_two_terms_prefer_what_matches_both() -> None:
    scores = np.array([[6, 0, 4], [0, 6, 4]], np.float32)

    whole, _ = rank.fuse(scores, np.ones(2, np.float32))

    assert int(whole.argmax()) == 2


def test_a_heavier_term_counts_more() -> None:
    scores = np.array([[5, 0], [0, 5]], np.float32)

    whole, _ = rank.fuse(scores, np.array([1, 2], np.float32))

    assert whole[1] > whole[0]


def test_a_repelling_term_takes_away_only_where_it_matches() -> None:
    scores = np.array([[5, 5, 5], [4, 0, -4]], np.float32)

    whole, positive = rank.fuse(scores, np.array([1, -1], np.float32))

    assert whole[0] < whole[1] == whole[2]
    np.testing.assert_allclose(positive, 5)
