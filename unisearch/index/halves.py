"""Unit vectors in float16, still unit to 2e-4."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.errors import VectorError

UNIT_TOLERANCE = 2e-4


def to_halves(vectors: NDArray[np.floating]) -> NDArray[np.float16]:
    """The rows in float16, each of length 1 to 2e-4.

    vectors: floats (n, dim), unit rows
    Raises VectorError for a row that is not finite or not of unit length.
    """
    wide = np.asarray(vectors, dtype=np.float32)
    _refuse(~np.isfinite(wide).all(axis=1), "is not finite")
    _refuse(_off(wide) > UNIT_TOLERANCE * 2, "is not of unit length")
    halves = wide.astype(np.float16)
    for row in np.flatnonzero(_off(halves) > UNIT_TOLERANCE):
        halves[row] = _nudged(halves[row])
    _refuse(_off(halves) > UNIT_TOLERANCE, "is not of unit length")
    return halves


def _off(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    off: NDArray[np.float64] = np.abs(np.sqrt(squares) - 1.0)
    return off


def _refuse(bad: Any, reason: str) -> None:
    """VectorError naming the first row whose flag in `bad`, bool (n,), is set."""
    if bad.any():
        raise VectorError(f"vector {int(np.argmax(bad))} of {len(bad)} {reason}")


def _nudged(row: NDArray[np.float16]) -> NDArray[np.float16]:
    """The row with a few entries moved by one float16 step, so that its length is nearer to 1.

    Rounding moves the length of a vector with few large entries by up to 4e-4: in three
    equal entries the errors all point the same way instead of cancelling out.
    """
    row = row.copy()
    for _ in range(512):  # mostly 1 or 2; many only where one entry is nearly 1
        wide = row.astype(np.float64)
        missing = 1.0 - wide @ wide
        if abs(missing) < 1.9 * UNIT_TOLERANCE:  # the square's error is twice the length's
            break
        away = np.float16(np.inf if missing > 0 else 0)
        steps = np.nextafter(row, np.copysign(away, row))
        gains = steps.astype(np.float64) ** 2 - wide**2
        best = int(np.argmin(np.abs(missing - gains)))
        if abs(missing - gains[best]) >= abs(missing):
            break
        row[best] = steps[best]
    return row
