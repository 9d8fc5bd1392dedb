"""What is wrong with a file, in our words: those of libraries name their own insides."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from pathlib import Path

from unisearch.errors import Unreadable
from unisearch.media import formats
from unisearch.media.signature import SOUND, VIDEO, ZIP, Signature, looks_like

#: What stands in the first bytes is enough to tell every format that we know.
HEAD_BYTES = 512

#: The errors of libraries that read XML, and where they tell the place in it.
_OF_XML = ("XMLSyntaxError", "DaeMalformedError")
_PLACE = re.compile(r"line (\d+), column (\d+)")


class Damage(ValueError):
    """Raised by readers: its text says in our words what is wrong with the content, and where."""


def damage(path: Path, wanted: str, error: Exception | str) -> str:
    """The reason for a file that its decoder refused: what it looks like instead, when known."""
    other = foreign(path, wanted)
    if other:
        return f"not a {wanted}: its content looks like {other}"
    words = error if isinstance(error, str) else in_our_words(error)
    return f"damaged or not a {wanted}{f': {words}' if words else ''}"


def in_our_words(error: Exception) -> str | None:
    """What the error of a decoder says of the content, None when it is nothing for strangers."""
    if isinstance(error, Damage):
        return str(error)
    if isinstance(error, UnicodeError):
        return "it holds bytes that are no text"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, (zipfile.BadZipFile, zlib.error)):
        return "its zip archive is damaged"
    if isinstance(error, EOFError):
        return "it ends early"
    if isinstance(error, json.JSONDecodeError):
        return f"its JSON is broken in line {error.lineno}, column {error.colno}"
    if type(error).__name__ in _OF_XML:
        place = _PLACE.search(str(error))
        return "its XML is broken" + (
            " in line {}, column {}".format(*place.groups()) if place else ""
        )
    return None


def broken(path: Path, wanted: str, reason: str) -> Unreadable:
    """The refusal of a file that holds nothing to use: for `reason`, unless it is another kind."""
    other = foreign(path, wanted)
    return Unreadable(path, "corrupt", damage(path, wanted, reason) if other else reason)


def foreign(path: Path, wanted: str) -> str | None:
    """What the first bytes announce, when that is another kind of file than `wanted`."""
    found = announced(path)
    if found is None or found.kind == wanted:
        return None
    suffix = path.suffix.lower()
    packed = found.name == ZIP and suffix in formats.ZIPPED
    filmed = found.kind == VIDEO and suffix in formats.FILMED
    heard = found.kind == SOUND and suffix in formats.HEARD
    return None if packed or filmed or heard else found.name


def announced(path: Path) -> Signature | None:
    """What the first bytes of the file announce, None when nothing known or not readable."""
    try:
        with path.open("rb") as file:
            return looks_like(file.read(HEAD_BYTES))
    except OSError:
        return None
