"""Sentences about everyday things."""

from __future__ import annotations

from unisearch.errors import UnknownName
from unisearch.world.chance import Chance
from unisearch.world.concepts import CONCEPTS, Concept

_ADJECTIVES = ("small", "big", "old", "new", "lovely", "ordinary", "well-known", "simple")
_UNCOUNTED = {
    "cattle", "livestock", "poultry", "food", "furniture", "storage", "weather", "electronics",
    "tableware", "kitchenware", "headwear", "sanitary ware", "public transport", "fast food",
    "street furniture", "sports equipment", "sky",
}  # fmt: skip

#: {thing}: with its article; {noun}: without; {kind}: what it is a kind of, with its article
_PLAIN = (
    "{thing}",
    "{noun}",
    "{thing} {place}",
    "{described} {place}",
    "{described}",
    "This is {thing}, {kind}.",
    "{thing} is {kind}.",
    "One sees {thing} {place}.",
    "There is {described} {place}.",
    "{noun}, {hypernym}",
    "Look, {described} {place}.",
)
_OF_SIGHT = (
    "a picture of {thing}",
    "a photo of {described}",
    "a drawing of {thing} {place}",
    "a 3D model of {thing}",
    "a toy model of {described}",
)
_OF_SOUND = (
    "the sound of {thing}",
    "{sound}: {thing}",
    "One hears {thing}: {sound}.",
    "a recording of {thing}, {sound}",
    "{noun} {sound}",
    "{sound} of {thing} {place}",
)


def make_caption(concept: str, seed: int) -> str:
    """A phrase or a sentence about the concept, with its own name, a synonym or its sound.

    It says nothing about colours and shapes, as these belong to one picture or one model.
    Raises UnknownName for a concept that is not in CONCEPTS.
    """
    if concept not in CONCEPTS:
        raise UnknownName("concept", concept, CONCEPTS)
    known, chance = CONCEPTS[concept], Chance("caption", concept, seed)
    families = [_PLAIN, _PLAIN, _OF_SIGHT] + [_OF_SOUND] * (2 if known.sounding else 0)
    text = chance.pick(chance.pick(families)).format(**_words(known, chance))
    return text[0].upper() + text[1:] if text.endswith(".") else text


def _words(concept: Concept, chance: Chance) -> dict[str, str]:
    """What may stand in the gaps of a sentence."""
    noun = concept.name if chance.maybe(0.6) else chance.pick(concept.synonyms)
    hypernym = chance.pick(concept.hypernyms)
    return {
        "noun": noun,
        "thing": with_article(noun),
        "described": with_article(f"{chance.pick(_ADJECTIVES)} {noun}"),
        "hypernym": hypernym,
        "kind": with_article(hypernym),
        "place": concept.place,
        "sound": chance.pick(concept.sounds) if concept.sounding else "",
    }


def with_article(noun: str) -> str:
    """The noun with 'a' or 'an'; without one when it is a plural or cannot be counted."""
    if _is_plural(noun) or noun.split(" ", 1)[-1] in _UNCOUNTED or noun in _UNCOUNTED:
        return noun
    return f"{'an' if noun[0].lower() in 'aeio' or noun.startswith('umbrella') else 'a'} {noun}"


def _is_plural(noun: str) -> bool:
    last = noun.split(" ")[-1]
    if " of " in noun or last == "electronics":  # 'a pair of scissors' is one pair
        return False
    return last.endswith("s") and not last.endswith(("ss", "us"))
