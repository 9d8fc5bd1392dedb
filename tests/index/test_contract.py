"""What every backend of vector search keeps."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.errors import MissingExtra
from unisearch.index.bits import bits_of
from unisearch.index.halves import to_halves
from unisearch.index.ivfpq import IvfPq
from unisearch.index.table import BACKENDS, Backend, Effort
from unisearch.registry import load

UnitRows = Callable[..., NDArray[np.float32]]
#: So much that an approximate index looks at everything.
ALL = Effort(nprobe=10_000, candidates=10_000)


@pytest.fixture(params=sorted(BACKENDS))
def make(request: Any) -> Callable[[NDArray[np.float32]], Backend]:
    try:
        backend = load("backend", BACKENDS, request.param)
    except MissingExtra as error:
        pytest.skip(str(error))
    return lambda rows: backend(to_halves(rows))  # type: ignore[no-any-return]


Make = Callable[[NDArray[np.float32]], Backend]


def test_search_gives_the_same_order_as_sorting_all_cosines(
    make: Make, unit_rows: UnitRows
) -> None:
    rows, queries = unit_rows(500), unit_rows(7, seed=1)
    index = make(rows)

    found = index.search(queries, 20, effort=ALL)

    cosines = queries @ to_halves(rows).astype(np.float32).T
    assert len(index) == 500
    assert np.array_equal(found.rows, np.argsort(-cosines, axis=1)[:, :20])
    assert found.scores == pytest.approx(-np.sort(-cosines, axis=1)[:, :20], abs=1e-6)


def test_only_allowed_rows_are_found(make: Make, unit_rows: UnitRows) -> None:
    rows = unit_rows(300)
    index = make(rows)
    allowed = np.arange(7, 300, 9)

    found = index.search(rows[:3], 20, bits_of(allowed, 300), ALL)
    few = index.search(rows[:1], 20, bits_of(np.array([5, 250]), 300), ALL)

    cosines = rows[:3] @ to_halves(rows[allowed]).astype(np.float32).T
    assert np.array_equal(found.rows, allowed[np.argsort(-cosines, axis=1)[:, :20]])
    assert {row for row in few.rows[0].tolist() if row >= 0} == {5, 250}


def test_of_equal_rows_the_first_ones_are_found(make: Make, unit_rows: UnitRows) -> None:
    row = unit_rows(1)
    index = make(np.repeat(row, 40, axis=0))

    found = index.search(row, 40, effort=ALL)

    assert set(found.rows[0].tolist()) == set(range(40))


def test_a_query_asks_for_no_more_than_there_is(make: Make, unit_rows: UnitRows) -> None:
    rows = unit_rows(20)

    found = make(rows).search(rows[:2], 50, effort=ALL)

    assert [sum(row >= 0 for row in one) for one in found.rows.tolist()] == [20, 20]


def test_an_ivfpq_finds_nearly_all_neighbours_with_some_of_its_lists() -> None:
    random = np.random.default_rng(0)
    centres = random.standard_normal((50, 64))
    rows = centres[random.integers(0, 50, 6_000)] + 0.6 * random.standard_normal((6_000, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    index = IvfPq(to_halves(rows))

    found = index.search(rows[:200], 10, effort=Effort(nprobe=16, candidates=160))

    true = np.argsort(-(rows[:200] @ rows.T), axis=1)[:, :10]
    shares = [
        len(set(a) & set(b)) / 10 for a, b in zip(found.rows.tolist(), true.tolist(), strict=True)
    ]
    assert index.nlist > 100
    assert np.mean(shares) > 0.95


def test_a_question_finds_alone_what_it_finds_among_many(unit_rows: UnitRows) -> None:
    rows = unit_rows(3_000, dim=32)
    index, effort = IvfPq(to_halves(rows)), Effort(nprobe=8, candidates=80)

    among = index.search(rows[:300], 10, effort=effort)
    alone = [index.search(row[None], 10, effort=effort) for row in rows[:300]]

    assert index.nlist > 100
    same = [(one.rows[0] == many).all() for one, many in zip(alone, among.rows, strict=True)]
    assert np.mean(same) > 0.97  # the last of the lists may be another one


@pytest.mark.parametrize("kind", ["fast", "gpu"])
def test_an_index_for_searches_alone_answers_as_before(unit_rows: UnitRows, kind: str) -> None:
    rows = unit_rows(2_000, dim=32)
    index, effort = IvfPq(to_halves(rows), kind), Effort(nprobe=8, candidates=80)
    asked = [rows[:1], rows[:20], rows[:300]]
    before = [index.search(queries, 10, effort=effort) for queries in asked]

    index = index.for_searches()

    after = [index.search(queries, 10, effort=effort) for queries in asked]
    assert (len(index), index.nlist) == (2_000, 125)
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(before, after, strict=True))
    if kind == "fast":
        assert index.faiss_index.quantizer is None  # the memory is given back


def test_indexes_may_be_made_for_searches_alone_as_often_as_one_likes(unit_rows: UnitRows) -> None:
    """Each of them once took a reference from the table of FAISS's types, which all share."""
    faiss = pytest.importorskip("faiss")
    halves = to_halves(unit_rows(200, dim=32))
    built = IvfPq(halves)
    before = references_to_types()

    for _ in range(20):
        IvfPq.opened(faiss.clone_index(built.faiss_index), halves).for_searches()

    assert references_to_types() == before


def references_to_types() -> list[int]:
    """Of the tables that modules made with SWIG keep for all of them."""
    gc.collect()
    modules = [module for name, module in sys.modules.items() if name.startswith("swig_runtime")]
    assert modules
    return [sys.getrefcount(vars(module)["type_pointer_capsule"]) for module in modules]


def test_the_code_that_gpus_know_answers_too(unit_rows: UnitRows) -> None:
    rows = unit_rows(2_000, dim=32)
    index = IvfPq(to_halves(rows), kind="gpu")

    found = index.search(rows[:50], 5, effort=Effort(nprobe=1_000, candidates=2_000))

    assert found.rows[:, 0].tolist() == list(range(50))
