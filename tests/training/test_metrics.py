"""Metrics on cases small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.training.metrics import chance, interval, mean_chance, rank


def test_ranks_and_precision_of_a_case_worked_out_by_hand() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.1, 0.2, 0.3, 0.4]])
    right = np.array([[False, True, False, True], [False, False, False, True]])

    ranking = rank(scores, right)

    assert ranking.first.tolist() == [2, 1]
    assert ranking.precision.tolist() == pytest.approx([(1 / 2 + 2 / 4) / 2, 1.0])
    assert ranking.recall(1) == 0.5
    assert ranking.recall(2) == 1.0


def test_neutral_answers_count_neither_way() -> None:
    scores = np.array([[0.9, 0.8, 0.7]])
    right = np.array([[False, False, True]])

    with_rivals = rank(scores, right)
    without_one = rank(scores, right, np.array([[True, False, False]]))

    assert with_rivals.first.tolist() == [3]
    assert without_one.first.tolist() == [2]


def test_a_space_that_gives_everything_the_same_score_is_not_rewarded() -> None:
    scores, right = np.zeros((1, 5)), np.array([[True, False, False, False, False]])

    assert rank(scores, right).first.tolist() == [5]


def test_chance_is_that_of_drawing_without_return() -> None:
    assert chance(1, 100) == pytest.approx(0.1)
    assert chance(2, 4, k=2) == pytest.approx(1 - 1 / 6)
    assert chance(5, 12) == 1.0


def test_mean_chance_is_that_of_each_query_averaged() -> None:
    assert mean_chance([1, 1], [100, 50]) == pytest.approx((0.1 + 0.2) / 2)


def test_the_interval_holds_the_mean_and_shrinks_with_more_queries() -> None:
    few, many = np.tile([0.0, 1.0], 10), np.tile([0.0, 1.0], 1_000)

    low_few, high_few = interval(few)
    low_many, high_many = interval(many)

    assert low_few < low_many < 0.5 < high_many < high_few
    assert interval(few) == (low_few, high_few)
