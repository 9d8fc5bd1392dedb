"""What a question is made of: terms, and how words on a command line become them.

dog barking            consecutive words: one sentence
"dog barking" cat.png  a sentence and a file
2:cat.png 0.5:night    weights: at most 10, one decimal
item:17                an item of the library
text:cat.png file:cat  forced
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unisearch.errors import UnisearchError, UsageError, display
from unisearch.media.read import modality_of
from unisearch.records import Modality, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unisearch.catalog.where_sql import Condition

MIN_WEIGHT, MAX_WEIGHT = 0.001, 10.0
MAX_ID = 2**63 - 1  # of SQLite
WEIGHT = re.compile(r"(\d{1,2}(?:\.\d)?):(.+)", re.DOTALL)
#: '-1:dog' and '1e400:dog' are neither weights nor words.
NO_WEIGHT = re.compile(
    r"(?:[+-](?:\d+\.?\d*|\.\d+)|[+-]?(?:\d+\.?\d*|\.\d+)e[+-]?\d+):\S.*", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Vector:
    """What was encoded before, by this library's space.

    values: floats (dim,), unit length; modality: of what it was encoded from
    """

    values: NDArray[np.floating]
    modality: Modality

    def of(self, dim: int) -> NDArray[np.float32]:
        """The values as float32 (dim,). Raises UsageError for no unit vector of a space so wide."""
        import numpy as np

        values = np.asarray(self.values, np.float32)
        if values.shape != (dim,):
            raise UsageError(f"a vector of this library's space is ({dim},), not {values.shape}")
        length = math.sqrt(values @ values)  # np.linalg.norm takes longer than all of this
        if not abs(length - 1) < 1e-2:
            raise UsageError(f"a vector as a term has length 1, not {length:g}")
        return values / np.float32(length)


@dataclass(frozen=True)
class Term:
    """One part of a question and how much it counts; a negative weight repels.

    value: words (str), a file (Path) or its content (bytes), the id of an item (int), a sample,
        a vector
    """

    value: str | Path | bytes | int | Sample | Vector
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not MIN_WEIGHT <= abs(self.weight) <= MAX_WEIGHT:
            raise UsageError(
                f"{self.shown}: a weight is from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}, negative for"
                f" what repels, not {self.weight:g}"
            )

    @property
    def shown(self) -> str:
        """The term as text."""
        match self.value:
            case str():
                return self.value
            case int():
                return f"item:{self.value}"
            case Path():
                return display(self.value)
            case bytes():
                return f"{len(self.value)} bytes"
            case Vector():
                return f"{self.value.modality} vector"
            case _:
                return f"{self.value.modality} sample"


def parse_terms(arguments: Sequence[str]) -> list[Term]:
    """The terms that words on a command line stand for, in their order.

    Raises UsageError for a malformed term and UnisearchError for a file that is not there.
    """
    terms: list[Term] = []
    words: list[str] = []
    for argument in arguments:
        if is_plain_word(argument):
            words.append(argument)
            continue
        terms += sentence(words)
        words = []
        terms.append(parse_term(argument))
    return terms + sentence(words)


def sentence(words: Sequence[str]) -> list[Term]:
    """One term for consecutive words, none for none."""
    return [Term(" ".join(words))] if words else []


def is_plain_word(argument: str) -> bool:
    """Whether the argument joins its neighbours to a sentence instead of standing alone."""
    marked = re.match(r"(item|text|file):", argument) or split_weight(argument)[1] != argument
    odd = not argument or " " in argument or NO_WEIGHT.fullmatch(argument)
    return not (marked or odd or looks_like_file(argument))


def parse_term(argument: str) -> Term:
    """The term of one argument that stands alone."""
    weight, rest = split_weight(argument)
    prefix, colon, forced = rest.partition(":")
    if colon and prefix == "text":
        return Term(not_empty(forced, argument), weight)
    if colon and prefix == "file":
        return Term(existing(not_empty(forced, argument)), weight)
    if colon and prefix == "item":
        if not forced.isdecimal() or int(forced) > MAX_ID:
            raise UsageError(f"'{argument}': item: takes a number, as `search --json` shows it")
        return Term(int(forced), weight)
    if looks_like_file(rest):
        return Term(existing(rest, argument), weight)
    if NO_WEIGHT.fullmatch(rest):
        raise UsageError(
            f"'{argument}': a weight is from 0.1 to {MAX_WEIGHT:g}, with one decimal; use --not for"
            " what should be absent, and text:… for words"
        )
    return Term(not_empty(rest, argument), weight)


def split_weight(argument: str) -> tuple[float, str]:
    """(weight, the rest); a number above 10 before a colon ('16:9') is no weight."""
    found = WEIGHT.fullmatch(argument)
    if not found or float(found[1]) > MAX_WEIGHT:
        return 1.0, argument
    if float(found[1]) == 0:
        raise UsageError(f"'{argument}': a weight is above 0; use --not for what should be absent")
    return float(found[1]), found[2]


def looks_like_file(argument: str) -> bool:
    """Whether the argument means a file, there or not: a path separator or a known suffix.

    Words that merely hold a slash ('and/or') and name nothing on disk are still taken for a
    path: the error tells how to force text.
    """
    path = Path(argument)
    if " " in argument and not is_file(path):
        return path.is_absolute() or modality_of(path) is not None
    return os.sep in argument or modality_of(path) is not None


def is_file(path: Path) -> bool:
    """Whether a file is there; a sentence too long for a file name is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def existing(name: str, argument: str = "") -> Path:
    """The file of that name. Raises UnisearchError in one line when there is none.

    argument: the whole term, with its weight
    """
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise UnisearchError(f"{display(path)}: cannot be looked at: permission denied") from None
    except (OSError, ValueError):  # the name may be too long
        what = "no such file"
    else:
        if stat.S_ISREG(mode):
            return path
        what = "is no regular file"
    hint = "write text:… if these are words"
    if argument != name and is_file(Path(argument)):
        hint = f"file:{display(argument)} asks with the file of that whole name"
    raise UnisearchError(f"{display(path)}: {what}; {hint}")


def not_empty(text: str, argument: str) -> str:
    """The text, which must hold something."""
    if not text.strip():
        raise UsageError(f"'{argument}': an empty term")
    return text


@dataclass(frozen=True)
class Wanted:
    """What an answer should hold."""

    modalities: Sequence[Modality]
    k: int
    under: bytes | None = None  # only files at and below this folder
    where: Condition | None = None  # only files that pass this filter
    allowed: NDArray[np.int64] | None = None  # their segments


@dataclass(frozen=True)
class Asked:
    """A question, ready to be searched for."""

    terms: Sequence[Term]
    modalities: Sequence[Modality]  # of the terms
    spaces: Sequence[Mapping[Modality, str]]  # of each term, by what it is answered with
    vectors: Mapping[str, NDArray[np.float32]]  # by space: (terms, dim), unit or not asked: 0
    weights: NDArray[np.float32]  # (terms,), negative for terms that repel
    names: Mapping[int, float]  # segments whose names or passages hold the words: how well
    items: Mapping[int, int]  # whose name it is, by segment
    own: Mapping[Modality, NDArray[np.int64]]  # segments asked for by id, hence no answers


def negative(term: Term) -> Term:
    """The same term, repelling."""
    return replace(term, weight=-abs(term.weight))
