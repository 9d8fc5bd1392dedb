"""unisearch doctor, repair: what is wrong with the library, and what can be mended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli.door import door
from unisearch.cli.library import AsJson
from unisearch.cli.show import console, print_json, short, table
from unisearch.engine.answer import path_json
from unisearch.errors import LibraryDamaged
from unisearch.registry import Entry, load

if TYPE_CHECKING:
    from indexer.repair import Repaired
    from unisearch.config import Settings
    from unisearch.engine.finding import Finding

COLORS = {"ok": "green", "warning": "yellow", "error": "red"}
SHOWN_FILES = 20

#: Repairs write: named as a string, because a door that only reads does not need it.
REPAIRS = {"repair": Entry("indexer.repair:repair")}
#: The other door keeps its own files; neither knows the other.
SAVED = {"saved": Entry("unisearch.api.saved:left_out")}


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Examine the library; changes nothing.

    Reads every page, vector and snapshot and compares it with its checksum, and rows, keys,
    words and records with each other; reads every saved search. Exit code 1 when something is
    broken, 0 with warnings.
    """
    findings = examine(door(ctx).settings())
    if as_json:
        print_json({"findings": [vars(finding) for finding in findings]})
    else:
        report = table("", "what", "finding", "what to do")
        for one in findings:
            cells = one.level, one.subject, one.message, one.advice
            report.add_row(*cells, style=COLORS[one.level])
        console().print(report)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Finding]:
    """The doctor's findings; a library that cannot even be opened is one of them."""
    from unisearch.engine.doctor import doctor
    from unisearch.engine.finding import RESTORE, Finding
    from unisearch.wiring import open_rooms

    try:
        rooms = open_rooms(settings)
    except LibraryDamaged as error:
        return [Finding("error", "catalogue", str(error), RESTORE)]
    with rooms:
        return [*doctor(rooms), *saved_searches(settings)]


def saved_searches(settings: Settings) -> Iterator[Finding]:
    """The saved searches that a server of this library leaves out."""
    from unisearch.engine.finding import Finding
    from unisearch.errors import display

    for path, why in load("check", SAVED, "saved")(settings.library):
        message = f"{display(path)}: {why}; its new matches are not told"
        yield Finding(
            "error", "saved search", message, "remove the file, and save the search again"
        )


def repair(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Mend the library as far as nothing has to be guessed, and say what is lost.

    Damaged snapshots, samples and words for searching are made anew; what a killed writer left is
    removed. Damaged vectors are dropped, and the next `index` reads their files again; they keep
    ids and tags. A catalogue with damaged pages is left as it is. Exit code 1 when something is
    lost or still wrong.
    """
    made: Callable[..., Repaired] = load("repair", REPAIRS, "repair")
    settings = door(ctx).settings()
    report = made(settings, dry_run=dry_run, beat=tell)
    # Nothing can tell what was asked, and nothing that a user saved is removed unasked.
    report.left += [f"{one.message}: {one.advice}" for one in saved_searches(settings)]
    if as_json:
        print_json(report_json(report))
    else:
        print_repaired(report, dry_run)
    if report.lost or report.left:
        raise typer.Exit(1)


def tell(what: str) -> None:
    """What is being done now, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what} ...", end="\r", file=sys.stderr, flush=True)


def report_json(report: Repaired) -> dict[str, Any]:
    """The object that `repair --json` prints."""
    return {
        "done": report.done,
        "again": [path_json(path) for path in report.again],
        "lost": report.lost,
        "left": report.left,
    }


def print_repaired(report: Repaired, dry_run: bool) -> None:
    """What was done, what is to be read again, what is lost and what is still wrong."""
    out = console()
    would = "would be " if dry_run else ""
    if not any((report.done, report.again, report.lost, report.left)):
        out.print("nothing to mend")
    for line in report.done:
        out.print(f"{would}mended  {line}", soft_wrap=True)
    for path in report.again[:SHOWN_FILES]:
        out.print(f"to be read again  {short(path)}", soft_wrap=True)
    if report.again:
        more = len(report.again) - SHOWN_FILES
        if more > 0:
            out.print(f"and {more:,} more, all with --json")
        out.print(f"then run: unisearch index {short(above(report.again))}", soft_wrap=True)
    for line in report.lost:
        out.print(f"lost  {line}", soft_wrap=True, style="red")
    for line in report.left:
        out.print(f"still wrong  {line}", soft_wrap=True, style="red")


def above(paths: Iterable[bytes]) -> bytes:
    """The folder that holds all these files."""
    names = [os.path.dirname(path) for path in paths]  # noqa: PTH120 (bytes)
    return os.path.commonpath(names)
