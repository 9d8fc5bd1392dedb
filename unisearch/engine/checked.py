"""Whether a question has a meaning: the least that is known of it before anything is opened."""

from __future__ import annotations

import math
import numbers
import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unisearch.catalog.where_sql import Condition, condition
from unisearch.engine.questions import Question
from unisearch.engine.terms import Term
from unisearch.errors import UnknownName, UsageError
from unisearch.records import MODALITIES, Modality


@dataclass(frozen=True)
class Checked:
    """A question whose parts have a meaning; see Question."""

    terms: Sequence[Term]
    modalities: Sequence[Modality]
    k: int
    where: Condition | None
    under: Path | str | None
    each: bool
    least: float | None
    names: bool


def checked(question: Question, k: int) -> Checked:
    """The question, without what has no meaning; k: where it names none. Raises UsageError."""
    found = Checked(
        terms=question.terms,
        modalities=check_modalities(question.into),
        k=k if question.k is None else check_count(question.k),
        where=None if question.where is None else condition(question.where, time.time_ns()),
        under=question.under,
        each=question.each,
        least=check_score(question.min_score),
        names=question.names,
    )
    if not any(term.weight > 0 for term in question.terms):
        raise UsageError("nothing to search for: give at least one term that attracts")
    return found


def check_modalities(names: Sequence[str] | str | None) -> tuple[Modality, ...]:
    """The modalities of those names, in the order of MODALITIES; None means all.

    names: a list, or one text with commas between; in letters of either case
    Raises UnknownName, naming the nearest one, and UsageError when none is named.
    """
    if names is None:
        return MODALITIES
    listed = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    wanted = {name.lower() for name in listed if name}
    if not wanted:
        raise UsageError(f"no modality is named; known: {', '.join(sorted(MODALITIES))}")
    for name in sorted(wanted.difference(MODALITIES)):
        raise UnknownName("modality", name, MODALITIES)
    return tuple(modality for modality in MODALITIES if modality in wanted)


def check_count(k: object) -> int:
    """How many hits: any whole number from 1 on. Raises UsageError for anything else."""
    try:
        count = operator.index(k)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"k is {k!r}; it must be a whole number") from None
    if count < 1:
        raise UsageError(f"k is {count}; it must be at least 1")
    return count


def check_score(least: object) -> float | None:
    """A least score, None for none. Raises UsageError for what no score can be compared with."""
    if least is None:
        return None
    if not isinstance(least, numbers.Real) or math.isnan(least):
        raise UsageError(f"the least score is {least!r}; it must be a number")
    return float(least)
