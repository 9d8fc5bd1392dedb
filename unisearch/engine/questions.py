"""Questions as values, and what goes wrong with one of several. Loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from unisearch.engine.terms import Term
from unisearch.errors import LibraryError, UnisearchError
from unisearch.factors import Factors

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """One question of several; the fields are the parameters of `Engine.ask`."""

    terms: Sequence[Term]
    into: Sequence[str] | str | None = None
    k: int | None = None
    where: str | None = None
    each: bool = False
    under: Path | str | None = None
    min_score: float | None = None
    names: bool = True
    factors: str | Factors | None = None


def each(make: Callable[..., T], *of: Sequence[Any]) -> list[T]:
    """As `map`, over questions: what one of several raises says which of them it is about.

    What is wrong with the library is about none.
    """
    made = []
    for place, one in enumerate(zip(*of, strict=True)):
        try:
            made.append(make(*one))
        except UnisearchError as error:
            if len(of[0]) > 1 and not isinstance(error, LibraryError):
                error.question = place
            raise
    return made
