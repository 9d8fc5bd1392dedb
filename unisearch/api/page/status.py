"""How the library and its writer are, while it changes."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from unisearch.api import status as routes
from unisearch.api.page.detail import size
from unisearch.api.page.frame import KINDS, clock, element, frame, label, service
from unisearch.api.service import Service
from unisearch.errors import display

EVERY_S = 1.0
#: So many failures are listed.
MOST = 200


def add() -> None:
    """Answer at /status."""

    @ui.page("/status", response_timeout=30)
    async def status() -> None:
        shown = service()
        with frame("/status"):
            element("h1", "Status")
            now = label(element("section", style="now"), "What happens now")
            rest = element("div")

        before: list[Any] = [None, None]

        async def renew() -> None:
            told, failures = await asyncio.to_thread(facts, shown)
            moving = (told["ready"], told["writer"] and told["writer"]["run"])
            if moving != before[0]:
                before[0] = moving
                now.clear()
                with now:
                    show_now(told)
            still = (told["library"], failures)
            if still != before[1]:
                before[1] = still
                rest.clear()
                with rest:
                    show_library(told["library"], failures)

        await renew()
        ui.timer(EVERY_S, renew)


def facts(service: Service) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What /v1/status says, and (path, why) of each file that could not be read."""
    with service.engine.rooms.catalog.view() as view:
        failures = [(display(one.path), one.message) for one in view.failures()]
    return routes.status(service), failures


def show_now(told: dict[str, Any]) -> None:
    """Whether questions are answered, and where a run is."""
    going = told["writer"] and told["writer"]["run"]
    ready = "Ready to answer." if told["ready"] else "Getting ready …"
    element("p", ready if going else f"{ready} Nothing is being indexed.")
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
