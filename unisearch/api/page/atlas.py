"""A map of the library: what is alike lies together."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import events, ui

from unisearch.api.page import detail, look
from unisearch.api.page.frame import (
    KINDS,
    button,
    element,
    frame,
    label,
    models,
    name_of,
    service,
)
from unisearch.engine.map import Place, places
from unisearch.errors import UnisearchError
from unisearch.records import Modality

#: Places drawn at most; of more files every so-manieth.
MOST = 3_000
#: So many of them stand in the list.
LISTED = 500
#: Told apart also by those who see few colours (Okabe and Ito, 2008), and by shape.
LOOKS: dict[Modality, tuple[str, str]] = {
    "text": ("#b8860b", "rect"), "image": ("#0072b2", "circle"), "audio": ("#009e73", "triangle"),
    "3d": ("#d55e00", "diamond"), "video": ("#a0518f", "pin"),
}  # fmt: skip


def add() -> None:
    """Answer at /map."""

    @ui.page("/map", response_timeout=60)
    async def atlas() -> None:
        shown = service()
        with frame("/map"):
            element("h1", "Map of the library")
            element("p", "Each mark is a file; what is alike lies together. Click one to open it.")
            try:
                found = await asyncio.to_thread(places, shown.engine.rooms, MOST)
            except UnisearchError as error:
                element("p", str(error), "empty").props('role="alert"')
                return
            if not found:
                element("p", "There is nothing to draw yet: unisearch index FOLDER", "empty")
                return

            async def open_item(item: int) -> None:
                try:
                    detail.show(await look.plain(shown, item), models())
                except look.Refused as error:
                    ui.notify(str(error), type="negative")

            async def on_click(event: events.EChartPointClickEventArguments) -> None:
                await open_item(int(event.data[2]))  # type: ignore[index]

            chart = ui.echart(options(found), on_point_click=on_click).classes("map")
            label(chart, f"Map of {len(found)} files by likeness; they are listed below it")
            chart.props('role="img"')
            listed(found, open_item)


def options(found: list[Place]) -> dict[str, Any]:
    """The drawing in the terms of ECharts; the third number of a point is the item."""
    axis = {"show": False, "scale": True}
    series: list[dict[str, Any]] = []
    for modality, (color, shape) in LOOKS.items():
        points = [one for one in found if one.modality == modality]
        if points:
            series.append({
                "type": "scatter", "name": KINDS[modality][1], "symbol": shape, "symbolSize": 11,
                "itemStyle": {"color": color, "opacity": 0.8},
                "data": [
                    {"name": name_of(one.path), "value": [one.x, one.y, one.item]}
                    for one in points
                ],
            })  # fmt: skip
    return {
        "xAxis": axis, "yAxis": axis, "series": series,
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 8},
        "legend": {"top": 8, "textStyle": {"color": "#808890"}}, "tooltip": {"formatter": "{b}"},
        "dataZoom": [{"type": "inside", "xAxisIndex": 0}, {"type": "inside", "yAxisIndex": 0}],
    }  # fmt: skip


def listed(found: list[Place], open_item: Any) -> None:
    """The same for those who do not see the drawing."""
    with element("details"):
        element("summary", "The files as a list")
        with element("ul", style="listed"):
            for one in found[:LISTED]:
                with element("li"):
                    kind = KINDS[one.modality][0]
                    button(
                        f"{name_of(one.path)} ({kind})",
                        lambda one=one: open_item(one.item),
                        "plain",
                    )
        if len(found) > LISTED:
            element("p", f"… and {len(found) - LISTED:,} more: search finds every one")
