"""Weights of parity fixtures: drawn again by rule instead of being stored.

Each tensor has a generator of its own, by its key, so that the order of keys does not matter.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def tensor(key: str, shape: Sequence[int], seed: int, prefix: str = "") -> NDArray[Any]:
    """The weights under an official key: float32, int64 for a counter of batches.

    prefix: of the name that is drawn by, which tells sister networks apart
    """
    if key.endswith("num_batches_tracked"):
        return np.array(1000 + seed, np.int64)
    name = zlib.crc32((prefix + key).encode())
    drawn = np.asarray(np.random.default_rng([seed, name]).standard_normal(tuple(shape)))
    return np.asarray(_scaled(key, drawn), np.float32)


def _scaled(key: str, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    if key.endswith("running_var"):
        return np.abs(drawn) + 0.5
    if key.endswith("running_mean"):
        return 0.1 * drawn
    if drawn.ndim == 1 and key.endswith(".weight"):
        return 1 + 0.1 * drawn
    if drawn.ndim < 2:
        return 0.02 * drawn
    drawn /= math.sqrt(math.prod(drawn.shape[1:]))
    return drawn


def tensor_of_one_scale(
    key: str, shape: Sequence[int], seed: int, scale: float, prefix: str = ""
) -> NDArray[Any]:
    """The same by the second rule, of the sets that name one scale: float64."""
    if key.endswith("num_batches_tracked"):
        return np.array(0, np.int64)
    generator = np.random.default_rng((zlib.crc32((prefix + key).encode()) ^ seed) & 0xFFFFFFFF)
    drawn = np.asarray(generator.standard_normal(tuple(shape)))
    if key.endswith("running_var"):
        return np.asarray(np.abs(0.02 * drawn) + 0.5)
    if drawn.ndim == 1 and key.rpartition(".")[2] == "weight":
        return np.asarray(1 + 0.02 * drawn)
    return np.asarray(scale * drawn)


def state(
    tensors: Mapping[str, Mapping[str, Any]], seed: int, prefix: str = ""
) -> dict[str, NDArray[Any]]:
    """The tensors that a manifest lists, drawn and compared with its digests.

    tensors: {key: {"shape", "dtype", "sha256"?, "generated"?}}; what is not generated is left out
    """
    drawn = {
        key: tensor(key, facts["shape"], seed, prefix)
        for key, facts in tensors.items()
        if facts.get("generated", True)
    }
    for key, values in drawn.items():
        facts = tensors[key]
        assert str(values.dtype) == facts["dtype"], key
        assert "sha256" not in facts or digest(values) == facts["sha256"], f"{key}: drawn otherwise"
    return drawn


def digest(values: NDArray[Any]) -> str:
    """sha256 of the raw little-endian bytes."""
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
