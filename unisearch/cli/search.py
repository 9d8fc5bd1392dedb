"""unisearch search: a question of words, files and items; answers of every kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli import values
from unisearch.cli.door import door
from unisearch.cli.paths import given_path
from unisearch.cli.show import print_answer, print_json, print_paths
from unisearch.errors import UsageError
from unisearch.records import MODALITIES

if TYPE_CHECKING:
    from unisearch.config import Settings
    from unisearch.engine.answer import Answer
    from unisearch.engine.terms import Term


def search(
    ctx: typer.Context,
    terms: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TERM",
            help="Words, a file, item:ID; 2:TERM weighs it; text: and file: force the kind.",
        ),
    ] = None,
    minus: Annotated[
        list[str] | None,
        typer.Option("--not", metavar="TERM", help="What hits should be far from; repeatable."),
    ] = None,
    into: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND,...",
            help=f"Kinds to answer with: {', '.join(MODALITIES)}; else all.",
            autocompletion=values.kinds,
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k", min=1, metavar="N", help="How many hits, from 1 on; else `search.k`, 10."
        ),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="-k hits of each kind.")] = False,
    under: Annotated[
        Path | None,
        typer.Option(parser=given_path, metavar="DIR", help="Only files below this folder."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="FILTER",
            help="Only files that pass, such as 'duration<5 and not tag:loud'; docs/filters.md.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(metavar="Z", help="Least score, in standard deviations above chance."),
    ] = None,
    names: Annotated[
        bool,
        typer.Option("--names/--no-names", help="Also look words up in names, tags and passages."),
    ] = True,
    factors: Annotated[
        str | None,
        typer.Option(
            metavar="FACTORS",
            autocompletion=values.factors,
            help="How much of its experts counts this once, in a space that has some:"
            " versatile, at_expertise, or as in audio=0.8,text=0.5; docs/spaces.md.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print only paths, byte for byte, one per line.")
    ] = False,
    null: Annotated[
        bool, typer.Option("-0", help="With --paths: a NUL behind each path, not a newline.")
    ] = False,
    server: Annotated[
        bool,
        typer.Option("--server/--no-server", help="Ask a running 'serve' of this library, if any."),
    ] = True,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show pictures, in a terminal that can.")
    ] = False,
    open_rank: Annotated[
        int | None,
        typer.Option("--open", min=1, metavar="N", help="Open hit N with the system's program."),
    ] = None,
) -> None:
    """Find what fits words, files, or both.

    Consecutive words are one sentence; an argument with a space, a file or item:ID is a term of
    its own. Hits that chance alone explains are marked weak.
    """
    if null and not paths:
        raise UsageError("-0 needs --paths")
    if preview and (as_json or paths):
        raise UsageError("--preview goes with neither --json nor --paths")
    if as_json and paths:
        raise UsageError("choose one of --json and --paths")
    if not terms:
        raise UsageError("nothing to search for: give at least one term besides --not")

    from unisearch.catalog.where import parse
    from unisearch.engine.checked import check_modalities, check_score
    from unisearch.engine.terms import negative, parse_terms
    from unisearch.factors import factors_of

    wanted = check_modalities(None if into is None else ",".join(into))
    check_score(min_score)
    by = None if factors is None else dict(factors_of(factors))
    if where is not None:
        parse(where)  # a mistake is told before anything large is loaded
    asked = parse_terms(terms)
    unwanted: list[Term] = [term for argument in minus or [] for term in parse_terms([argument])]

    from unisearch.cli.hints import hints

    settings = door(ctx).settings()
    asked += [negative(term) for term in unwanted]
    frame = {
        "into": wanted, "k": k, "each": each, "under": under, "where": where,
        "min_score": min_score, "names": names, "factors": by,
    }  # fmt: skip
    answer = (server_answer(settings, asked, frame) if server else None) or own_answer(
        settings, asked, frame
    )
    for hint in [*hints([*terms, *(minus or [])]), *approximate(answer)]:
        print("unisearch: hint:", hint, file=sys.stderr)
    if as_json:
        print_json(answer.to_json())
    elif paths:
        print_paths((hit.path for hit in answer.hits), b"\0" if null else b"\n")
    else:
        print_answer(answer)
    if preview:
        from unisearch.cli.pictures import show_pictures

        show_pictures(settings.library, answer.hits)
    if open_rank is not None:
        from unisearch.cli.opening import open_hit

        open_hit(answer.hits, open_rank)


def approximate(answer: Answer) -> list[str]:
    """A line for kinds of which hits may be missing, by an index of other factors or lost parts."""
    if not answer.approximate:
        return []
    kinds = ", ".join(answer.approximate)
    return [
        f"{kinds}: some may be missing, as an index of the library's own factors looked for them,"
        " which 'unisearch spaces turn' changes, or parts of their vectors are away"
    ]


def server_answer(
    settings: Settings, terms: Sequence[Term], frame: Mapping[str, Any]
) -> Answer | None:
    """The answer of a server of this library that runs with these settings, None without one."""
    from unisearch.remote import local

    under = frame["under"]
    whole = None if under is None else os.fspath(under.absolute())
    return local.ask(settings, terms, {**frame, "under": whole})


def own_answer(settings: Settings, terms: Sequence[Term], frame: Mapping[str, Any]) -> Answer:
    """The answer found in this process."""
    from unisearch.engine.engine import Engine
    from unisearch.wiring import open_rooms

    with Engine(open_rooms(settings)) as engine:
        return engine.ask(terms, **frame)
