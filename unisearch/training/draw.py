"""One training batch: which things, which of their pictures, shapes and sounds, which words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.training.meaning import Labels
from unisearch.training.stock import Stock, Thing

#: Things of each stream in a batch.
SHARES = {
    "world": 58, "heard": 14, "emoji": 24, "emoji_flat": 16, "furniture": 16, "models": 30,
    "fbx": 3, "recordings": 20, "sounds": 6, "junk": 10,
}  # fmt: skip
#: How often a thing shows its own row, and how often it borrows one of a thing of the same name.
OWN = {"pictures": 1.0, "shapes": 0.9, "mels": 1.0}
OWN_WORLD = {"pictures": 0.65, "shapes": 0.5, "mels": 1.0}
BORROWED = {"pictures": 0.5, "shapes": 0.35, "mels": 0.25}
WORDS = 0.85
FRAMES = (
    "a {}", "the {}", "a picture of a {}", "a photo of a {}", "a 3d model of a {}",
    "the sound of a {}", "a small {}", "one {} on a table", "{} in the wild", "a drawing of a {}",
    "noise of a {}",
)  # fmt: skip
FRAMED = 0.3


@dataclass
class Drawn:
    """Rows of one slot: `thing` is the place in the batch, `own` whether the row is its own."""

    rows: NDArray[np.int64]
    thing: NDArray[np.int64]
    own: NDArray[np.bool_]
    labels: list[Labels]


@dataclass
class Batch:
    """What one step sees: pictures, shapes and mels by rows of the stock, and words."""

    slots: dict[str, Drawn]
    texts: list[str]
    text_thing: NDArray[np.int64]
    text_labels: list[Labels]


class Drawer:
    """Draws batches from a stock, always the same ones from the same seed."""

    def __init__(self, stock: Stock, rng: np.random.Generator, scale: float = 1.0) -> None:
        """scale: of the batch; tests and tiny corpora draw fewer."""
        self._stock, self._rng = stock, rng
        self._streams = [
            (np.array(places), _evened(stock, places), max(1, round(SHARES[name] * scale)))
            for name, places in sorted(stock.streams.items())
        ]

    def draw(self) -> Batch:
        """A fresh batch; every thing in it at most once per stream while there are enough."""
        places = np.concatenate([self._some(*stream) for stream in self._streams])
        things = [self._stock.things[place] for place in places]
        slots = {slot: self._slot(slot, things) for slot in ("pictures", "shapes", "mels")}
        return self._with_words(things, slots)

    def _some(
        self, places: NDArray[np.int64], weights: NDArray[np.float64], count: int
    ) -> NDArray[np.int64]:
        count = min(count, len(places))
        return self._rng.choice(places, count, replace=False, p=weights)

    def _slot(self, slot: str, things: list[Thing]) -> Drawn:
        found: list[tuple[int, int, bool, Labels]] = []
        for at, thing in enumerate(things):
            chance = (OWN_WORLD if thing.stream == "world" else OWN)[slot]
            if thing.rows[slot]:
                if self._rng.random() < chance:
                    found.append((self._one(thing.rows[slot]), at, True, thing.labels))
            elif self._rng.random() < BORROWED[slot]:
                others = self._stock.alike[slot].get(thing.primary, [])
                if others:
                    other = self._stock.things[self._one(others)]
                    found.append((self._one(other.rows[slot]), at, False, other.labels))
        rows, at_thing, own, labels = zip(*found, strict=True) if found else ((), (), (), ())
        return Drawn(
            np.array(rows, np.int64),
            np.array(at_thing, np.int64),
            np.array(own, bool),
            list(labels),
        )

    def _with_words(self, things: list[Thing], slots: dict[str, Drawn]) -> Batch:
        texts, at_thing, labels = [], [], []
        for at, thing in enumerate(things):
            if thing.texts and self._rng.random() < WORDS:
                text, meaning = thing.texts[int(self._rng.integers(len(thing.texts)))]
                if self._rng.random() < FRAMED:
                    text = FRAMES[int(self._rng.integers(len(FRAMES)))].format(text)
                texts.append(text)
                at_thing.append(at)
                labels.append(meaning)
        return Batch(slots, texts, np.array(at_thing, np.int64), labels)

    def _one(self, rows: list[int]) -> int:
        return rows[int(self._rng.integers(len(rows)))]


def _evened(stock: Stock, places: list[int]) -> NDArray[np.float64]:
    """Chances that give a name with many things less than their number of draws."""
    counts = Counter(stock.things[place].primary for place in places)
    weights = np.array([counts[stock.things[place].primary] ** -0.5 for place in places])
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances
