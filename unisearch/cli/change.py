"""unisearch roots, forget, tag: small changes to the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.catalog.folders import real
from unisearch.cli.door import door
from unisearch.cli.library import AsJson, open_for_reading
from unisearch.cli.paths import given_path, path_text
from unisearch.cli.show import console, counted, print_json, short, table
from unisearch.engine.answer import path_json
from unisearch.engine.terms import MAX_ID
from unisearch.errors import UnisearchError, UsageError, display
from unisearch.registry import Entry, load

if TYPE_CHECKING:
    from unisearch.config import Settings
    from unisearch.wiring import Rooms

#: The only writer; named as a string, because a door that only reads does not need it.
WRITER = {"indexer": Entry("indexer:Indexer")}

roots = typer.Typer(
    help="The indexed folders.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@contextmanager
def writer(settings: Settings) -> Iterator[Any]:
    """The library's indexer; it takes the lock of the library with each change."""
    with closing(load("writer", WRITER, "indexer")(settings=settings)) as indexer:
        yield indexer


@roots.callback()
def group() -> None:
    """The indexed folders."""


@roots.command("list")
def list_roots(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the indexed folders."""
    from unisearch.engine import inspect

    with open_for_reading(ctx) as rooms:
        found = inspect.roots(rooms)
    if as_json:
        print_json({
            "roots": [
                {**path_json(root.path), "items": root.items, "whole": root.whole}
                for root in found
            ]
        })  # fmt: skip
        return
    folders = table("folder", "items", "", right=("items",))
    for root in found:
        folders.add_row(display(root.path), f"{root.items:,}", "" if root.whole else "single files")
    console().print(folders)


@roots.command("remove")
def remove_root(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(parser=given_path, metavar="PATH", help="An indexed folder or file.")
    ],
) -> None:
    """Take a folder out of the library.

    Its items go too; the files stay where they are.
    """
    with writer(door(ctx).settings()) as library:
        gone = library.remove_root(path)
    print(f"{counted(gone, 'item')} taken out; the files are untouched", file=sys.stderr)


def relocate(
    ctx: typer.Context,
    old: Annotated[
        Path, typer.Argument(parser=given_path, metavar="OLD", help="The folder as it was indexed.")
    ],
    new: Annotated[
        Path, typer.Argument(parser=given_path, metavar="NEW", help="Where it lies now.")
    ],
) -> None:
    """Tell the library that an indexed folder lies elsewhere now.

    Nothing is read or embedded again.
    """
    with writer(door(ctx).settings()) as library:
        moved = library.relocate(old, new)
    print(f"{short(new.absolute())}: {counted(moved, 'item')}", file=sys.stderr)


def forget(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(parser=given_path, metavar="PATH", help="A file or a folder.")
    ],
    now: Annotated[
        bool,
        typer.Option("--now", help="Leave no trace: write the library anew without them."),
    ] = False,
) -> None:
    """Take files out of the library.

    The files themselves stay. What still lies in an indexed folder comes back with its next
    `index`: add it to `index.ignore` in the settings to keep it out.

    Vectors, words and paths of what is forgotten are not shown any more and go with a later
    clean-up; with --now they are gone at once, those that were forgotten before too. That takes
    time in proportion to the library.
    """
    with writer(door(ctx).settings()) as library:
        gone = library.forget(path, now=now)
    if not gone and not now:
        raise UnisearchError(f"{display(path)}: the library knows nothing there")
    if gone:
        done = f"{counted(gone, 'file')} forgotten" + "; no trace is left in the library" * now
    else:  # forgotten before, or a slip of the pen: never called erased
        done = "the library knows nothing there; of what was forgotten before no trace is left"
    print(f"{short(path.absolute())}: {done}", file=sys.stderr)


def tag(
    ctx: typer.Context,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM... +word -word",
            help="Files or item:ID; +word adds a tag, -word takes one away.",
        ),
    ],
) -> None:
    """Add tags to items, or take them away.

    The words of a search find tags too; case makes no difference. Write ./+name for a
    file whose name starts with + or -.
    """
    items, add, remove = split_tags(arguments)
    if not items or not (add or remove):
        raise UsageError("tag takes items and words: unisearch tag cat.png item:3 +pet -draft")
    with open_for_reading(ctx) as rooms:
        ids = item_ids(rooms, items)
        missing = missing_tags(rooms, ids, remove)
    with writer(rooms.settings) as library:
        changed = library.tag(ids, add, remove)
    for word in missing:
        print(f"unisearch: -{word}: no item named here has that tag", file=sys.stderr)
    print(f"{counted(changed, 'item')} changed", file=sys.stderr)


# '-word' must reach the verb instead of being taken for an option.
tag.typer_options = {"context_settings": {"ignore_unknown_options": True}}  # type: ignore[attr-defined]


def split_tags(arguments: Sequence[str]) -> tuple[list[int | Path], list[str], list[str]]:
    """(items, words to add, words to take away) of a command line.

    Raises UsageError for an empty word and for something that looks like an option.
    """
    items: list[int | Path] = []
    add: list[str] = []
    remove: list[str] = []
    for argument in arguments:
        if argument.startswith("--") or argument in ("+", "-"):
            raise UsageError(f"'{argument}': neither an item nor a tag like +word or -word")
        if argument[:1] in ("+", "-"):
            if not argument.isprintable():
                raise UsageError(f"{display(argument)}: a tag is made of printable letters")
            (add if argument[0] == "+" else remove).append(argument[1:])
        else:
            items.append(item_of(argument))
    return items, add, remove


def item_of(argument: str) -> int | Path:
    """An item id of 'item:7' or '7', unless a file of that name is there; else the path."""
    number = path_text(argument).removeprefix("item:")
    if number.isdecimal() and (number != argument or not os.path.lexists(argument)):
        if int(number) > MAX_ID:
            raise UsageError(f"'{argument}': no id of an item is that large")
        return int(number)
    return Path(argument)


def item_ids(rooms: Rooms, items: Sequence[int | Path]) -> list[int]:
    """The ids of items that are named by path or by id.

    Raises UnisearchError for a path that the library does not know.
    """
    ids = []
    with rooms.catalog.view() as view:
        for item in items:
            if isinstance(item, int):
                ids.append(item)
                continue
            row = view.item_at(real(item))
            if row is None:
                raise UnisearchError(f"{display(item)}: not in the library; index it first")
            ids.append(row.id)
    return ids


def missing_tags(rooms: Rooms, items: Sequence[int], words: Sequence[str]) -> list[str]:
    """Those of the words that are on none of the items."""
    from unisearch.catalog.words import tag_key

    with rooms.catalog.view() as view:
        there = {tag_key(word) for item in items for word in view.tags(item)}
    return [word for word in words if tag_key(word) not in there]
