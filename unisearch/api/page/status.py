"""How the library and its writer are, while it changes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from nicegui import ui

from unisearch.api.page.detail import size
from unisearch.api.page.frame import KINDS, element, frame, service
from unisearch.api.page.going import Going
from unisearch.api.service import Service, of_writer
from unisearch.engine import inspect
from unisearch.errors import UnisearchError, display

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
            going = Going()
            rest = element("div")

        before: Any = None

        async def renew() -> None:
            nonlocal before
            run = await asyncio.to_thread(run_of, shown)
            if rest.is_deleted:  # the visitor went on meanwhile
                return
            going.show(shown.ready.is_set(), run)
            still = await asyncio.to_thread(seen, watch, shown)
            if still != before and not rest.is_deleted:
                before = still
                rest.clear()
                with rest:
                    if isinstance(still, str):
                        element("p", still, "empty").props('role="alert"')
                    else:
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


def seen(watch: Watch, service: Service) -> Seen | str:
    """What the watch sees, or why it sees nothing: a library may be away for a while."""
    try:
        return watch.seen(service)
    except UnisearchError as error:
        return str(error)


def run_of(service: Service) -> dict[str, Any] | None:
    """What the process that writes to the library is doing, None for nothing."""
    writer = of_writer("look")(service.settings.library)
    return writer["run"] if writer else None


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
