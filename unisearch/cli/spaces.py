"""unisearch spaces: a library's spaces, listed, added, switched to, turned and dropped."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli import values
from unisearch.cli.change import writer
from unisearch.cli.door import door
from unisearch.cli.library import AsJson, megabytes, open_for_reading
from unisearch.cli.show import console, counted, print_json, table

if TYPE_CHECKING:
    from unisearch.config import Settings

spaces = typer.Typer(
    help="The embedding spaces of the library.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A space; 'spaces list' shows them.", autocompletion=values.spaces
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for the end also where another process does it.")
]
#: What is told of a space of the library that this installation does not have as it is stored.
HERE = {
    "yes": "",
    "other version": "; its weights are not here, but others",
    "no weights": "; its weights are not here",
    "unknown": "; this unisearch does not know it",
}


@spaces.callback()
def group() -> None:
    """The embedding spaces of the library."""


@spaces.command("list")
def list_spaces(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the spaces of the library, and those that are known here.

    Active ones answer, and take in every new file; one that is being built does neither before it
    is complete; one that was left is only kept.
    """
    from unisearch.engine.holdings import holdings

    with open_for_reading(ctx) as rooms:
        found = holdings(rooms)
    if as_json:
        print_json(found)
        return
    out = console()
    shown = table("space", "state", "kinds", "vectors", "size", "background",
                  right=("vectors", "size"))  # fmt: skip
    for one in found["spaces"]:
        shown.add_row(
            one["id"], state(one), ", ".join(one["modalities"]), f"{one['vectors']:,}",
            megabytes(one["bytes"]), grounds(one["backgrounds"]),
        )  # fmt: skip
    out.print(shown)
    known = [
        one["name"] + ("" if one["weights"] else " (no weights)")
        for one in found["known"]
        if not one["held"]
    ]
    if known:
        out.print(f"known here, and not in this library: {', '.join(known)}", soft_wrap=True)


@spaces.command("add")
def add(ctx: typer.Context, name: Name, wait: Wait = False, as_json: AsJson = False) -> None:
    """Embed the library into one more space.

    The files are read again, and nothing else of the library changes. The spaces that are there
    answer meanwhile; when it is complete both do, each what it is best at. Ctrl-C stops at any
    time: 'index', 'watch' and the same command go on from there.
    """
    begin(door(ctx).settings(), name, "add", wait, as_json)


@spaces.command("switch")
def switch(
    ctx: typer.Context,
    name: Name,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the other spaces when it is complete.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Embed the library into a space, which then takes the place of the others.

    Until it is complete, the others answer; then they are left: kept as they are until
    'spaces drop', and quickly taken up again by another switch. For new weights of a space that
    the library is of, name the same space.
    """
    begin(door(ctx).settings(), name, "replace" if drop_old else "switch", wait, as_json)


@spaces.command("turn")
def turn(
    ctx: typer.Context,
    factors: Annotated[
        str,
        typer.Option(
            metavar="FACTORS",
            autocompletion=values.factors,
            help="versatile, at_expertise, or numbers from 0 to 1 as in audio=0.8,text=0.5.",
        ),
    ],
    space: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Which one, where several spaces have factors.",
            autocompletion=values.held_spaces,
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Change how much of its experts is in the vectors of a library.

    For the spaces ib_pp, internvl_ib_pp and internvl_ib_ft_pp, whose libraries keep the parts
    that vectors are mixed of: nothing is embedded again. What is not named stays. docs/spaces.md
    says more.
    """
    from unisearch.cli.progress import Watcher
    from unisearch.factors import factors_of, told

    wanted = factors_of(factors)
    settings = door(ctx).settings()
    with writer(settings) as library, Watcher(settings.device) as watcher:
        count = library.turn(wanted, space, progress=watcher)
    if as_json:
        print_json({"factors": dict(wanted), "vectors": count})
    done = f"{counted(count, 'vector')} turned" if count else "nothing to change"
    print(f"{told(wanted)}: {done}", file=sys.stderr)


@spaces.command("drop")
def drop(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A space of the library, or its id.",
            autocompletion=values.held_spaces,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Drop a space with all its vectors; the only active one is not dropped.

    One that is being built is given up.
    """
    with writer(door(ctx).settings()) as library:
        gone = library.drop_space(name)
    if as_json:
        print_json({"space": name, "vectors": gone})
    print(f"{name}: dropped, with {counted(gone, 'vector')}", file=sys.stderr)


def begin(settings: Settings, name: str, goal: str, wait: bool, as_json: bool) -> None:
    """Register the space and build it, here or by whoever writes to the library."""
    from unisearch.cli.progress import Watcher

    with writer(settings) as library:
        count = library.add_space(name, goal)
        for line in told(settings, name):
            print(f"unisearch: {line}", file=sys.stderr)
        if count:
            print(f"{name}: {counted(count, 'vector')} to embed", file=sys.stderr)
        with Watcher(settings.device) as watcher:
            here = library.build(watcher, wait=wait)
    one = held(settings, name)
    if as_json:
        print_json(one)
    end = f"{one['id']}: {state(one)}"
    if not here and one["state"] == "building":
        end += "; the process that writes to the library goes on with it"
    print(end, file=sys.stderr)


def told(settings: Settings, name: str) -> list[str]:
    """A line for each active space that has the name and other weights than are here now."""
    from unisearch.wiring import open_rooms

    with open_rooms(settings) as rooms, rooms.catalog.view() as view:
        rows = [row for row in view.spaces() if row.name == name]
    new = {row.id for row in rows if row.state == "building"}
    return [
        f"the weights of '{row.id}' are not here any more: until '{min(new)}' is complete nothing"
        " can be asked of it"
        for row in rows
        if row.state == "active" and new
    ]


def held(settings: Settings, name: str) -> dict[str, Any]:
    """What the library holds of the space now: of its newest version."""
    from unisearch.engine.holdings import built
    from unisearch.wiring import open_rooms

    with open_rooms(settings) as rooms, rooms.catalog.view() as view:
        rows = [row for row in view.spaces() if row.name == name]
        row = rows[-1]
        gaps = dict(view.count_gaps(row.id))
        return {"id": row.id, "state": row.state, "built": built(view, row), "lacks": gaps}


def state(one: dict[str, Any]) -> str:
    """'active', 'building 37 %' or 'left', what it lacks, and whether it can be used here."""
    share = f" {one['built']:.0%}".replace("%", " %") if one["state"] == "building" else ""
    lacks = sum(one["lacks"].values())
    lacking = f", lacks {counted(lacks, 'content')}" if lacks else ""
    return f"{one['state']}{share}{lacking}{HERE[one.get('here', 'yes')]}"


def grounds(backgrounds: dict[str, str]) -> str:
    """What scores are compared with: of which kinds synthetic things alone."""
    made = [kind for kind, what in backgrounds.items() if what.startswith("reference")]
    if not made:
        return "of the library" if backgrounds else ""
    return f"synthetic: {', '.join(made)}"
