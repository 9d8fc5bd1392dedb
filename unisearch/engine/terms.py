"""What a question is made of: terms, and how words on a command line become them.

dog barking            consecutive words: one sentence
"dog barking" cat.png  a sentence and a file
2:cat.png 0.5:night    weights: at most 10, one decimal
item:17                an item of the library
text:cat.png file:cat  forced
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unisearch.errors import UnisearchError, UnknownName, UsageError, display
from unisearch.media.read import modality_of
from unisearch.records import MODALITIES, Modality, Sample

MAX_WEIGHT = 10.0
WEIGHT = re.compile(r"(\d{1,2}(?:\.\d)?):(.+)", re.DOTALL)


@dataclass(frozen=True)
class Sentence:
    """Words to search for."""

    text: str


@dataclass(frozen=True)
class ItemId:
    """An item of the library, by its id."""

    id: int


@dataclass(frozen=True)
class Term:
    """One part of a question and how much it counts; a negative weight repels."""

    value: Sentence | Path | ItemId | Sample | bytes
    weight: float = 1.0

    @property
    def shown(self) -> str:
        """The term as text."""
        match self.value:
            case Sentence(text):
                return text
            case ItemId(id):
                return f"item:{id}"
            case Path():
                return display(self.value)
            case bytes():
                return f"{len(self.value)} bytes"
            case _:
                return f"{self.value.modality} sample"


def parse_terms(arguments: Sequence[str]) -> list[Term]:
    """The terms that words on a command line stand for, in their order.

    Raises UsageError for a malformed term and UnisearchError for a file that is not there.
    """
    terms: list[Term] = []
    words: list[str] = []
    for argument in arguments:
        if is_plain_word(argument):
            words.append(argument)
            continue
        terms += sentence(words)
        words = []
        terms.append(parse_term(argument))
    return terms + sentence(words)


def sentence(words: Sequence[str]) -> list[Term]:
    """One term for consecutive words, none for none."""
    return [Term(Sentence(" ".join(words)))] if words else []


def is_plain_word(argument: str) -> bool:
    """Whether the argument joins its neighbours to a sentence instead of standing alone."""
    marked = re.match(r"(item|text|file):", argument) or split_weight(argument)[1] != argument
    return not (marked or " " in argument or looks_like_file(argument))


def parse_term(argument: str) -> Term:
    """The term of one argument that stands alone."""
    weight, rest = split_weight(argument)
    prefix, colon, forced = rest.partition(":")
    if colon and prefix == "text":
        return Term(Sentence(not_empty(forced, argument)), weight)
    if colon and prefix == "file":
        return Term(existing(not_empty(forced, argument)), weight)
    if colon and prefix == "item":
        if not forced.isdecimal():
            raise UsageError(f"'{argument}': item: takes a number, as `search` shows it")
        return Term(ItemId(int(forced)), weight)
    if looks_like_file(rest):
        return Term(existing(rest), weight)
    return Term(Sentence(not_empty(rest, argument)), weight)


def split_weight(argument: str) -> tuple[float, str]:
    """(weight, the rest); a number above 10 before a colon ('16:9') is no weight."""
    found = WEIGHT.fullmatch(argument)
    if not found or float(found[1]) > MAX_WEIGHT:
        return 1.0, argument
    if float(found[1]) == 0:
        raise UsageError(f"'{argument}': a weight is above 0; use --not for what should be absent")
    return float(found[1]), found[2]


def looks_like_file(argument: str) -> bool:
    """Whether the argument means a file, there or not: a path separator or a known suffix.

    Words that merely hold a slash ('and/or') and name nothing on disk are still taken for a
    path: the error tells how to force text.
    """
    if "\0" in argument:
        return False
    if " " in argument and not Path(argument).exists():
        return Path(argument).is_absolute() or modality_of(Path(argument)) is not None
    return os.sep in argument or modality_of(Path(argument)) is not None


def existing(argument: str) -> Path:
    """The file of that name. Raises UnisearchError in one line when there is none."""
    path = Path(argument)
    if path.is_file():
        return path
    what = "is a folder, not a file" if path.is_dir() else "no such file"
    raise UnisearchError(f"{display(path)}: {what}; write text:… if these are words")


def not_empty(text: str, argument: str) -> str:
    """The text, which must hold something."""
    if not text.strip():
        raise UsageError(f"'{argument}': an empty term")
    return text


def term_of(value: Any) -> Term:
    """The term that a Python value stands for.

    str: a sentence; Path: a file; int: an item id; bytes: the content of a file; a PIL image;
    a sample of records.py; (array, modality) for pixels uint8 (h, w, 3) or points (n, 3);
    (array, 'audio', rate_hz) for sound. Any of these as Term carries a weight.
    Raises UsageError for anything else.
    """
    match value:
        case Term():
            return value
        case str():
            return Term(Sentence(not_empty(value, value)))
        case bool():
            raise UsageError(f"{value!r} is no term")
        case int():
            return Term(ItemId(value))
        case Path():
            return Term(existing(os.fspath(value)))
        case bytes() | bytearray():
            return Term(bytes(value))
    return Term(sample_of(value))


def sample_of(value: Any) -> Sample:
    """The sample that a PIL image, an array with its modality or a sample stands for."""
    import numpy as np

    from unisearch.records import AudioSample, ImageSample, PointSample

    if isinstance(value, Sample):
        return value
    if hasattr(value, "convert"):  # a PIL image
        return ImageSample(np.asarray(value.convert("RGB")))
    match value:
        case (array, "image"):
            return ImageSample(np.ascontiguousarray(array, dtype=np.uint8))
        case (array, "3d"):
            points = np.asarray(array, dtype=np.float32)
            return PointSample(
                points[:, :3], colors=points[:, 3:6] if points.shape[1] > 3 else None
            )
        case (array, "audio", int(rate)):
            return AudioSample(np.asarray(array, dtype=np.float32), rate)
    raise UsageError(
        f"{type(value).__name__} is no term: str, Path, item id, bytes, PIL image, sample, "
        "(array, 'image' | '3d') or (array, 'audio', rate_hz)"
    )


def negative(term: Term) -> Term:
    """The same term, repelling."""
    return replace(term, weight=-abs(term.weight))


def check_modalities(names: Sequence[str] | None) -> tuple[Modality, ...]:
    """The modalities of those names, in the order of MODALITIES; None means all.

    Raises UnknownName, naming the nearest one.
    """
    if not names:
        return MODALITIES
    for name in names:
        if name not in MODALITIES:
            raise UnknownName("modality", name, MODALITIES)
    return tuple(modality for modality in MODALITIES if modality in names)
