"""What is kept aside: never trained on in any form, neither its picture, shape, sound nor name.

Chosen by one fixed seed from the tables alone, so that every run and every reader agrees.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from unisearch.training.corpus import Corpus, Item

FURNITURE = 44
MODEL_NAMES, MODEL_INSTANCES = 60, 95
EMOJI_NAMES, FLAT_INSTANCES, NOTO_INSTANCES = 110, 120, 60


@dataclass(frozen=True)
class Split:
    """Keys of the items kept aside, and which of them have a name that training never sees."""

    aside: frozenset[str]
    new_names: frozenset[str]

    def trained(self, items: Iterable[Item]) -> list[Item]:
        return [item for item in items if item.key not in self.aside]

    def kept(self, items: Iterable[Item]) -> list[Item]:
        return [item for item in items if item.key in self.aside]


def split_corpus(corpus: Corpus, seed: int = 0) -> Split:
    """The split of that seed; a small corpus keeps at most a quarter of each kind aside."""
    groups = [
        _furniture(corpus, random.Random(f"{seed} furniture")),
        _models(corpus, random.Random(f"{seed} models")),
        _emoji(corpus, random.Random(f"{seed} emoji")),
        _recordings(corpus, random.Random(f"{seed} recordings")),
    ]
    aside = {item.key for group in groups for item in group}
    trained_names = {_family(item) for item in corpus.items if item.key not in aside}
    kept = [item for item in corpus.items if item.key in aside]
    new = {item.key for item in kept if _family(item) not in trained_names}
    return Split(frozenset(aside), frozenset(new))


def _family(item: Item) -> tuple[str, str]:
    """Both hands of the emoji share their names."""
    return item.kind.removesuffix("_flat"), item.name.lower()


def _furniture(corpus: Corpus, rng: random.Random) -> list[Item]:
    items = corpus.of("furniture")
    return rng.sample(items, min(FURNITURE, len(items) // 4))


def _models(corpus: Corpus, rng: random.Random) -> list[Item]:
    """All instances of some names, and one instance of each of other names that have several."""
    names = _by(corpus.of("models"), lambda item: item.name)
    whole = rng.sample(sorted(names), min(MODEL_NAMES, len(names) // 4))
    several = sorted(name for name in names if name not in whole and len(names[name]) > 1)
    partly = rng.sample(several, min(MODEL_INSTANCES, len(several)))
    kept = [item for name in whole for item in names[name]]
    return kept + [rng.choice(names[name]) for name in partly]


def _emoji(corpus: Corpus, rng: random.Random) -> list[Item]:
    """Some names in both hands; and single pictures whose name is trained in the other hand."""
    hands = _by(corpus.of("emoji", "emoji_flat"), lambda item: item.name)
    whole = rng.sample(sorted(hands), min(EMOJI_NAMES, len(hands) // 4))
    both = sorted(
        name
        for name, items in hands.items()
        if name not in whole and {item.kind for item in items} == {"emoji", "emoji_flat"}
    )
    rng.shuffle(both)
    both = both[: min(FLAT_INSTANCES + NOTO_INSTANCES, len(both) // 2)]
    flat = both[: round(len(both) * FLAT_INSTANCES / (FLAT_INSTANCES + NOTO_INSTANCES))]
    kept = [item for name in whole for item in hands[name]]
    for name in both:
        hand = "emoji_flat" if name in flat else "emoji"
        kept += [item for item in hands[name] if item.kind == hand]
    return kept


def _recordings(corpus: Corpus, rng: random.Random) -> list[Item]:
    """One of every label with two or more; where it can, one that shares its source with none."""
    kept = []
    for items in _by(corpus.of("recordings"), lambda item: item.name).values():
        if len(items) > 1:
            sources = [item.credit[2] for item in items]
            alone = [item for item in items if sources.count(item.credit[2]) == 1]
            kept.append(rng.choice(alone or items))
    return kept


def _by(items: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
