"""Files named .unisearchignore: what their folder's owner wants left out, as .gitignore says it."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unisearch.errors import display

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

logger = logging.getLogger(__name__)

NAME = b".unisearchignore"
#: Beyond this a file is no list of patterns.
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Ignored:
    """The patterns of one folder, and those of the folders above it.

    base: the folder's path with a slash at its end
    """

    base: bytes
    spec: GitIgnoreSpec
    above: Ignored | None = None

    def leaves_out(self, path: bytes, is_folder: bool) -> bool:
        """Whether the last pattern that fits leaves it out; a deeper folder's word counts more.

        As with .gitignore, what lies in a folder that is left out cannot be taken in again.
        """
        rules: Ignored | None = self
        while rules is not None:
            name = os.fsdecode(path[len(rules.base) :])
            said = rules.spec.check_file(name + "/" * is_folder).include
            if said is not None:
                return said
            rules = rules.above
        return False


def ignored_in(folder: bytes, above: Ignored | None) -> Ignored | None:
    """What the folder's own file says beside those above it; `above` when there is none.

    Raises OSError when it is there and cannot be read: whoever goes
    on without it might take in what somebody wants left out.
    """
    path = os.path.join(folder, NAME)  # noqa: PTH118 (bytes)
    try:
        lines = _lines(path)
    except FileNotFoundError:
        return above
    if not any(line.strip() for line in lines):
        return above
    from pathspec import GitIgnoreSpec  # where it is needed: loading it takes 75 ms

    patterns = list(_patterns(path, lines))
    return Ignored(folder.rstrip(b"/") + b"/", GitIgnoreSpec(patterns), above)


def _lines(path: bytes) -> list[str]:
    status = os.stat(path)  # noqa: PTH116 (bytes)
    if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:  # a pipe would not end
        logger.warning("%s: no list of patterns: passed over", display(path))
        return []
    with open(path, "rb") as file:  # noqa: PTH123 (bytes)
        text = file.read(MOST_BYTES).removeprefix(b"\xef\xbb\xbf")
    return [os.fsdecode(line.removesuffix(b"\r")) for line in text.split(b"\n")]


def _patterns(path: bytes, lines: Iterable[str]) -> Iterable[GitIgnoreSpecPattern]:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    for number, line in enumerate(lines, 1):
        try:
            pattern = GitIgnoreSpecPattern(line)
        except ValueError as error:
            logger.warning("%s: line %d is no pattern: %s", display(path), number, error)
            continue
        if pattern.include is not None:  # an empty line or a comment
            yield pattern
