"""What a visitor asks for, and the question that the engine understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from unisearch.api.schemas import MOST_TERMS, SearchIn, TermIn
from unisearch.errors import UsageError
from unisearch.records import Modality

#: Shown of each kind, at first and with every "More".
STEP = 12
WEIGHTS = (3.0, 2.0, 1.0, 0.5, -0.5, -1.0, -2.0)
AGES = {"1d": "last day", "7d": "last week", "30d": "last month", "365d": "last year"}
LENGTHS = {
    "duration<5": "under 5 s",
    "duration>=5 and duration<30": "5 to 30 s",
    "duration>=30 and duration<300": "30 s to 5 min",
    "duration>=300": "over 5 min",
}


@dataclass
class Part:
    """One term: words, a file of the visitor or an item of the library."""

    kind: Literal["words", "file", "item"]
    shown: str
    value: str | int | Path
    weight: float = 1.0


@dataclass
class Filters:
    """What answers must be, None where anything will do. ext: without its dot."""

    root: int | None = None
    ext: str | None = None
    age: str | None = None
    length: str | None = None

    def where(self) -> str | None:
        """The filter in the words of docs/filters.md, None for none."""
        tests = [
            f'ext = "{self.ext}"' if self.ext else "",
            f"age < {self.age}" if self.age else "",
            f"({self.length})" if self.length else "",
        ]
        return " and ".join(test for test in tests if test) or None


@dataclass
class Question:
    """All that was chosen. counts: how many of each kind are wanted, STEP where it says nothing."""

    parts: list[Part] = field(default_factory=list)
    filters: Filters = field(default_factory=Filters)
    into: set[Modality] = field(default_factory=set)
    counts: dict[Modality, int] = field(default_factory=dict)
    factors: str | None = None  # how much of its experts counts, in a space that has some

    def set_words(self, words: str) -> None:
        """Ask with those words, in place of the words before."""
        old = next((part for part in self.parts if part.kind == "words"), None)
        if old is not None:
            self.parts.remove(old)
        if words.strip():
            weight = old.weight if old is not None else 1.0
            self.add(Part("words", words.strip(), words.strip(), weight))

    def add(self, part: Part) -> None:
        """Ask with that, too; an item that is there already gets the new weight."""
        if part.kind == "item":
            self.parts = [
                one for one in self.parts if (one.kind, one.value) != ("item", part.value)
            ]
        if len(self.parts) == MOST_TERMS:
            raise UsageError(f"a question has at most {MOST_TERMS} terms; remove one")
        self.parts.append(part)
        self.counts.clear()

    def files(self) -> list[Path]:
        """The files that are asked with, in the order of their places."""
        return [part.value for part in self.parts if isinstance(part.value, Path)]

    def asked(self, modality: Modality | None = None) -> SearchIn:
        """What the service is asked: STEP of each kind, or of that kind as many as are wanted."""
        into: Sequence[Modality] | None = sorted(self.into) or None
        return SearchIn(
            terms=self._terms(),
            into=[modality] if modality else into,
            k=self.counts.get(modality, STEP) if modality else STEP,
            each=True,
            where=self.filters.where(),
            root=self.filters.root,
            factors=self.factors,
        )

    def _terms(self) -> list[TermIn]:
        terms, files = [], 0
        for part in self.parts:
            match part.value:
                case Path():
                    terms.append(TermIn(file=files, weight=part.weight))
                    files += 1
                case int():
                    terms.append(TermIn(item=part.value, weight=part.weight))
                case words:
                    terms.append(TermIn(text=words, weight=part.weight))
        return terms
