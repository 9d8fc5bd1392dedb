"""Paths on the command line: none of them is empty, and where files may be written."""

from __future__ import annotations

import os
from pathlib import Path

from unisearch.catalog.folders import real, relative
from unisearch.errors import UnisearchError, UsageError, display


def path_text(argument: str | Path) -> str:
    """The path as it was typed. Raises UsageError for an empty one.

    Everything below takes that for the current folder, which nobody meant.
    """
    text = os.fspath(argument)
    if not text:
        raise UsageError("an empty path")
    return text


def given_path(argument: str | Path) -> Path:
    """The path that an argument names, there or not, readable or not: the verb says what it needs.

    Raises UsageError for an empty one.
    """
    return Path(path_text(argument))


def check_place(out: Path, library: Path, force: bool) -> None:
    """Before any work: the file can be written there, and none is lost.

    library: its folder, which holds no file of others
    Raises UnisearchError.
    """
    folder = out.absolute().parent
    if not folder.is_dir():
        raise UnisearchError(f"{display(folder)}: no such folder")
    refuse_library(out, library)
    if out.is_dir() or not os.access(folder, os.W_OK):
        raise UnisearchError(f"{display(out)}: cannot be written there")
    if out.exists() and not force:
        raise UnisearchError(f"{display(out)}: is there already; --force writes over it")


def refuse_library(out: Path, library: Path) -> None:
    """Raise UnisearchError when that is the library or lies in it, by whatever links.

    A link there is replaced, and a link to there may be followed.
    """
    own = real(library)
    link = Path(os.fsdecode(real(out.absolute().parent)), out.name)
    for place in (real(out), bytes(link)):
        if relative(own, place) is not None:
            raise UnisearchError(
                f"{display(out)}: belongs to the library, which holds no other files;"
                " write it somewhere else"
            )
