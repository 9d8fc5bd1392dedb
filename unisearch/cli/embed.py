"""unisearch embed: vectors of files, without a library."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli import values
from unisearch.cli.door import door
from unisearch.cli.paths import check_place, given_path, path_text
from unisearch.engine.answer import path_json
from unisearch.errors import UnisearchError, UsageError, display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unisearch.engine.embed import Embedded


def embed(
    ctx: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            parser=given_path,
            metavar="F.npy",
            help="Written: float32 (files, dim), row i is file i.",
        ),
    ],
    files: Annotated[list[Path] | None, typer.Argument(parser=given_path, metavar="FILE")] = None,
    files_from: Annotated[
        str | None,
        typer.Option(
            parser=path_text,
            metavar="LIST",
            help="More files, one per line or NUL between them; - is stdin.",
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The space; else the configured one.",
            autocompletion=values.spaces,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
) -> None:
    """Write the vectors of files to an .npy file.

    Their paths and kinds go to the .json file of the same name. A file that cannot be read is a
    row of NaN, one line on stderr and exit code 1.
    """
    if out.suffix != ".npy":
        raise UsageError(f"--out {display(out)}: must end in .npy")
    paths = [*(files or []), *(read_list(files_from) if files_from else [])]
    if not paths:
        raise UsageError("no files: name some, or use --files-from")

    settings = door(ctx).settings(space=space)
    for place in (out, out.with_suffix(".json")):
        check_place(place, settings.library, force)
    from unisearch.engine.embed import embed_files
    from unisearch.wiring import open_space, read_options

    opened = open_space(settings, settings.space)
    vectors, rows = embed_files(opened, paths, read_options(settings, opened), complain)
    write(out, vectors, {
        "space": opened.id,
        "dim": opened.dim,
        "files": [row_json(path, row) for path, row in zip(paths, rows, strict=True)],
    })  # fmt: skip
    if any(row.error for row in rows):
        raise typer.Exit(1)


def read_list(name: str) -> list[Path]:
    """The paths that a list names: divided by NUL where it holds one, else by newlines."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UnisearchError(f"{display(name)}: {error.strerror}") from None
    lines = content.split(b"\0" if b"\0" in content else b"\n")
    return [Path(os.fsdecode(line)) for line in lines if line]


def write(out: Path, vectors: NDArray[np.float32], listing: dict[str, Any]) -> None:
    """Both files, each whole or not at all. Raises UnisearchError when they cannot be written."""
    import numpy as np

    from unisearch.index.durable import write_atomically

    text = json.dumps(listing, ensure_ascii=False, indent=1) + "\n"
    place = out.absolute()
    write_atomically(place, lambda file: np.save(file, vectors))
    write_atomically(place.with_suffix(".json"), lambda file: file.write(text.encode()))


def row_json(path: Path, row: Embedded) -> dict[str, Any]:
    """One row of the listing: path, kind, and why there is no vector."""
    listed = {**path_json(os.fsencode(path)), "modality": row.modality}
    return listed | ({"error": row.error} if row.error else {})


def complain(row: Embedded) -> None:
    """One line for a file that cannot be read."""
    print(f"unisearch: {row.path}: {row.error}", file=sys.stderr)
