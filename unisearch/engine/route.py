"""Which space answers: a pure choice for each pair of a query's modality and a target's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from unisearch.records import Modality


@dataclass(frozen=True)
class Offer:
    """A space whose vectors a library holds.

    asks: modalities it can encode; holds: those of which the library has vectors
    quality: declared, in [0, 1], by (query modality, target modality)
    """

    space: str
    name: str
    asks: frozenset[Modality]
    holds: frozenset[Modality]
    quality: Mapping[tuple[Modality, Modality], float] = field(default_factory=dict)


def route(
    asked: Modality, target: Modality, offers: Iterable[Offer], routes: Mapping[str, str]
) -> Offer | None:
    """The offer that answers queries of `asked` with things of `target`; None: nobody covers it.

    offers: the preferred ones first, which wins among equals
    routes: names of spaces by 'asked->target'; one that does not cover its pair is passed over
    """
    covering = [offer for offer in offers if asked in offer.asks and target in offer.holds]
    named = routes.get(f"{asked}->{target}")
    wanted = [offer for offer in covering if offer.name == named] or covering
    return max(wanted, key=lambda offer: offer.quality.get((asked, target), 0.0), default=None)


def routed(
    asked: Modality,
    targets: Iterable[Modality],
    offers: Iterable[Offer],
    routes: Mapping[str, str],
) -> dict[Modality, str]:
    """The space of each target that some offer covers."""
    known = list(offers)
    chosen = {target: route(asked, target, known, routes) for target in targets}
    return {target: offer.space for target, offer in chosen.items() if offer}
