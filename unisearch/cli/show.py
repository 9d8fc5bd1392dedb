"""How results look: tables for people, JSON and raw paths for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unisearch.errors import display

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from unisearch.engine.answer import Answer
    from unisearch.records import Hit

#: Columns of a table that goes into a file or a pipe, where nothing tells how wide it may be.
PIPE_COLUMNS = 160
SHOWN_PASSAGE = 60


def console(stream: Any = None) -> Console:
    """A rich console on stdout, or on the given stream."""
    from rich.console import Console

    stream = stream or sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    return Console(
        file=stream, width=None if known else PIPE_COLUMNS, highlight=False, markup=False,
        emoji=False,
    )  # fmt: skip


def table(*columns: str, right: Iterable[str] = (), **options: Any) -> Table:
    """An empty table with these headers; those in `right` hold numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False, **options)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def print_json(value: Any) -> None:
    """One JSON document on stdout, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def print_paths(paths: Iterable[bytes], end: bytes) -> None:
    """The paths as they are on disk, byte for byte, each with `end` behind it."""
    sys.stdout.flush()
    for path in paths:
        sys.stdout.buffer.write(path + end)
    sys.stdout.buffer.flush()


def short(path: bytes | str | Path) -> str:
    """The path as text, from here or from the home folder when that is shorter."""
    full = Path(os.fsdecode(path))
    if full.is_relative_to(Path.cwd()):
        return display(full.relative_to(Path.cwd()))
    home = Path.home()
    return display(Path("~") / full.relative_to(home) if full.is_relative_to(home) else full)


def print_answer(answer: Answer) -> None:
    """The hits as a table, by rank; weak ones are marked."""
    out = console()
    if not answer.hits:
        out.print("nothing found")
        return
    if answer.no_match:
        out.print("nothing fits well; the nearest, each as good as chance alone would give:")
    out.print(hits_table(answer.hits))
    if not answer.no_match and any(hit.weak for hit in answer.hits):
        out.print("~ weak: chance alone would give hits as good as these", style="dim")


def hits_table(hits: Iterable[Hit]) -> Table:
    """Rank, score, kind, path, time, passage and way of each hit, in the order given."""
    made = table("rank", "score", "weak", "kind", "path", "time", "passage", "matched",
                 right=("rank", "score", "time"))  # fmt: skip
    for hit in hits:
        made.add_row(*hit_cells(hit), style="dim" if hit.weak else None)
    drop_empty_columns(made)
    return made


def hit_cells(hit: Hit) -> list[str]:
    """The cells of one hit; '~' marks a weak one."""
    copies = f" (+{hit.copies} {'copy' if hit.copies == 1 else 'copies'})" if hit.copies else ""
    text = " ".join(hit.text.split())
    return [
        str(hit.rank),
        f"{hit.score:.2f}",
        "~" if hit.weak else "",
        hit.modality,
        short(hit.path) + copies,
        time_range(hit.start_s, hit.end_s),
        text if len(text) <= SHOWN_PASSAGE else text[: SHOWN_PASSAGE - 1] + "…",
        "" if hit.matched == "vector" else hit.matched,
    ]


def drop_empty_columns(made: Table) -> None:
    """Takes out the columns that no row uses, so that the others have room."""
    kept = [column for column in made.columns if any(map(str, column.cells))]
    for at, column in enumerate(kept):
        column._index = at
    made.columns = kept


def time_range(start_s: float | None, end_s: float | None) -> str:
    """'1:05-1:15' of seconds; empty for what has no time."""
    if start_s is None or end_s is None:
        return ""
    return f"{clock(start_s)}-{clock(end_s)}"


def counted(number: int, word: str) -> str:
    """'1 item', '2 items'."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
