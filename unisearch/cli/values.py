"""What a shell offers for the value of an option or an argument, while it is being typed.

Each is asked within a key press: none opens a library or imports what a verb works with.
"""

from __future__ import annotations

import re

import typer

from unisearch.records import MODALITIES

#: An id of a space: its name, the digest of its weights if it has some, its version, its factors.
_ID = re.compile(r"(.+?)(?:-[0-9a-f]{12})?-\d+(?:@.*)?")


def kinds(incomplete: str) -> list[str]:
    """Kinds of files; behind a comma those that were not named before it."""
    before, comma, _ = incomplete.rpartition(",")
    named = before.split(",")
    return [before + comma + kind for kind in MODALITIES if kind not in named]


def spaces() -> list[str]:
    """The spaces that are known here."""
    from unisearch.spaces.table import SPACES

    return list(SPACES)


def held_spaces(ctx: typer.Context) -> list[str]:
    """The spaces that the library has vectors of, by the names of their folders."""
    from unisearch.cli.door import Door

    given = ctx.find_root().params
    library = Door(given.get("library"), given.get("config")).settings().library
    # Not wiring.VECTORS_FOLDER: that imports a second's worth.
    found = (_ID.fullmatch(folder.name) for folder in (library / "vectors").glob("*/"))
    return sorted({name[1] for name in found if name})


def models() -> list[str]:
    """The models that can be had, and the spaces that stand on some."""
    from unisearch.models.known import KNOWN
    from unisearch.spaces.table import SPACES, models_of

    return [*KNOWN, *(name for name in SPACES if models_of(name) and name not in KNOWN)]


def own_models() -> list[str]:
    """The models by their own names."""
    from unisearch.models.known import KNOWN

    return list(KNOWN)


def factors() -> list[str]:
    """Named factors."""
    from unisearch.factors import PRESETS

    return list(PRESETS)
