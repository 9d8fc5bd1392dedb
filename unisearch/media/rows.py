"""Lines of numbers, as clouds of points are written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unisearch.media.damage import Damage


def numbers(lines: Sequence[str], above: int = 0, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """The rows of a table of numbers; blanks divide them, '#' begins a comment.

    above: how many lines of the file stand before these, for the reasons
    dtype: of a number, or with one field per column
    Raises Damage that names the line which is none.
    """
    try:
        plain = np.dtype(dtype).names is None
        return np.atleast_1d(np.loadtxt(lines, dtype=dtype, ndmin=2 if plain else 1))
    except ValueError as error:
        raise Damage(_fault(lines, above)) from error


def _fault(lines: Sequence[str], above: int) -> str:
    rows = worded(lines, above)
    _, first = next(rows, (0, []))
    for number, words in worded(lines, above):
        if len(words) != len(first):
            return f"line {number} has {_values(len(words))}, the lines before have {len(first)}"
        if not all(map(is_number, words)):
            return f"line {number} holds something that is no number"
    return f"its lines have {_values(len(first))}, which is not what it declares"


def worded(lines: Iterable[str], above: int = 0) -> Iterator[tuple[int, list[str]]]:
    """(its number, its words) of each line that is neither empty nor a comment.

    above: how many lines of the file stand before these
    """
    for number, line in enumerate(lines, above + 1):
        if words := line.split("#", 1)[0].split():
            yield number, words


def _values(count: int) -> str:
    return f"{count} value{'s' * (count != 1)}"


def is_number(word: str) -> bool:
    """Whether the word can be read as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
