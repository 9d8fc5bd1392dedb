"""What a name means: a few labels with weights, shared by all kinds of things.

'birch tree dead snow' is above all that, then a 'birch tree' and a 'tree', and a little 'plant'
and 'snow'. Pictures, sounds and models meet through these labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from unisearch.world.concepts import CONCEPTS

BASE, PART, KEYWORD, KIND, MODIFIER = 0.8, 0.5, 0.3, 0.2, 0.12

#: Words that say how a thing is, not what it is.
MODIFIERS = frozenset(
    """small big large short long medium wide tall mini little high lower upper single double triple
    open closed empty filled full half dead alive snow autumn moss harvested crop golden gold red
    blue green yellow orange purple brown white black pink round square straight corner left right
    top middle center bottom old new broken damaged lit burnt mat oncoming front back flat slim
    one two three four five transformed wooden metal leather x l r""".split()  # noqa: SIM905
)
#: Names that stand for a thing known under another one.
SAME: Mapping[str, str] = {
    "couch": "sofa", "fridge": "refrigerator", "trashcan": "trash can", "dustbin": "trash can",
    "wastebasket": "trash can", "night stand": "bedside table", "tv": "television",
    "phone": "telephone", "smartphone": "mobile phone", "automobile": "car",
    "motorbike": "motorcycle",
    "locomotive": "train", "fire": "campfire", "bonfire": "campfire", "burger": "hamburger",
    "bookcase": "bookshelf", "light ceiling": "ceiling lamp", "light floor": "floor lamp",
    "light desk": "desk lamp", "light street": "street lamp", "streetlight": "street lamp",
    "light stand": "floor lamp", "light chandelier": "chandelier", "houseplant": "potted plant",
    "plant box": "potted plant", "decorative plant": "potted plant", "toilets unit": "toilet",
    "bathroom toilet": "toilet", "water closet": "toilet", "sail ship": "sailboat",
    "boat wsail": "sailboat", "evergreen tree": "pine tree", "deciduous tree": "tree",
    "common tree": "tree", "cloud with lightning": "storm cloud", "headphone": "headphones",
    "soft ice cream": "ice cream", "birthday cake": "cake", "grand piano": "piano",
    "electric guitar": "guitar", "revolver": "gun", "pistol": "gun", "shotgun": "gun",
    "washbasin": "sink", "extinguisher": "fire extinguisher", "trex": "tyrannosaurus",
    "t-rex": "tyrannosaurus", "mech": "robot", "story": "house", "drawers cabinet": "drawers",
    "mantelpiece clock": "clock", "jet": "airplane", "plane": "airplane", "bike": "bicycle",
}  # fmt: skip

Labels = dict[str, float]


def tidy(name: str) -> str:
    """Lower case, words and single blanks; 'cow face' and 'cow' are one."""
    words = re.findall(r"[^\W_]+(?:[-’'][^\W_]+)*", name.lower().replace("-transformed", ""))
    text = " ".join(word for word in words if not word.isdigit()) or name.lower().strip()
    stem = text.removesuffix(" face")
    return stem if stem in CONCEPTS or stem in _FACES else text


_FACES = frozenset("tiger monkey dragon wolf panda fox hamster unicorn bear lion".split())  # noqa: SIM905


class Meanings:
    """Names to labels, for a set of names that stand for things of their own."""

    def __init__(self, names: Iterable[str]) -> None:
        """names: of the training items; only their words are used."""
        tidied = {tidy(name) for name in names}
        self._own = {name for name in tidied if len(name.split()) <= 2} | set(CONCEPTS)
        self._synonyms = {
            tidy(word): concept.name for concept in CONCEPTS.values() for word in concept.synonyms
        }
        self._known = self._own | set(self._synonyms) | set(SAME)
        self.of = lru_cache(maxsize=None)(self._of)

    def canonical(self, phrase: str) -> str:
        """The name under which the thing is known."""
        if phrase in SAME:
            return SAME[phrase]
        if phrase in self._own:
            return phrase
        return self._synonyms.get(phrase, phrase)

    def _of(self, name: str, keywords: tuple[str, ...] = (), concept: str = "") -> Labels:
        """Labels and their weights in (0, 1], the strongest 1.

        keywords: words that go with it; concept: what it is known to be, if that is known
        """
        phrase = tidy(name)
        labels: Labels = {}
        if concept:
            labels[self.canonical(concept)] = 1.0
        labels.setdefault(self.canonical(phrase), PART if concept else 1.0)
        words = [word for word in phrase.split() if word not in MODIFIERS] or phrase.split()
        base = self.canonical(" ".join(words))
        if base in self._known and not concept:
            labels.setdefault(base, BASE)
        if not concept:
            for part in self._parts(words):
                labels.setdefault(part, PART)
        if len(words) > 1 and not concept:
            labels.setdefault(words[-1], KEYWORD)
        for label in list(labels):
            self._add_kinds(labels, label)
        for keyword in keywords:
            labels.setdefault(self.canonical(tidy(keyword)), KEYWORD)
        for word in phrase.split():
            if word in MODIFIERS:
                labels.setdefault(word, MODIFIER)
        return labels

    def _parts(self, words: list[str]) -> Iterable[str]:
        """Known names among the words, longer ones first."""
        for length in (3, 2, 1):
            for at in range(len(words) - length + 1):
                part = " ".join(words[at : at + length])
                for form in (part, part.removesuffix("s")):
                    if form in self._known:
                        yield self.canonical(form)
                        break

    def _add_kinds(self, labels: Labels, label: str) -> None:
        weight = labels[label]
        name = label
        if label not in CONCEPTS and label in self._synonyms:
            name = self._synonyms[label]
            labels.setdefault(name, PART * weight)
        if name in CONCEPTS:
            for kind in CONCEPTS[name].hypernyms:
                labels.setdefault(self.canonical(kind), KIND * weight)
