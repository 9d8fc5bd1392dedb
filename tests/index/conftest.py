from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

UnitRows = Callable[..., NDArray[np.float32]]


@pytest.fixture
def unit_rows() -> UnitRows:
    """Makes n random unit rows; the same for the same arguments."""

    def make(n: int, dim: int = 16, seed: int = 0) -> NDArray[np.float32]:
        rows = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return make
