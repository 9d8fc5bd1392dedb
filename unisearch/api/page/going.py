"""Where a run of the indexer is, while it goes on: a line, a bar for all files and one per kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui.element import Element

from unisearch.api.page.frame import KINDS, clock, element, label

#: Files of no known kind, as the indexer counts them.
OTHER = "Others"


class Going:
    """The part of a page that tells it. Its elements stay where they are and only say something
    else, so that nothing that is being read aloud or selected goes away each second."""

    def __init__(self) -> None:
        with label(element("section", style="now"), "What happens now"):
            self._said = element("p")
            self._bar = label(element("progress"), "Files done")
            self._kinds = element("ul", style="kinds")
            self._at = element("p", style="path")
        self._rows: dict[str, tuple[Element, Element]] = {}

    def show(self, ready: bool, run: Mapping[str, Any] | None) -> None:
        """Bring it to where the run is, as `Meter.facts` tells it; None: nothing goes on."""
        say(self._said, said(ready, run))
        say(self._at, at(run))
        done, total = counted(run)
        for made in (self._bar, self._at):
            made.set_visibility(run is not None)
        if total:
            fill(self._bar, done, total)
        else:  # nobody knows how much there is: it only moves
            self._bar.props.pop("value", None)
            self._bar.update()
        self._show_kinds(run["done"] if run else {}, run["total"] if run else {})

    def _show_kinds(self, done: Mapping[str, int], total: Mapping[str, int]) -> None:
        if not total.keys() >= self._rows.keys():  # another run
            self._kinds.clear()
            self._rows.clear()
        for kind, count in total.items():
            name = KINDS[kind][1] if kind in KINDS else OTHER
            if kind not in self._rows:
                with self._kinds, element("li"):
                    element("span", name)
                    bar = label(element("progress"), f"{name} done")
                    self._rows[kind] = bar, element("span", style="count")
            bar, numbers = self._rows[kind]
            fill(bar, done.get(kind, 0), count)
            say(numbers, f"{done.get(kind, 0):,} of {count:,}")
        self._kinds.set_visibility(bool(self._rows))


def counted(run: Mapping[str, Any] | None) -> tuple[int, int]:
    """(files done, files in all) of all kinds."""
    return (sum(run["done"].values()), sum(run["total"].values())) if run else (0, 0)


def said(ready: bool, run: Mapping[str, Any] | None) -> str:
    """Whether questions are answered and how far the run is, in one line."""
    now = "Ready to answer." if ready else "Getting ready …"
    if run is None:
        return f"{now} Nothing is being indexed."
    done, total = counted(run)
    if run["doing"]:
        return f"{now} Now: {run['doing']} …"
    if not total:
        return f"{now} Looking for files …"
    left = f", about {clock(run['left_s'])} left" if done and run["left_s"] is not None else ""
    return f"{now} Indexing: {done:,} of {total:,} files{left}."


def at(run: Mapping[str, Any] | None) -> str:
    """What was skipped, what failed, and the file at hand."""
    if run is None:
        return ""
    counts = [f"{run[name]:,} {name}" for name in ("unchanged", "failed") if run[name]]
    return " · ".join([*counts, *filter(None, [run["path"]])])


def say(made: Element, text: str) -> None:
    """Have an element say that; nothing is sent when it says so already."""
    if made._text != text:
        made._text = text
        made.update()


def fill(bar: Element, done: int, total: int) -> None:
    """Fill a bar so far."""
    wanted = {"value": str(done), "max": str(max(total, 1))}
    if any(bar.props.get(name) != value for name, value in wanted.items()):
        bar.props.update(wanted)
        bar.update()
