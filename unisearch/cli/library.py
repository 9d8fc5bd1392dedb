"""unisearch status, duplicates: what the library holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli.door import door
from unisearch.cli.show import clock, console, counted, print_json, short, table
from unisearch.engine.answer import path_json
from unisearch.registry import Entry, load

if TYPE_CHECKING:
    from rich.console import Console

    from unisearch.wiring import Rooms

#: Who writes is named as a string: a door that only reads does not need it.
WRITER = {"look": Entry("indexer.look:look")}
SHOWN_FAILURES = 5

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def open_for_reading(ctx: typer.Context) -> Rooms:
    """The rooms of the library that the command line names."""
    from unisearch.wiring import open_rooms

    return open_rooms(door(ctx).settings())


def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what the library holds, and what the process that writes to it is doing."""
    from unisearch.engine import inspect

    with open_for_reading(ctx) as rooms:
        facts = inspect.status(rooms)
    look: Callable[[Path], dict[str, Any] | None] = load("look", WRITER, "look")
    facts["writer"] = look(door(ctx).settings().library)
    if as_json:
        print_json(facts)
    else:
        print_status(facts)


def print_status(facts: dict[str, Any]) -> None:
    """The facts as a few short tables."""
    from unisearch.engine.indexes import told

    out = console()
    out.print(f"library  {facts['library']} ({megabytes(facts['bytes'])})", soft_wrap=True)
    held = [f"{one['id']} ({one['state']})" for one in facts["spaces"]]
    out.print(f"space    {', '.join(held) or facts['space']}", soft_wrap=True)
    out.print(f"config   {facts['config'] or 'defaults'}", soft_wrap=True)
    columns = sorted({name for counts in facts["modalities"].values() for name in counts})
    kinds = table("kind", *columns, right=columns)
    for kind, counts in facts["modalities"].items():
        kinds.add_row(kind, *(f"{counts[name]:,}" for name in columns))
    out.print(kinds)
    vectors = table("vectors", "space", "rows", "dead", "index", "background",
                    right=("rows", "dead"))  # fmt: skip
    for part in facts["partitions"]:
        rows = f"{part['rows'] - part['dead']:,}"
        cells = rows, f"{part['dead']:,}", told(part["index"]), part["background"]
        vectors.add_row(part["modality"], part["space"], *cells)
    out.print(vectors)
    folders = table("folder", "items", right=("items",))
    for root in facts["roots"]:
        where = root["path"] if root["present"] else f"{root['path']} (not there now)"
        folders.add_row(where, f"{root['items']:,}")
    out.print(folders)
    if facts["failures"]:
        listed = ", ".join(f"{count} {kind}" for kind, count in facts["failures"].items())
        out.print(f"failed   {listed}")
    if facts["writer"]:
        print_writer(out, facts["writer"])
    for sound in facts["truncated"]:
        out.print(f"only up to {clock(sound['at_s'])}: {sound['path']}", soft_wrap=True)


def print_writer(out: Console, writer: dict[str, Any]) -> None:
    """What the writing process did since it began, and where it is."""
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(writer["since"]))
    device = f", on {writer['device']}" if writer["device"] else ""
    out.print(f"writer   process {writer['process']}, since {since}{device}")
    did = [f"{sum(counts.values()):,} {outcome}" for outcome, counts in writer["files"].items()]
    did += [f"{count:,} {kind}" for kind, count in writer["failed"].items()]
    if did:
        out.print(f"  did    {', '.join(did)}")
    run = writer["run"]
    if run is not None:
        done, total = sum(run["done"].values()), sum(run["total"].values())
        left = "" if run["left_s"] is None else f", {clock(run['left_s'])} left"
        what = f" ({run['doing']})" if run["doing"] else ""
        out.print(f"  now    {done:,} of {total:,} files, {run['files_per_s']:.1f}/s{left}{what}")
        waits = (f"{count:,} {name.replace('_', ' ')}" for name, count in writer["queues"].items())
        out.print(f"  waits  {', '.join(waits)}")
    delay = writer["delay_s"]
    if delay["count"]:
        p50, p99 = delay["p50"], delay["p99"]
        out.print(f"  delay  from change to searchable: p50 {p50:.2f} s, p99 {p99:.2f} s")
    for one in writer["last_failures"][-SHOWN_FAILURES:]:
        at = time.strftime("%H:%M:%S", time.localtime(one["at"]))
        out.print(f"  {at} {one['path']}: {one['kind']}: {one['message']}", soft_wrap=True)


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def duplicates(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List files of equal content, largest first."""
    from unisearch.engine import inspect

    with open_for_reading(ctx) as rooms:
        groups = inspect.duplicates(rooms)
    if as_json:
        print_json({"groups": [[path_json(path) for path in group] for group in groups]})
        return
    out = console()
    for group in groups:
        for path in group:
            out.print(short(path), soft_wrap=True)
        out.print()
    out.print(
        f"{counted(len(groups), 'group')} of equal files" if groups else "no two files are equal"
    )
