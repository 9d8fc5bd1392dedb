"""Scores: what standardising, fusing and the chance estimate promise."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.catalog.rows import SegmentRow
from unisearch.engine import rank
from unisearch.engine.chance import Chance, Floats, Pair, Tail
from unisearch.engine.rank import Joined, Scored
from unisearch.records import Modality


def noise(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def pair(deviation: float = 0.1) -> Pair:
    return Pair(deviation, Tail(start=0.1, scale=0.05, share=0.15))


def test_pairs_with_other_levels_of_cosine_become_comparable() -> None:
    same = 0.6 + 0.1 * noise(0, 1, 2000)
    cross = 0.05 + 0.01 * noise(1, 1, 2000)

    near_same = rank.spread(same, [pair(0.1)]).standardise(np.array([[0.8]], np.float32))
    near_cross = rank.spread(cross, [pair(0.01)]).standardise(np.array([[0.15]], np.float32))

    assert near_same[0, 0] == pytest.approx(2, abs=0.1)
    assert near_cross[0, 0] == pytest.approx(10, abs=0.1)


def test_a_background_with_a_tenth_of_right_answers_hardly_moves_a_score() -> None:
    background = 0.1 * noise(2, 1, 1000)
    with_matches = background.copy()
    with_matches[0, :100] = 0.7
    match = np.array([[0.7]], np.float32)

    clean = rank.spread(background, [pair()]).standardise(match)
    mixed = rank.spread(with_matches, [pair()]).standardise(match)

    assert mixed[0, 0] == pytest.approx(clean[0, 0], rel=0.05)


def test_no_score_exceeds_that_of_the_query_itself() -> None:
    usual = rank.spread(0.2 + 0.1 * noise(3, 1, 1000), [pair()])

    own = usual.standardise(np.ones((1, 1), np.float32))

    np.testing.assert_allclose(own[:, 0], usual.limits(), rtol=1e-5)


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


def judged(cosines: Floats, unrelated: Floats, weights: list[float], live: int = 1000) -> Floats:
    terms = len(weights)
    _, bent, chance = rank.judge(
        cosines, unrelated, [pair()] * terms, np.array(weights, np.float32), live
    )
    return np.array([chance.expected(one) for one in bent.tolist()], np.float32)


def test_saying_the_same_twice_is_no_more_than_saying_it_once() -> None:
    unrelated, cosines = 0.1 * noise(4, 1, 1024), np.linspace(0, 0.6, 7, dtype=np.float32)[None]

    once = judged(cosines, unrelated, [1.0])
    twice = judged(np.repeat(cosines, 2, axis=0), np.repeat(unrelated, 2, axis=0), [1.0, 1.0])

    np.testing.assert_allclose(np.log(twice), np.log(once), rtol=0.2, atol=0.2)


def test_two_independent_terms_that_both_match_are_less_likely_chance_than_one() -> None:
    unrelated = 0.1 * noise(5, 2, 1024)
    cosines = np.array([[0.4], [0.4]], np.float32)

    both = judged(cosines, unrelated, [1.0, 1.0])
    one = judged(cosines[:1], unrelated[:1], [1.0])

    assert both[0] < one[0] / 10


def test_what_repels_does_not_change_what_chance_gives() -> None:
    unrelated = 0.1 * noise(6, 2, 1024)
    cosines = np.array([[0.4], [0.5]], np.float32)

    assert judged(cosines, unrelated, [1.0, -1.0]) == judged(cosines[:1], unrelated[:1], [1.0])


def scored(
    modality: Modality, score: list[float], chance: list[float], words: list[float]
) -> Scored:
    """Candidates with these scores, so many as good ones by chance, and words that fit so well."""
    bent = -np.log(np.maximum(chance, 1e-9) / 1e3)  # of a thousand things, each e times as rare
    numbers = (np.array(values, np.float32) for values in (score, score, words, bent))
    simple = Chance([(Tail(start=0.0, scale=1.0, share=1.0), 1000)])
    return Scored(modality, "toy-1", np.arange(len(score)), *numbers, simple)


def test_a_match_of_words_stands_above_every_weak_hit_and_below_none_that_it_was_above() -> None:
    pictures = scored("image", [6.0, 4.5, 4.4], [0.001, 0.9, 1.0], [0, 0, 0])
    sounds = scored("audio", [1.0, -2.0, 5.0, 0.5], [90, 99, 0.01, 95], [1, 1, 1, 0])

    high, low = rank.with_words([pictures, sounds], bonus=3.0, weak_above=0.05)

    assert high.score.tolist() == pictures.score.tolist()
    known, unknown, both, weak = low.score.tolist()
    assert 4.5 < unknown < known < 6.0
    assert (both, weak) == (8.0, 0.5)


def test_words_add_their_bonus_where_nothing_is_weak() -> None:
    [only] = rank.with_words([scored("image", [6.0, 5.0], [0, 0], [0, 0.5])], 3.0, 0.05)

    assert only.score.tolist() == [6.0, 6.5]


def found(modality: Modality, score: list[float], contents: list[int]) -> list[Joined]:
    """The candidates of one modality, each of a content."""
    zeros = [0.0] * len(score)
    one = scored(modality, score, zeros, zeros)
    rows = {
        key: SegmentRow(key, content, content, b"%d" % content, 0.0, 1.0, "", 0)
        for key, content in zip(one.keys.tolist(), contents, strict=True)
    }
    return one.joined(rows, len(score))


def test_what_is_both_seen_and_heard_is_shown_once_by_the_better_of_both() -> None:
    shots = found("video", [6.0, 3.0, 1.0], [1, 2, 3])
    windows = found("audio", [7.0, 5.0, 2.0], [2, 4, 1])

    hits = rank.merge([shots, windows], k=3, weak_above=0.05)

    assert [(hit.item, hit.modality, hit.score) for hit in hits] == [
        (2, "audio", 7.0),
        (1, "video", 6.0),
        (4, "audio", 5.0),
    ]


def test_each_kind_shows_what_it_found_though_others_found_it_too() -> None:
    shots, windows = found("video", [6.0, 3.0], [1, 2]), found("audio", [7.0, 5.0], [2, 1])

    hits = rank.merge([shots, windows], k=1, weak_above=0.05, each=True)

    assert [(hit.item, hit.modality) for hit in hits] == [(2, "audio"), (1, "video")]
    assert [hit.rank for hit in hits] == [1, 2]
