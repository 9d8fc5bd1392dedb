"""What a question may have been meant to be: said beside its answer, never instead of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from unisearch.engine.terms import MAX_WEIGHT, looks_like_file, split_weight
from unisearch.errors import display

#: A number and a word: '11:cow' was meant to weigh, '16:9' was not.
LIKE_A_WEIGHT = re.compile(r"(\d+(?:[.,]\d+)?|[.,]\d+):[^\W\d_].*", re.DOTALL)
FORCED = ("text:", "file:", "item:")


def hints(arguments: Iterable[str]) -> Iterator[str]:
    """One line for each argument of a valid question that was taken for words and may be more."""
    for argument in dict.fromkeys(arguments):
        _, words = split_weight(argument)
        if words.startswith(FORCED) or looks_like_file(words):
            continue
        if words == argument and LIKE_A_WEIGHT.fullmatch(argument):
            yield (
                f"'{display(argument)}' is taken for words: a weight is at most {MAX_WEIGHT:g}, "
                "with one decimal, as in 2.5:cow"
            )
        kind = kind_here(words)
        if kind == "folder":
            yield (
                f"'{display(words)}' is taken for words; it also names a folder here: "
                "name a file in it to ask with that, or search below it with --under"
            )
        elif kind == "file":
            yield (
                f"'{display(words)}' is taken for words; it also names a file here: "
                f"file:{display(words)} asks with that"
            )


def kind_here(name: str) -> str | None:
    """'folder' or 'file' when something of that name lies in the current folder."""
    if not name:
        return None
    try:
        path = Path(name)
        return "folder" if path.is_dir() else "file" if path.is_file() else None
    except (OSError, ValueError):  # too long for a name
        return None
