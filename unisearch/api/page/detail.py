"""One item, large: looked at, listened to, turned around, read."""

from __future__ import annotations

import asyncio
import html
import math
from datetime import UTC, datetime
from urllib.parse import quote

from fastapi import HTTPException
from nicegui import ui

from unisearch.api.page.cards import Found, moment
from unisearch.api.page.frame import KINDS, button, clock, element, label
from unisearch.api.page.models import ROUTE, Models

#: Of the viewer, in pixels; narrow screens show it smaller.
SIZE = 480, 360


#: What is measured of files (records.FACTS), in words.
MEASURED = {
    "width": "Width, px", "height": "Height, px", "duration_s": "Duration",
    "rate_hz": "Sampling rate, Hz", "channels": "Channels", "vertices": "Vertices",
    "faces": "Faces", "chars": "Characters", "taken_s": "Taken",
}  # fmt: skip


def show(one: Found, models: Models) -> ui.dialog:
    """Open a dialog with the item."""
    with ui.dialog() as dialog, ui.card().classes("detail"):
        with element("div", style="bar"):
            element("h2", one.name)
            button("Close", dialog.close, "plain")
        body(one, models)
        facts(one)
    label(dialog, one.name)
    dialog.on("hide", dialog.delete)
    dialog.open()
    return dialog


def body(one: Found, models: Models) -> None:
    """The thing itself."""
    match one.modality:
        case "image":
            picture(one.content, f"Picture {one.name}")
        case "audio":
            if one.preview():
                picture(one.preview() or "", f"Waveform and spectrogram of {one.name}")
            player("audio", one)
        case "video":
            player("video", one)
        case "3d":
            model(one, models)
        case _:
            text(one)


def picture(source: str, alt: str) -> None:
    """A picture in full."""
    shown = element("img", style="large")
    shown.props["src"] = source
    shown.props["alt"] = alt


def player(tag: str, one: Found) -> None:
    """A player that begins at the moment found."""
    made = label(element(tag, style="large"), f"{KINDS[one.modality][0]} {one.name}")
    made.props('controls preload="metadata"')
    made.props["src"] = one.content + moment(one)
    if tag == "video" and one.preview():
        made.props["poster"] = one.preview()
    if one.span:
        element("p", f"Found at {one.span}", "found-at")


def model(one: Found, models: Models) -> None:
    """The turntable until it is clicked, then a viewer."""
    film = one.preview("turn") or one.preview()
    with element("div", style="viewer") as place:
        if film:
            picture(film, f"{one.name} turns around")
        else:
            element("p", "It was not drawn (yet).")

    async def view() -> None:
        opener._text = "Reading the model …"
        opener.props("disabled").update()
        try:
            await asyncio.to_thread(models.glb, one.id)  # the viewer itself would fail in silence
        except HTTPException as error:
            opener.delete()
            with place:
                element("p", f"It cannot be turned: {error.detail}", "bad").props('role="alert"')
            return
        if place.is_deleted:  # the visitor went on meanwhile
            return
        place.clear()
        opener.delete()
        with place, ui.scene(*SIZE, grid=False, background_color="#9aa5ad") as scene:
            label(scene, f"3D viewer of {one.name}: drag to turn, wheel to come closer")
            scene.props('role="img"')
            scene.gltf(ROUTE.format(item=one.id)).rotate(math.pi / 2, 0, 0)  # z is up here
            scene.move_camera(x=1.0, y=-1.5, z=0.7, look_at_z=0, duration=0)

    opener = button("Turn it in 3D", view, "primary")


def text(one: Found) -> None:
    """The passage found, marked in the beginning of its file where it stands there."""
    passage, excerpt = one.passage, one.excerpt
    before, found, after = excerpt.partition(passage) if passage else (excerpt, "", "")
    if passage and not found:
        before, after = "", ""
    parts = (html.escape(before), html.escape(passage), html.escape(after))
    marked = f"{parts[0]}<mark>{parts[1]}</mark>{parts[2]}" if passage else parts[0]
    ui.html(marked, sanitize=False, tag="p").classes("reading")


def facts(one: Found) -> None:
    """What is known of the file."""
    rows = {
        "Kind": KINDS[one.modality][0],
        "Where": one.hit["path"],
        "Size": size(one.item["size_bytes"]),
        "Changed": datetime.fromtimestamp(one.item["mtime_s"]).strftime("%Y-%m-%d %H:%M"),
        **{MEASURED[name]: measured(name, value) for name, value in one.item["facts"].items()},
    }
    if one.item["tags"]:
        rows["Tags"] = ", ".join(one.item["tags"])
    if "score" in one.hit:
        weak = " (weak: no better than chance)" if one.hit["weak"] else ""
        rows["Score"] = f"{one.hit['score']:.2f}{weak}"
    with element("dl", style="facts"):
        for name, value in rows.items():
            element("dt", name)
            element("dd", value)
    link = element("a", "Download")
    link.props["href"] = one.content
    link.props["download"] = quote(one.name)


def measured(name: str, value: float) -> str:
    """A number as people read it."""
    if name == "duration_s":
        return f"{value:.1f} s" if value < 60 else clock(value)
    if name == "taken_s":  # by the camera's clock, as if it were UTC
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{value:,.0f}"


def size(count: float) -> str:
    """1.5 MB."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"
