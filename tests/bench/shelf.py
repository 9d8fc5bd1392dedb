"""A library of many items in the starter space, filled in bulk: the files are not there.

Names are those of things ('dog/small dog 000017.jpg'), texts are real sentences about them and
encoded as such; other vectors are the space's reference ones, each moved by 0.6 times the
difference of two others, as in chance.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexer.upkeep import Upkeep
from tests.bench.data import Floats, unit
from tests.bench.engines.library import put_items, put_rows
from unisearch.catalog.open import Catalog
from unisearch.config import Settings
from unisearch.records import Modality, TextSample
from unisearch.spaces.base import Space
from unisearch.wiring import CATALOG_FILE, open_rooms
from unisearch.world.captions import make_caption
from unisearch.world.concepts import CONCEPTS

#: Of each modality so many of a hundred; the pictures of a large library have a snapshot.
SHARES: dict[Modality, int] = {"image": 60, "audio": 20, "3d": 10, "text": 10}
SUFFIXES: dict[Modality, str] = {"image": ".jpg", "audio": ".wav", "3d": ".glb", "text": ".txt"}
ADJECTIVES = ("small", "big", "old", "new", "red", "summer", "night", "draft")
SPREAD = 0.6
SEED = 6


def make_shelf(folder: Path, items: int) -> Path:
    """The library of so many items below the folder, made when it is not there yet."""
    library = folder / f"shelf-{items}"
    done = library / "done"
    if done.exists():
        return library
    library.mkdir(parents=True)
    Catalog.create(library / CATALOG_FILE).close()
    first = 1
    for modality, share in SHARES.items():
        count = items * share // 100
        texts = list(itertools.islice(sentences(SEED), count)) if modality == "text" else []
        put_items(library / CATALOG_FILE, names(modality, count), modality, first, texts)
        with open_rooms(Settings(library=library, device="cpu"), write=True) as rooms:
            put_rows(rooms, 0, vectors(rooms.space, modality, count, texts), modality)
        first += count
    rest = open_rooms(Settings(library=library, device="cpu"), write=True)
    with rest as rooms, Upkeep(rooms) as upkeep:
        upkeep.finish()
    done.touch()
    return library


def names(modality: Modality, count: int) -> list[str]:
    """Names of files, in folders of things; every one differs."""
    kinds = itertools.cycle(itertools.product(ADJECTIVES, CONCEPTS))
    return [
        f"{concept}/{adjective} {concept} {number:06}{SUFFIXES[modality]}"
        for number, (adjective, concept) in zip(range(count), kinds, strict=False)
    ]


def sentences(seed: int) -> Iterator[str]:
    """Sentences about things, without end."""
    for number in itertools.count(seed * 1_000_000):
        for concept in CONCEPTS:
            yield make_caption(concept, number)


def vectors(space: Space, modality: Modality, count: int, texts: list[str]) -> Floats:
    """Unit rows (count, dim)."""
    if texts:
        return space.encode([TextSample(text) for text in texts])
    known, numbers = space.reference(modality), np.random.default_rng(SEED)
    base, one, other = (known[numbers.integers(len(known), size=count)] for _ in range(3))
    return unit(base + SPREAD / np.sqrt(2) * (one - other)).astype(np.float32)
