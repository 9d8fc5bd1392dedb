"""How the library and its writer are, while it changes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from nicegui import ui

from unisearch.api.page.detail import size
from unisearch.api.page.frame import KINDS, clock, element, frame, label, service
from unisearch.api.service import Service, of_writer
from unisearch.engine import inspect
from unisearch.errors import display

EVERY_S = 1.0
#: So many failures are listed.
MOST = 200
#: What the library holds is looked at again after so many times as long as that took.
REST = 10

Seen = tuple[dict[str, Any], list[tuple[str, str]]]


def add() -> None:
    """Answer at /status."""
    watch = Watch()

    @ui.page("/status", response_timeout=30)
    async def status() -> None:
        shown = service()
        with frame("/status"):
            element("h1", "Status")
            now = label(element("section", style="now"), "What happens now")
            rest = element("div")

        before: list[Any] = [None, None]

        async def renew() -> None:
            moving = shown.ready.is_set(), await asyncio.to_thread(run_of, shown)
            if moving != before[0]:
                before[0] = moving
                now.clear()
                with now:
                    show_now(*moving)
            still = await asyncio.to_thread(watch.seen, shown)
            if still != before[1]:
                before[1] = still
                rest.clear()
                with rest:
                    show_library(*still)

        await renew()
        ui.timer(EVERY_S, renew)


class Watch:
    """What the library holds, for all visitors: everything is counted, which takes seconds for a
    million files. So it rests for REST times as long as it looked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._again_s = 0.0
        self._seen: Seen = {}, []

    def seen(self, service: Service) -> Seen:
        """(what /v1/status says of it, (path, why) of each file that could not be read)."""
        with self._lock:
            began = self._clock()
            if began >= self._again_s:
                with service.engine.rooms.catalog.view() as view:
                    failures = [(display(one.path), one.message) for one in view.failures()]
                self._seen = inspect.status(service.engine.rooms), failures
                ended = self._clock()
                self._again_s = ended + REST * (ended - began)
            return self._seen


def run_of(service: Service) -> dict[str, Any] | None:
    """What the process that writes to the library is doing, None for nothing."""
    writer = of_writer("look")(service.settings.library)
    return writer["run"] if writer else None


def show_now(ready: bool, going: dict[str, Any] | None) -> None:
    """Whether questions are answered, and where a run is."""
    said = "Ready to answer." if ready else "Getting ready …"
    element("p", said if going else f"{said} Nothing is being indexed.")
    if not going:
        return
    done, total = going["done"], going["total"]
    left = f", about {clock(going['left_s'])} left" if going["left_s"] else ""
    element("p", f"{going['doing']}: {done} of {total or '…'} files{left}")
    bar = label(element("progress"), "Files done")
    bar.props["value"], bar.props["max"] = str(done), str(max(total or 0, done, 1))
    element("p", f"{going['failed']} failed · {going['path']}", "path")


def show_library(library: dict[str, Any], failures: list[tuple[str, str]]) -> None:
    """What the library holds and what it could not read."""
    element("h2", "Library")
    with element("dl", style="facts"):
        rows = {
            "Place": library["library"],
            "Space": library["space"],
            "Size": size(library["bytes"]),
            **{
                many: f"{library['modalities'][kind]['items']:,}"
                for kind, (_, many) in KINDS.items()
                if kind in library["modalities"]
            },
        }
        for name, value in rows.items():
            element("dt", name)
            element("dd", str(value))
    element("h2", "Folders")
    with element("ul"):
        for root in library["roots"]:
            gone = "" if root["present"] else " – not there now"
            element("li", f"{root['path']} ({root['items']:,} files){gone}")
    if not library["roots"]:
        element("p", "None yet: unisearch index FOLDER")
    element("h2", f"Could not be read ({len(failures):,})")
    if not failures:
        element("p", "Every file was read.")
    with element("ul", style="failures"):
        for path, why in failures[:MOST]:
            with element("li"):
                element("span", path, "path")
                element("span", why, "why")
    if len(failures) > MOST:
        element("p", f"… and {len(failures) - MOST:,} more: unisearch status --failures")
