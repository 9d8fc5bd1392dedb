"""Texts beside a picture, a sound or a model that say what it is: captions, titles, tags."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from unisearch.media.encoding import decoded
from unisearch.media.files import guarded, read_bytes
from unisearch.media.tags import MOST_OF_ALL, MOST_VALUES, clean

SUFFIXES = (b".txt", b".json")
#: A larger file is no caption; of a text that is, so much is read.
MOST_BYTES = 1 << 20
#: Members of a JSON object whose texts are words, and those whose texts are tags besides.
WORDS = frozenset(
    ("caption", "captions", "description", "title", "text", "alt", "alt_text", "prompt")
)
TAGS = frozenset(("tags", "keywords", "labels"))


class Description(NamedTuple):
    """What a file beside another says of it."""

    words: str = ""
    tags: tuple[str, ...] = ()


def names_beside(path: bytes) -> Iterator[bytes]:
    """Where a text that belongs to the file may lie: a.jpg has a.jpg.txt, a.txt and so on."""
    for base in dict.fromkeys((path, os.path.splitext(path)[0])):  # noqa: PTH122 (bytes)
        for suffix in SUFFIXES:
            yield base + suffix
            yield base + suffix.upper()


def base_of(path: bytes) -> bytes | None:
    """What the names of files that it may belong to begin with; None when it is no such text."""
    at = path.rfind(b".")  # asked for every file of a walk
    return path[:at] if path[at:].lower() in SUFFIXES else None


def read_sidecar(path: Path) -> Description:
    """The words and tags of a text or a JSON file; empty where it has none of the known members.

    JSON: an object, or a list whose texts are captions. Members are known in either case; each may
    be a text or a list of texts, tags also texts divided by commas.
    Raises Unreadable.
    """
    with guarded(path, "text"):
        text = decoded(read_bytes(path, MOST_BYTES))
        if path.suffix.lower() != ".json":
            return Description(clean(text, MOST_OF_ALL))
        found = json.loads(text)
    members = found if isinstance(found, dict) else {"captions": found}
    words = [
        text for name, value in members.items() if name.lower() in WORDS for text in _texts(value)
    ]
    tags = [
        tag
        for name, value in members.items()
        if name.lower() in TAGS
        for text in _texts(value)
        for tag in (text.split(",") if isinstance(value, str) else [text])
    ]
    named = dict.fromkeys(filter(None, map(clean, tags)))
    told = dict.fromkeys(filter(None, (clean(text, MOST_OF_ALL) for text in words)))
    return Description(clean(" ".join(told), MOST_OF_ALL), tuple(named)[:MOST_VALUES])


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
