"""Factors of spaces whose vectors are mixed of two parts, and the mixture itself. Loads nothing.

A vector is v(f) = n(f e + (1 - f) b): see spaces/mixed.py. What is stored beside it are its parts
(b, e) / sqrt(2), a unit vector of twice as many numbers. The id of such a space is that of its
parts, then MARK, then the factors: whoever knows a library knows by which factors it is mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from unisearch.errors import UnknownName, UsageError
from unisearch.records import MODALITIES, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Factors = Mapping[Modality, float]

NONE: Factors = MappingProxyType({})
#: Named settings of the ++ spaces, as published: good at everything, or best at sounds with texts.
PRESETS: Mapping[str, Factors] = MappingProxyType(
    {"versatile": {"text": 0.1, "audio": 0.5}, "at_expertise": {"text": 0.5, "audio": 0.8}}
)
MARK = "@"
_CHUNK = 256  # rows that are mixed at a time: they should stay in the cache of a core


def factors_of(wanted: str | Mapping[Any, Any]) -> Factors:
    """Those of a name in PRESETS, of a text such as 'audio=0.8,text=0.5', or as given.

    Raises UnknownName for no preset, UsageError for none at all, no modality, or outside of [0, 1].
    """
    if not isinstance(wanted, str):
        if not wanted:
            raise UsageError("no factor is named: say text=0.1,audio=0.5")
        return dict(_factor(name, number) for name, number in wanted.items())
    if "=" in wanted:
        return parsed(wanted)
    if wanted not in PRESETS:
        raise UnknownName("preset of factors", wanted, PRESETS)
    return PRESETS[wanted]


def told(factors: Factors) -> str:
    """As they stand in an id: 'audio=0.5,text=0.1'."""
    return ",".join(f"{name}={factor:g}" for name, factor in sorted(factors.items()))


def parsed(text: str) -> Factors:
    """The factors of such a text. Raises UsageError for any other, and outside of [0, 1]."""
    pairs = (one.partition("=") for one in text.split(",") if one)
    return dict(_factor(name.strip(), number) for name, _, number in pairs)


def _factor(name: object, number: Any) -> tuple[Modality, float]:
    """One of them. Raises UsageError."""
    try:
        modality = next(known for known in MODALITIES if known == name)
        factor = float(number)
    except (StopIteration, ValueError, TypeError):
        raise UsageError(f"'{name}={number}' is no factor: say text=0.1,audio=0.5") from None
    if not 0 <= factor <= 1:
        raise UsageError(f"the factor of {name} is {number}: it must be from 0 to 1")
    return modality, factor


def marked(parts_id: str, factors: Factors) -> str:
    """The id of the space that is mixed of these parts by these factors."""
    return f"{parts_id}{MARK}{told(factors)}"


def split(space_id: str) -> tuple[str, Factors]:
    """(id of its parts, factors) of a space; '' and none where nothing can be turned."""
    parts_id, mark, factors = space_id.partition(MARK)
    return (parts_id, parsed(factors)) if mark else ("", NONE)


def side_by_side(both: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bases and experts, unit rows beside each other (n, 2 dim), as unit rows."""
    import numpy as np

    return np.asarray(both, np.float32) * np.float32(0.5**0.5)


def mix(factor: float, parts: NDArray[np.floating]) -> NDArray[np.float32]:
    """Unit rows (n, dim): v(factor) of parts (n, 2 dim), bases first."""
    import numpy as np

    dim = parts.shape[1] // 2
    mixed = np.empty((len(parts), dim), np.float32)
    for start in range(0, len(parts), _CHUNK):
        wide = np.asarray(parts[start : start + _CHUNK], np.float32)
        rows = np.multiply(wide[:, dim:], np.float32(factor), out=mixed[start : start + _CHUNK])
        rows += np.float32(1 - factor) * wide[:, :dim]
        lengths = np.sqrt(np.vecdot(rows, rows))
        rows /= np.maximum(lengths, np.float32(1e-12))[:, None]
    return mixed
