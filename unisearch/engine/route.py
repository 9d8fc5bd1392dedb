"""Which space answers: a pure choice for each pair of a query's modality and a target's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from unisearch.errors import UsageError
from unisearch.records import MODALITIES, Modality


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


def refuse_uncovered(asked: Modality, targets: Iterable[Modality], offers: Iterable[Offer]) -> None:
    """Raise UsageError when no space of the library sees both the query and anything wanted.

    Nothing could ever be found then, whatever is indexed.
    """
    wanted, known = list(targets), list(offers)
    able = [offer for offer in known if asked in offer.asks]
    if any(offer.asks.intersection(wanted) for offer in able):
        return
    what = f"finds {' or '.join(wanted)} by {asked}" if able else f"can be asked with {asked}"
    seen = "; ".join(
        f"'{offer.name}' sees {', '.join(one for one in MODALITIES if one in offer.asks)}"
        for offer in known
    )
    raise UsageError(f"no space of this library {what}: {seen}")
