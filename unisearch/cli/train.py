"""unisearch train: make a space."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from unisearch.cli.door import door
from unisearch.cli.paths import given_path
from unisearch.errors import display

train = typer.Typer(
    help="Train a space.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@train.callback()
def group() -> None:
    """Train a space."""


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


@train.command()
def starter(
    ctx: typer.Context,
    corpus: Annotated[
        Path,
        typer.Option(parser=given_path, metavar="DIR", help="The corpus; see docs/starter.md."),
    ],
    out: Annotated[
        Path, typer.Option(parser=given_path, metavar="DIR", help="Where the weights go.")
    ] = Path("starter"),
    minutes: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="M",
            help="Of training proper; making the samples comes before and is not counted.",
        ),
    ] = 60.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is random.")] = 0,
    device: Annotated[
        Literal["auto", "cpu", "cuda"] | None,
        typer.Option(metavar="NAME", help="auto, cpu or cuda; else as configured."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            parser=given_path,
            metavar="DIR",
            help="For samples and checkpoints; else .NAME-training beside --out NAME.",
        ),
    ] = None,
) -> None:
    """Train the starter space.

    On the sample world and a corpus. Samples are made first, once, and kept in the cache: some
    2 GB and half an hour. A stopped run goes on from there. To search with the result, put its
    folder as 'starter' into the folder `models` of the settings.
    """
    from unisearch.threads import rest_idle_threads

    settings = door(ctx).settings(device=device)
    rest_idle_threads()
    from unisearch.training.starter import train_starter

    made = train_starter(
        corpus, out, minutes=minutes, seed=seed, device=settings.device, cache=cache, progress=say
    )
    typer.echo(display(made))
