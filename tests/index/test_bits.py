"""Exact cosines of few rows."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.index.bits import products


@pytest.mark.parametrize("queries", [1, 3, 40])
def test_products_are_those_of_the_matrices(queries: int) -> None:
    numbers = np.random.default_rng(0)
    asked = numbers.standard_normal((queries, 64), np.float32)
    rows = numbers.standard_normal((50, 64), np.float32)

    found = products(asked, rows)

    assert found.shape == (queries, 50)
    assert np.allclose(found, asked @ rows.T, atol=1e-4)
