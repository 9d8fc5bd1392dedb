"""unisearch export: the vectors of the library for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from unisearch.cli import values
from unisearch.cli.door import door
from unisearch.cli.paths import check_place, given_path
from unisearch.cli.show import counted
from unisearch.errors import UsageError, display


def export(
    ctx: typer.Context,
    out: Annotated[
        Path, typer.Argument(parser=given_path, metavar="OUT", help="The file to be written.")
    ],
    kind: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="npz or parquet; else as OUT ends."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS",
            help="Only vectors of these, e.g. image,audio.",
            autocompletion=values.kinds,
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of that space; else of the configured one.",
            autocompletion=values.held_spaces,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Write vectors, keys and paths of the library to one file.

    One row for each picture, model, window of sound, shot or passage that can be found, with its
    path, kind, start and end. docs/repair.md lists the columns. Parquet needs the extra 'parquet'.
    """
    from unisearch.engine.checked import check_modalities
    from unisearch.engine.export import FORMATS
    from unisearch.engine.export import export as write
    from unisearch.wiring import open_rooms

    kind = kind or out.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise UsageError(f"{display(out)}: --format is one of {', '.join(FORMATS)}")
    modalities = check_modalities(into)
    settings = door(ctx).settings(space=space)
    check_place(out, settings.library, force)
    with open_rooms(settings) as rooms:
        count = write(rooms, out, kind, modalities)
    print(f"{display(out)}: {counted(count, 'vector')}", file=sys.stderr)
