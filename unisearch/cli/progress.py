"""How a run of the indexer looks while it goes on: one bar per kind of file, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from unisearch.cli.show import clock, console, short
from unisearch.cli.stop import Stop

if TYPE_CHECKING:
    from indexer import Progress

FRAMES_PER_S = 8


class Watcher:
    """Shows the progress that it is called with; nothing where stderr is no terminal.

    Ctrl-C takes effect between two calls. Use as a context manager.
    """

    def __init__(self, device: str) -> None:
        self._wanted, self._device = device, ""
        self._bars = Bars(TextColumn("{task.description:<6}"), BarColumn(), MofNCompleteColumn())
        self._tasks: dict[str, TaskID] = {}
        self._line = Text("looking for files ...", no_wrap=True, overflow="ellipsis")
        self._live = Live(
            Group(self._bars, self._line),
            console=console(sys.stderr), refresh_per_second=FRAMES_PER_S, transient=True,
        )  # fmt: skip
        self._shown = sys.stderr.isatty()
        self._stop = Stop()

    def __call__(self, now: Progress) -> None:
        """Brings the bars and the line below them to where the run is."""
        self._stop.check()
        if not self._shown:
            return
        for modality, total in now.total.items():
            if modality not in self._tasks:
                self._tasks[modality] = self._bars.add_task(modality)
            self._bars.update(
                self._tasks[modality], completed=now.done.get(modality, 0), total=total
            )
        if not self._device and "torch" in sys.modules:  # nothing waits for it just to be shown
            self._device = device_name(self._wanted)
        self._line.plain = line(now, self._device or self._wanted)

    def __enter__(self) -> Self:
        self._stop.__enter__()
        if self._shown:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._shown:
            self._live.stop()
        self._stop.__exit__(*error)


def line(now: Progress, device: str) -> str:
    """Rate, time left, device, what was skipped, and the file at hand, on one line."""
    if now.doing:
        return f"{now.doing} ..."
    left = "" if now.left_s is None else f", {clock(now.left_s)} left"
    failed = f", {now.failed:,} failed" if now.failed else ""
    return (
        f"{now.rate:.1f} files/s{left}, {device}, {now.unchanged:,} already indexed{failed}"
        f"  {short(now.path)}"
    )


def device_name(wanted: str) -> str:
    """'cpu', or the name of the GPU that networks run on."""
    from unisearch.wiring import pick_device

    if pick_device(wanted) == "cpu":
        return "cpu"
    import torch

    return str(torch.cuda.get_device_name())
