"""How files look that are on their way: a bar each on a terminal, else a line for each one."""

from __future__ import annotations

import sys
from typing import Self

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from unisearch.cli.show import console


class Transfer:
    """Called with (file, bytes that are here, bytes in all or None). Use as a context manager."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
            TransferSpeedColumn(), TimeRemainingColumn(),
            console=console(sys.stderr),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, file: str, done: int, total: int | None) -> None:
        """Brings the bar of that file to where it is."""
        if not self._shown:
            if done == total and file not in self._tasks:
                self._tasks[file] = TaskID(0)
                print(f"{file}: {size_text(done)}", file=sys.stderr, flush=True)
            return
        if file not in self._tasks:
            self._tasks[file] = self._bars.add_task(file, total=total)
        self._bars.update(self._tasks[file], completed=done, total=total)

    def say(self, line: str) -> None:
        """A line above the bars."""
        if self._shown:
            self._bars.print(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if self._shown:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bars.stop()


def size_text(size: float | None) -> str:
    """'605 MB', '4.3 GB'; '?' for what is not known."""
    if size is None:
        return "?"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.1f} {unit}" if unit == "GB" and size < 100 else f"{size:.0f} {unit}"


class Line:
    """One line that is written over, on a terminal; nothing elsewhere. Use as a context manager."""

    def __call__(self, text: str) -> None:
        """What is being done now."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
