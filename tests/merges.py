"""CLIP's list of merges for tests: an excerpt at its right places, or the whole list."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from unisearch.spaces.towers.bpe import MERGES

#: {place: merge} of those merges that the strings in tokens.json beside it need (CLIP, MIT).
EXCERPT = Path(__file__).parent / "data" / "parity" / "msclip" / "merges.json"
COUNT = 48_894  # merges of the published vocabulary


def put_few(folder: Path) -> int:
    """A list of two merges for tiny networks; returns how many tokens it makes."""
    _put(folder, ["r e", "re d</w>"])
    return 2 * 256 + 2 + 2


def put_excerpt(folder: Path) -> None:
    """A list as long as the published one, so that tokens have their published numbers.

    Between the merges of the excerpt stand some of capital letters, which no cleaned text has.
    """
    known = json.loads(EXCERPT.read_text("utf-8"))
    others = _of_capitals()
    _put(folder, [known.get(str(place)) or next(others) for place in range(COUNT)])


def put_whole(folder: Path, *places: Path) -> bool:
    """The published list, from a folder that has its file, or from open_clip where it is installed.

    Returns whether there is one.
    """
    for place in places:
        if (place / MERGES).is_file():
            (folder / MERGES).write_bytes((place / MERGES).read_bytes())
            return True
    package = importlib.util.find_spec("open_clip")
    if package is None or package.origin is None:
        return False
    with gzip.open(Path(package.origin).parent / "bpe_simple_vocab_16e6.txt.gz", "rt") as file:
        _put(folder, file.read().splitlines()[1 : 1 + COUNT])
    return True


def _put(folder: Path, merges: list[str]) -> None:
    (folder / MERGES).write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")


def _of_capitals() -> Iterator[str]:
    capitals = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    for length in (2, 3, 4):
        for letters in product(capitals, repeat=length):
            yield f"{''.join(letters[:-1])} {letters[-1]}"
