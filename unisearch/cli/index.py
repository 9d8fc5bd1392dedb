"""unisearch index: files and folders into the library."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli.change import writer
from unisearch.cli.door import door
from unisearch.cli.library import AsJson
from unisearch.cli.paths import given_path
from unisearch.cli.show import clock, console, counted, print_json, short, table
from unisearch.engine.answer import path_json
from unisearch.errors import UnisearchError

if TYPE_CHECKING:
    from indexer import Report
    from unisearch.config import Settings

COUNTS = ("added", "updated", "moved", "removed", "unchanged")
SHOWN_FAILURES = 20


def index(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(parser=given_path, metavar="PATH", help="Files and folders.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Read files again that failed before.")
    ] = False,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough", help="Compare contents where the file system cannot tell what changed."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make files and folders searchable.

    What is already indexed and unchanged is not read again. Files that cannot be read are
    listed with the reason, and the others are indexed. Ctrl-C stops at any time; the same
    command goes on from there. In the end the turntables of models are drawn: all is searchable
    by then.

    FAT, exFAT, network drives, FUSE and overlays do not number their files for good. There a file
    of the same size and time counts as unchanged; with --thorough its content is compared.
    """
    from unisearch.cli.progress import Watcher

    settings = door(ctx).settings()
    with writer(settings) as indexer, Watcher(settings.device) as watcher:
        report = indexer.run(
            paths, dry_run=dry_run, retry=retry_failed, thorough=thorough, progress=watcher
        )
    if as_json:
        print_json(report_json(report))
    else:
        print_report(report, dry_run)
    if not dry_run:
        finish(settings)
    if report.failed and not any(getattr(report, name) for name in COUNTS):
        raise UnisearchError(f"no file could be read of {counted(len(report.failed), 'file')}")


def finish(settings: Settings) -> None:
    """Draw the previews that the run left to later; Ctrl-C leaves them to the next one."""
    from unisearch.cli.progress import Watcher

    with writer(settings) as indexer, Watcher(settings.device) as watcher:
        indexer.finish(watcher)


def report_json(report: Report) -> dict[str, Any]:
    """The object that `index --json` prints."""
    return {
        "counts": {name: getattr(report, name) for name in COUNTS},
        "failed": [
            {**path_json(failure.path), "kind": failure.kind, "message": failure.message}
            for failure in report.failed
        ],
        "ignored": {"unknown": report.ignored, "left_out": report.left_out},
        "uncovered": report.uncovered,
        "described": report.described,
        "truncated": [{**path_json(path), "at_s": at_s} for path, at_s in report.truncated],
        "seconds": round(report.seconds, 3),
    }


def print_report(report: Report, dry_run: bool) -> None:
    """Counts, then the files that failed and why, the first few of them."""
    out = console()
    counts = ", ".join(f"{getattr(report, name):,} {name}" for name in COUNTS)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.by_modality.items())
    out.print(f"{'would be ' if dry_run else ''}{counts}; {report.seconds:.1f} s", soft_wrap=True)
    if kinds:
        out.print(f"of these {kinds}", soft_wrap=True)
    if report.ignored:
        out.print(f"{counted(report.ignored, 'file')} of no known kind", soft_wrap=True)
    if report.uncovered:
        files = counted(sum(report.uncovered.values()), "file")
        kinds = ", ".join(sorted(report.uncovered))
        out.print(f"{files} of a kind that no space here covers ({kinds})", soft_wrap=True)
    if report.described:
        files = counted(report.described, "file")
        out.print(f"{files} with new words from texts beside them", soft_wrap=True)
    if report.left_out:
        names = "file or folder" if report.left_out == 1 else "files and folders"
        by = "left out by 'index.ignore' or .unisearchignore"
        out.print(f"{report.left_out:,} {names} {by}", soft_wrap=True)
    for path, at_s in report.truncated:
        out.print(f"only up to {clock(at_s)}: {short(path)}", soft_wrap=True)
    if report.failed:
        print_failures(report)


def print_failures(report: Report) -> None:
    """A table of the first failures, and how many there are of each kind."""
    out = console()
    failures = table("failed", "kind", "why")
    for failure in report.failed[:SHOWN_FAILURES]:
        failures.add_row(short(failure.path), failure.kind, failure.message)
    out.print(failures)
    kinds = Counter(failure.kind for failure in report.failed)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    more = len(report.failed) - SHOWN_FAILURES
    rest = f"; {more:,} more not shown, all with --json" if more > 0 else ""
    out.print(f"failed: {listed}{rest}", soft_wrap=True)
