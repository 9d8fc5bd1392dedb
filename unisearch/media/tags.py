"""What people and programs wrote into files: cleaned, and no more than is worth finding."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

#: Characters that are kept of one value, and of all values of a file together.
MOST_OF_ONE, MOST_OF_ALL = 500, 4_000
#: Values that are kept under one name.
MOST_VALUES = 100


def clean(value: object, most: int = MOST_OF_ONE) -> str:
    """The text on one line, without control characters, cut at a word; '' for what is no text."""
    if not isinstance(value, str):
        return ""
    printable = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") else char
        for char in value[: 4 * most]
    )
    text = " ".join(printable.split())
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0] if " " in text[:most] else text[:most]


def words_of(values: Iterable[object]) -> str:
    """The values as one text, each once."""
    texts = dict.fromkeys(text for text in map(clean, values) if text)
    return clean(" ".join(texts), MOST_OF_ALL)


def labels_of(found: Mapping[str, Iterable[Any]]) -> dict[str, tuple[str, ...]]:
    """By name the cleaned values, each once; names without any are left out."""
    labels = {
        name: tuple(dict.fromkeys(text for text in map(clean, values) if text))[:MOST_VALUES]
        for name, values in found.items()
    }
    return {name: values for name, values in labels.items() if values}
