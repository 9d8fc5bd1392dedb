"""unisearch models: the networks that published spaces stand on, fetched, checked and removed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unisearch.cli import values
from unisearch.cli.door import door
from unisearch.cli.library import AsJson
from unisearch.cli.paths import given_path
from unisearch.cli.show import console, print_json, short, table
from unisearch.errors import (
    BadSetting,
    MissingExtra,
    UnisearchError,
    UnknownName,
    UsageError,
    WeightsError,
    display,
)

if TYPE_CHECKING:
    from unisearch.config import Settings

models = typer.Typer(
    help="Weights of published models.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

Accept = Annotated[
    bool, typer.Option("--accept-licence", help="Accept the licences that ask for it.")
]
Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="A model, or a space: all of its models.",
        autocompletion=values.models,
    ),
]
SomeNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="A model, or a space: all of its models; else all.",
        autocompletion=values.models,
    ),
]
OneModel = Annotated[
    str, typer.Argument(metavar="NAME", help="The model.", autocompletion=values.own_models)
]
Models = Annotated[
    list[str], typer.Argument(metavar="NAME", help="A model.", autocompletion=values.own_models)
]


@models.callback()
def group() -> None:
    """Weights of published models.

    Only `models pull` connects to the internet; nothing else here or elsewhere does.
    """


@models.command("list")
def list_models(ctx: typer.Context, names: SomeNames = None, as_json: AsJson = False) -> None:
    """Show the models that can be had, and which spaces are complete.

    With names: everything that is known of these, with licence, source and published figures.
    """
    from unisearch.cli import models_show as shown
    from unisearch.models.known import KNOWN

    settings = door(ctx).settings()
    free = shown.Free.now()
    rows = [shown.model_row(settings, name, free) for name in resolve(names) or KNOWN]
    spaces = [shown.space_row(settings, name, free) for name in shown.spaces_of(resolve(names))]
    if as_json:
        print_json({"models": rows, "spaces": spaces, "free": vars(free)})
    elif names:
        shown.print_details(rows)
    else:
        shown.print_lists(rows, spaces, free)


@models.command()
def pull(ctx: typer.Context, names: Names, accept_licence: Accept = False) -> None:
    """Fetch models from their publishers and convert them.

    A stopped pull goes on where it was. What comes is compared with the sha256 that the hub gives,
    where it does, and converted to safetensors by a process that reads nothing but tensors.
    The hub is the setting `models_hub`, else $HF_ENDPOINT.
    """
    from unisearch.cli.transfer import Transfer
    from unisearch.models.install import check_licence
    from unisearch.models.pull import pull as pull_model

    settings = door(ctx).settings()
    asked = resolve(names)
    wanted = [name for name in asked if place_of(settings, name) is None]
    for name in wanted:  # before the first byte of the first
        check_licence(name, accept_licence)
    with Transfer() as transfer:
        for name in wanted:
            pull_model(
                name, settings.models, hub=hub_of(settings), accepted=accept_licence,
                say=transfer.say, progress=transfer, check=opened(name),
            )  # fmt: skip
    tell_places(settings, asked)
    finish_spaces(settings, asked)


@models.command("import")
def import_model(
    ctx: typer.Context,
    name: OneModel,
    files: Annotated[
        list[Path],
        typer.Argument(
            parser=given_path,
            metavar="FILE",
            help="Its official files, or folders that hold them.",
        ),
    ],
    accept_licence: Accept = False,
) -> None:
    """Install a model from files that are here, without any connection.

    Files are known by their official names, which `models list NAME` tells; the only file of
    weights may have another name. Your files are read and stay as they are.
    """
    from unisearch.models.bring import bring

    settings = door(ctx).settings()
    check_model(name)
    bring(name, settings.models, files, accepted=accept_licence, say=say, check=opened(name))
    tell_places(settings, [name])
    finish_spaces(settings, [name])


@models.command()
def verify(ctx: typer.Context, names: SomeNames = None, as_json: AsJson = False) -> None:
    """Compare installed weights with the digests of their manifests.

    Of a space the background is made, too, when it is not there. Exit code 1 when something is
    damaged or lacks.
    """
    settings = door(ctx).settings()
    results = [checked(settings, name) for name in resolve(names) or installed(settings)]
    if as_json:
        print_json({"models": results})
    else:
        shown = table("model", "state", "folder")
        for row in results:
            shown.add_row(row["model"], row["state"], row["path"] or "")
        console().print(shown if results else "no models are installed")
    if any(row["state"] != "ok" for row in results):
        raise typer.Exit(1)
    make_backgrounds(settings, [name for name in names or () if is_space(name)])


@models.command()
def remove(ctx: typer.Context, names: Models) -> None:
    """Delete the weights of models, and what a stopped pull has left of them.

    Libraries stay as they are, but cannot be searched with a space whose weights are gone.
    """
    from unisearch.cli.transfer import size_text
    from unisearch.models.install import remove as remove_model

    settings = door(ctx).settings()
    for name in names:
        check_model(name)
    for name in names:
        size = remove_model(name, settings.models, say)
        say(f"{name}: removed, {size_text(size)} less")


@models.command()
def path(ctx: typer.Context, name: OneModel) -> None:
    """Print the folder of an installed model, after its weights were checked."""
    from unisearch.models.find import find_weights

    settings = door(ctx).settings()
    check_model(name)
    found = find_weights(name, [settings.models])
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(found) + b"\n")


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def check_model(name: str) -> None:
    """Raise UnknownName for what is no model; a space is not one."""
    from unisearch.models.known import KNOWN

    if name in KNOWN:
        return
    if is_space(name):
        raise UnisearchError(f"'{name}' is a space; its models are: {', '.join(resolve([name]))}")
    raise UnknownName("model", name, KNOWN)


def opened(name: str) -> Callable[[Path], None]:
    """What opens the space that stands on this model alone, where there is one, from a folder.

    So weights that do not fit their network never take the place of those that do.
    """

    def check(folder: Path) -> None:
        from unisearch.spaces.table import SPACES, load_space

        for space, entry in SPACES.items():
            if entry.models == (name,):
                with suppress(MissingExtra):  # told when the space is wanted
                    load_space(space, {name: folder})

    return check


def is_space(name: str) -> bool:
    """Whether that is a space; some heads have the name of the space that they make."""
    from unisearch.spaces.table import SPACES

    return name in SPACES


def resolve(names: Iterable[str] | None) -> list[str]:
    """The models of these names, each once; what names a space means all of its models.

    Raises UnknownName, and UsageError for a space that needs no weights.
    """
    from unisearch.models.known import KNOWN
    from unisearch.spaces.table import SPACES, models_of

    found: dict[str, None] = {}
    for name in names or ():
        if name in SPACES:
            if not models_of(name):
                raise UsageError(f"the space '{name}' has no weights; there is nothing to do")
            found |= dict.fromkeys(models_of(name))
        elif name in KNOWN:
            found[name] = None
        else:
            raise UnknownName("model", name, {**KNOWN, **SPACES})
    return list(found)


def place_of(settings: Settings, name: str) -> Path | None:
    """The folder of an installed model, not checked; None when there is none."""
    from unisearch.models.find import find_folder

    return find_folder(name, [settings.models])


def installed(settings: Settings) -> list[str]:
    """The models that are here."""
    from unisearch.models.known import KNOWN

    return [name for name in KNOWN if place_of(settings, name)]


def checked(settings: Settings, name: str) -> dict[str, str | None]:
    """What `verify` says of a model."""
    from unisearch.models.find import verify as verify_folder

    place = place_of(settings, name)
    state = "ok" if place else f"not installed: unisearch models pull {name}"
    if place:
        try:
            verify_folder(place)
        except WeightsError as error:
            state = str(error)
    return {"model": name, "path": display(place) if place else None, "state": state}


def hub_of(settings: Settings) -> str:
    """Where models are pulled from: the setting, else what other programs are told."""
    if "models_hub" in settings.model_fields_set:
        return settings.models_hub
    return os.environ.get("HF_ENDPOINT") or settings.models_hub


def tell_places(settings: Settings, names: Iterable[str]) -> None:
    """Where the models are now."""
    for name in names:
        place = place_of(settings, name)
        if place is not None:
            say(f"{name}: {short(place)}")


def finish_spaces(settings: Settings, models: Iterable[str]) -> None:
    """Backgrounds of the spaces that these models have made complete.

    One that the settings do not allow is told: its models are here all the same.
    """
    for name in complete_spaces(settings, models):
        try:
            make_backgrounds(settings, [name])
        except (BadSetting, MissingExtra) as error:
            say(f"space {name}: {error}; then: unisearch models verify {name}")


def complete_spaces(settings: Settings, names: Iterable[str]) -> list[str]:
    """The spaces that stand on one of these models and lack none."""
    from unisearch.spaces.table import SPACES

    return [
        space
        for space, entry in SPACES.items()
        if set(entry.models) & set(names) and all(place_of(settings, one) for one in entry.models)
    ]


def make_backgrounds(settings: Settings, spaces: Iterable[str]) -> None:
    """What the scores of these spaces start from, made once of sample media where it lacks.

    So every space is also opened once. Raises WeightsError when weights do not fit their network,
    and BadSetting for a space that the settings do not allow.
    """
    from unisearch.cli.transfer import Line
    from unisearch.wiring import open_space

    for name in spaces:
        space = open_space(settings, name)
        file = space.reference_file
        if file is None or file.is_file():
            continue
        from unisearch.training.reference import make_reference

        say(f"space {name}: making the background of its scores, once; Ctrl-C leaves it for later")
        with Line() as line:
            make_reference(space, file.parent, line)
        say(f"space {name}: complete")
