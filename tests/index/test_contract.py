"""What every backend of vector search keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unisearch.errors import MissingExtra, VectorError
from unisearch.index.table import BACKENDS, VectorIndex
from unisearch.registry import load

UnitRows = Callable[..., NDArray[np.float32]]


@pytest.fixture(params=sorted(BACKENDS))
def index(request: Any) -> VectorIndex:
    try:
        backend = load("backend", BACKENDS, request.param)
    except MissingExtra as error:
        pytest.skip(str(error))
    made: VectorIndex = backend(16)
    return made


def keys(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def test_an_empty_index_finds_nothing(index: VectorIndex, unit_rows: UnitRows) -> None:
    found = index.search(unit_rows(2), k=5)

    assert found == [[], []]
    assert len(index) == 0
    assert np.isnan(index.scores(unit_rows(2), keys(3))).all()


def test_search_gives_the_same_order_as_sorting_all_cosines(
    index: VectorIndex, unit_rows: UnitRows
) -> None:
    rows, queries = unit_rows(500), unit_rows(7, seed=1)
    index.put(np.arange(500) * 3, rows)

    found = index.search(queries, k=20)

    cosines = queries @ rows.T
    for matches, row in zip(found, cosines, strict=True):
        assert [match.key for match in matches] == list(np.argsort(-row)[:20] * 3)
        assert [match.score for match in matches] == pytest.approx(np.sort(row)[::-1][:20])


def test_put_replaces_a_known_key(index: VectorIndex, unit_rows: UnitRows) -> None:
    old, new = unit_rows(2)
    index.put(keys(7), old[None])

    index.put(keys(7), new[None])

    assert len(index) == 1
    assert index.search(new[None], k=1)[0][0].score == pytest.approx(1.0)


def test_of_a_key_given_twice_the_last_vector_stays(
    index: VectorIndex, unit_rows: UnitRows
) -> None:
    first, last, other = unit_rows(3)

    index.put(keys(7, 8, 7), np.stack([first, other, last]))

    assert len(index) == 2
    assert index.scores(last[None], keys(7))[0, 0] == pytest.approx(1.0)


def test_removed_keys_are_gone_and_the_rest_is_where_it_was(
    index: VectorIndex, unit_rows: UnitRows
) -> None:
    rows = unit_rows(300)
    index.put(np.arange(300), rows)
    gone = np.arange(0, 300, 3)

    index.remove(np.append(gone, 9_999))

    left = np.setdiff1d(np.arange(300), gone)
    assert len(index) == 200
    assert [index.search(rows[key][None], k=1)[0][0].key for key in left] == list(left)
    assert np.isnan(index.scores(rows[:1], gone)).all()
    assert np.array_equal(index.vectors(left[::-1]), rows[left[::-1]])


def test_only_allowed_keys_are_found(index: VectorIndex, unit_rows: UnitRows) -> None:
    rows = unit_rows(100)
    index.put(np.arange(100), rows)

    few = index.search(rows[:1], k=10, allowed=keys(5, 3, 5, 777))
    many = index.search(rows[:1], k=100, allowed=np.arange(20, 95))
    none = index.search(rows[:1], k=10, allowed=keys())

    assert {match.key for match in few[0]} == {3, 5}
    assert {match.key for match in many[0]} == set(range(20, 95))
    assert none == [[]]


def test_equal_scores_are_ordered_by_key(index: VectorIndex, unit_rows: UnitRows) -> None:
    row = unit_rows(1)
    index.put(keys(9, 4, 6, 1), np.repeat(row, 4, axis=0))

    found = index.search(row, k=3)

    assert [match.key for match in found[0]] == [1, 4, 6]


def test_scores_are_exact_cosines_in_the_order_asked(
    index: VectorIndex, unit_rows: UnitRows
) -> None:
    rows, queries = unit_rows(50), unit_rows(3, seed=2)
    index.put(np.arange(50), rows)

    cosines = index.scores(queries, keys(40, 2, 99, 2))

    assert cosines.dtype == np.float32
    assert cosines[:, [0, 1, 3]] == pytest.approx(queries @ rows[[40, 2, 2]].T, abs=1e-6)
    assert np.isnan(cosines[:, 2]).all()


def test_a_query_that_is_not_finite_is_refused(index: VectorIndex, unit_rows: UnitRows) -> None:
    index.put(keys(1), unit_rows(1))

    with pytest.raises(VectorError, match="not finite"):
        index.search(np.full((1, 16), np.nan, np.float32), k=1)
    with pytest.raises(VectorError, match="16 numbers"):
        index.search(unit_rows(1, dim=8), k=1)


def test_vectors_of_an_unknown_key_are_an_error(index: VectorIndex, unit_rows: UnitRows) -> None:
    index.put(keys(1), unit_rows(1))

    with pytest.raises(KeyError, match="5"):
        index.vectors(keys(1, 5))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove"]),
        st.lists(st.integers(0, 40), min_size=1, max_size=15),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS, backend=st.sampled_from(sorted(BACKENDS)))
def test_any_sequence_of_changes_ends_like_a_dictionary(
    steps: list[tuple[str, list[int]]], backend: str
) -> None:
    index: VectorIndex = load("backend", BACKENDS, backend)(16)
    random = np.random.default_rng(0)
    expected: dict[int, NDArray[np.float32]] = {}

    for step, some in steps:
        if step == "put":
            rows = random.standard_normal((len(some), 16)).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            index.put(keys(*some), rows)
            expected.update(zip(some, rows, strict=True))
        else:
            index.remove(keys(*some))
            expected = {key: row for key, row in expected.items() if key not in some}

    query = np.eye(16, dtype=np.float32)[:1]
    order = sorted(expected, key=lambda key: (-float(expected[key][0]), key))
    assert len(index) == len(expected)
    assert [match.key for match in index.search(query, k=50)[0]] == order
