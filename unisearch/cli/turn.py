"""unisearch turn: other factors for the vectors of a library, without embedding it again."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from unisearch.cli.change import writer
from unisearch.cli.door import door
from unisearch.cli.show import counted
from unisearch.errors import UsageError


def turn(
    ctx: typer.Context,
    factors: Annotated[
        str | None, typer.Option(metavar="NAME", help="versatile or at_expertise.")
    ] = None,
    text_factor: Annotated[
        float | None,
        typer.Option(metavar="F", help="Share of the expert in texts, 0 to 1; else as it is."),
    ] = None,
    audio_factor: Annotated[
        float | None,
        typer.Option(metavar="F", help="Share of the expert in sounds, 0 to 1; else as it is."),
    ] = None,
    space: Annotated[
        str, typer.Option(metavar="NAME", help="Which one, where several spaces have factors.")
    ] = "",
) -> None:
    """Change how much of its experts is in the vectors of a library.

    For the spaces ib_pp, internvl_ib_pp and internvl_ib_ft_pp, whose libraries keep the parts
    that vectors are mixed of: nothing is embedded again. docs/spaces.md says more.
    """
    from unisearch.cli.progress import Watcher
    from unisearch.factors import told

    single = {"text": text_factor, "audio": audio_factor}
    chosen = {name: factor for name, factor in single.items() if factor is not None}
    if bool(factors) == bool(chosen):
        raise UsageError("say either --factors NAME, or --text-factor and --audio-factor")
    settings = door(ctx).settings()
    with writer(settings) as library, Watcher(settings.device) as watcher:
        count = library.turn(factors or chosen, space, progress=watcher)
    asked = factors or told(chosen)  # type: ignore[arg-type]
    done = f"{counted(count, 'vector')} turned" if count else "nothing to change"
    print(f"{asked}: {done}", file=sys.stderr)
