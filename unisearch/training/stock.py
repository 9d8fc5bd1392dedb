"""The pool in memory, and the things that its rows show: what training draws from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.training.corpus import Corpus, Item
from unisearch.training.meaning import Labels, Meanings, tidy
from unisearch.training.parts import load_part
from unisearch.training.split import Split
from unisearch.world.captions import make_caption
from unisearch.world.concepts import CONCEPTS

SLOTS = ("pictures", "shapes", "mels")
#: Made sentences for each made thing.
CAPTIONS = 10
_KEYS = {"pictures": "picture_keys", "shapes": "shape_keys", "mels": "mel_keys"}


@dataclass
class Thing:
    """One thing that training knows: what it is, how people call it, and its rows in the pool.

    texts: words for it with what each of them means; rows: of each slot
    """

    key: str
    stream: str
    labels: Labels
    texts: list[tuple[str, Labels]]
    rows: dict[str, list[int]] = field(default_factory=lambda: {slot: [] for slot in SLOTS})

    @property
    def primary(self) -> str:
        """The label that says most; '' for a thing without a name."""
        return max(self.labels, key=lambda label: self.labels[label]) if self.labels else ""


@dataclass
class Stock:
    """Arrays of the pool, the things and the table of labels.

    arrays: 'pictures', 'shapes', 'parts', 'mels'; ids: label -> place in the prototypes
    alike: slot -> primary label -> things that have rows in that slot
    """

    arrays: dict[str, NDArray[Any]]
    things: list[Thing]
    ids: dict[str, int]
    streams: dict[str, list[int]]
    alike: dict[str, dict[str, list[int]]]


def load_stock(corpus: Corpus, split: Split, paths: Iterable[Path]) -> Stock:
    """All parts of the pool, joined. The table of labels comes from the things alone."""
    trained = split.trained(corpus.items)
    meanings = Meanings(item.concept or item.name for item in trained)
    named = {item.key: item for item in trained}
    arrays, keys = _join(paths)
    things: dict[str, Thing] = {}
    for slot in SLOTS:
        for row, key in enumerate(keys[slot]):
            if key not in things:
                things[key] = _thing(key, named, meanings)
            things[key].rows[slot].append(row)
    listed = list(things.values())
    return Stock(arrays, listed, label_ids(listed), _streams(listed), _alike(listed))


def label_ids(things: Iterable[Thing]) -> dict[str, int]:
    """Every label that occurs, each with its place, in alphabetical order."""
    found = {label for thing in things for label in thing.labels}
    found |= {label for thing in things for _, labels in thing.texts for label in labels}
    return {label: place for place, label in enumerate(sorted(found))}


def _join(paths: Iterable[Path]) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
    collected: dict[str, list[NDArray[Any]]] = defaultdict(list)
    keys: dict[str, list[str]] = {slot: [] for slot in SLOTS}
    for path in paths:
        arrays, stored = load_part(path)
        for name, array in arrays.items():
            collected[name].append(array)
        for slot in SLOTS:
            keys[slot] += stored[_KEYS[slot]]
    return {name: np.concatenate(parts) for name, parts in collected.items()}, keys


def _thing(key: str, named: dict[str, Item], meanings: Meanings) -> Thing:
    stream = key.partition("/")[0]
    if stream == "junk":
        return Thing(key, stream, {}, [])
    if stream == "world":
        return _world_thing(key, meanings)
    item = named[key]
    labels = meanings.of(item.name, item.keywords, item.concept)
    texts = [(item.name.lower(), labels)] * 4 + [(tidy(item.name), labels)] * 2
    texts += [(word.lower(), meanings.of(word)) for word in item.keywords[:6]]
    if item.concept:
        texts += [(item.concept, meanings.of(item.concept))] * 4
    texts += _synonyms(meanings.canonical(tidy(item.concept or item.name)), meanings)
    return Thing(key, stream, labels, texts)


def _world_thing(key: str, meanings: Meanings) -> Thing:
    """A made instance 'world/NAME/SEED', or the made sounds of a concept, 'world/NAME'."""
    _, name, *instance = key.split("/")
    labels = meanings.of(name)
    texts = [(name, labels)] * 4 + _synonyms(name, meanings)
    texts += [(kind, meanings.of(kind)) for kind in CONCEPTS[name].hypernyms]
    sounding = [(word, labels) for word in CONCEPTS[name].sounds]
    sounding += [(f"{name} {word}", labels) for word in CONCEPTS[name].sounds]
    stream = "world" if instance else "heard"
    first = CAPTIONS * int(instance[0]) if instance else 0
    captions = [make_caption(name, seed) for seed in range(first, first + CAPTIONS)]
    texts += [(caption, labels) for caption in captions]
    return Thing(key, stream, labels, texts + (sounding if not instance else sounding[:2]))


def _synonyms(name: str, meanings: Meanings) -> list[tuple[str, Labels]]:
    if name not in CONCEPTS:
        return []
    return [(word, meanings.of(word)) for word in CONCEPTS[name].synonyms for _ in range(2)]


def _streams(things: list[Thing]) -> dict[str, list[int]]:
    streams: dict[str, list[int]] = defaultdict(list)
    for place, thing in enumerate(things):
        streams[thing.stream].append(place)
    return dict(streams)


def _alike(things: list[Thing]) -> dict[str, dict[str, list[int]]]:
    alike: dict[str, dict[str, list[int]]] = {slot: defaultdict(list) for slot in SLOTS}
    for place, thing in enumerate(things):
        for slot in SLOTS:
            if thing.rows[slot] and thing.primary:
                alike[slot][thing.primary].append(place)
    return {slot: dict(table) for slot, table in alike.items()}


def table_digest(ids: dict[str, int]) -> str:
    """Tells a resumed run that its prototypes stand for the same labels."""
    import hashlib

    return hashlib.sha256(json.dumps(sorted(ids)).encode()).hexdigest()
