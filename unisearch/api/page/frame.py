"""What all pages share: head, navigation, colours, and short words for elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from nicegui import app as pages
from nicegui import ui
from nicegui.element import Element

from unisearch.api.page.browser import KEYS, SWITCH_THEME, THEME, VALUE
from unisearch.api.page.models import Models
from unisearch.api.service import Service
from unisearch.records import Modality

PAGES = {"/": "Search", "/map": "Map", "/status": "Status"}
#: What a kind is called, one and many.
KINDS: dict[Modality, tuple[str, str]] = {
    "text": ("text", "Texts"),
    "image": ("picture", "Pictures"),
    "audio": ("sound", "Sounds"),
    "3d": ("3D model", "3D models"),
    "video": ("video", "Videos"),
}


def service() -> Service:
    """The service that the pages show."""
    found = pages.state.unisearch
    assert isinstance(found, Service)
    return found


def models() -> Models:
    """The models that the viewers show."""
    found = pages.state.models
    assert isinstance(found, Models)
    return found


@cache
def style() -> str:
    """The style sheet of all pages."""
    return Path(__file__).with_name("style.css").read_text("utf-8")


@contextmanager
def frame(here: str) -> Iterator[Element]:
    """A page with its head; what is made inside is its content."""
    ui.page_title("unisearch" if here == "/" else f"{PAGES[here]} – unisearch")
    ui.add_css(style())
    ui.add_body_html(f"<script>{KEYS}\n{THEME}</script>")
    with ui.header().classes("head"):
        with element("a", "unisearch", "brand").props('href="/"'):
            pass
        with element("nav").props('aria-label="Pages"'):
            for path, name in PAGES.items():
                link = element("a", name).props(f'href="{path}"')
                if path == here:
                    link.props('aria-current="page"')
        switch = button("◐", None, "plain")
        switch.on("click", js_handler=SWITCH_THEME)
        label(switch, "Light or dark").classes("dark")
    with element("div", style="content") as content:
        yield content
    ui.skip_link("Skip to content", target=content)


def element(tag: str, text: str = "", style: str = "") -> Element:
    """An element of HTML with plain text, never markup, in it."""
    made = Element(tag).classes(style)
    if text:
        made._text = text
    return made


def button(text: str, on_click: Callable[..., Any] | None, style: str = "") -> Element:
    """A button of HTML."""
    made = element("button", text, style).props('type="button"')
    if on_click is not None:
        made.on("click", on_click, args=[])
    return made


def label(made: Element, text: str) -> Element:
    """The element with a name for those who do not see it. Any text: props are not parsed."""
    made.props["aria-label"] = text
    return made


def choice(
    name: str, options: dict[Any, str], chosen: Any, on_change: Callable[[Any], Any]
) -> Element:
    """A select of HTML. options: what is shown of each value; on_change gets the value."""
    values = list(options)
    with element("label", style="choice") as whole:
        element("span", name)
        with element("select") as select:
            for place, value in enumerate(values):
                option = element("option", options[value])
                option.props["value"] = str(place)
                if value == chosen:
                    option.props["selected"] = True
    select.on("change", lambda event: on_change(values[int(event.args)]), js_handler=VALUE)
    return whole


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2] or path


def clock(seconds: float) -> str:
    """3:05 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
