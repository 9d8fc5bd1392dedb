"""What comes back from a question, and its JSON form that others rely on."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unisearch.errors import display
from unisearch.factors import Factors
from unisearch.records import Hit, Modality


@dataclass(frozen=True)
class AskedTerm:
    """A term as it was understood."""

    modality: Modality
    term: str
    weight: float
    space: str


@dataclass(frozen=True)
class Answer:
    """Hits, best first. no_match: chance alone explains every one of them.

    factors: by which the question was answered, where it named some; approximate: kinds of which
    hits may be missing, as an index of the stored factors proposed them or parts of vectors lack
    """

    query: Sequence[AskedTerm]
    hits: Sequence[Hit]
    no_match: bool
    took_ms: dict[str, float]
    factors: Factors | None = None
    approximate: Sequence[Modality] = ()

    def to_json(self) -> dict[str, Any]:
        """The object that `search --json` prints; scores rounded to 4 digits."""
        turned = {} if self.factors is None else self.turned_json()
        return turned | {
            "query": [vars(term) for term in self.query],
            "hits": [hit_json(hit) for hit in self.hits],
            "no_match": self.no_match,
            "took_ms": {name: round(took, 2) for name, took in self.took_ms.items()},
        }

    def turned_json(self) -> dict[str, Any]:
        """By which factors it was answered, and how exactly; None where the question named none."""
        factors = None if self.factors is None else dict(self.factors)
        return {"factors": factors, "approximate": list(self.approximate)}


def path_json(path: bytes) -> dict[str, str]:
    """A path for JSON; `path_b64` holds the exact bytes of one that is no UTF-8."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": display(path), "path_b64": base64.b64encode(path).decode()}


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit as `search --json` prints it."""
    row: dict[str, Any] = {"rank": hit.rank, "item": hit.item, **path_json(hit.path)}
    has_segment = hit.start_s is not None or bool(hit.text)
    return row | {
        "modality": hit.modality,
        "score": round(hit.score, 4),
        "similarity": round(hit.similarity, 4),
        "weak": hit.weak,
        "expected_by_chance": round(hit.expected_by_chance, 6),
        "matched": hit.matched,
        "copies": hit.copies,
        "segment": {"start_s": hit.start_s, "end_s": hit.end_s, "text": hit.text}
        if has_segment
        else None,
        "space": hit.space,
    }
