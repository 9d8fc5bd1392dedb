"""Answers as cards, each kind in a part of its own; weak matches apart."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import events, ui
from nicegui.element import Element

from unisearch.api.page.browser import OPEN, play
from unisearch.api.page.frame import KINDS, button, clock, element, label, name_of
from unisearch.records import Modality

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Found:
    """A hit of an answer with what is known of its item, both as the API tells them."""

    hit: dict[str, Any]
    item: dict[str, Any]
    excerpt: str = ""  # the beginning of a text

    @property
    def id(self) -> int:
        return int(self.hit["item"])

    @property
    def name(self) -> str:
        return name_of(self.hit["path"])

    @property
    def modality(self) -> Modality:
        """Of the file: the sound of a video is a match of kind audio, but still a video."""
        found: Modality = self.item["modality"] or self.hit["modality"]
        return found

    @property
    def content(self) -> str:
        """Where the file is."""
        return f"/v1/items/{self.id}/content"

    def preview(self, kind: str = "still") -> str | None:
        """Where that preview is, if there is one."""
        there = kind in self.item["previews"]
        return f"/v1/items/{self.id}/preview?kind={kind}" if there else None

    @property
    def span(self) -> str:
        """The seconds of the moment found, '' where there are none."""
        part = self.hit["segment"]
        if not part or part["start_s"] is None:
            return ""
        return f"{clock(part['start_s'])}–{clock(part['end_s'] or part['start_s'])}"

    @property
    def passage(self) -> str:
        """The words found, '' where it is no text."""
        part = self.hit["segment"]
        return part["text"] if part else ""


@dataclass
class Shelf:
    """Cards that are shown or hidden together."""

    is_open: bool = True


#: The button that opens a card, and where the card lies.
Opener = tuple[Element, Shelf]


@dataclass(frozen=True)
class Actions:
    """What can be done with a card."""

    open: Callable[[Found], Any]
    like: Callable[[Found], Any]
    unlike: Callable[[Found], Any]
    focused: Callable[[Element], Any]
    more: Callable[[Modality], Any]


def sections(
    found: Sequence[Found], words: str, actions: Actions, more: set[Modality]
) -> list[Opener]:
    """A part of the page for each kind, best first; the buttons of the cards, in their order.

    more: kinds that have more than is shown
    """
    order: dict[Modality, list[Found]] = {}
    for one in sorted(found, key=lambda one: (one.hit["weak"], -one.hit["score"])):
        order.setdefault(one.hit["modality"], []).append(one)
    openers: list[Opener] = []
    for modality, ones in order.items():
        title = KINDS[modality][1]
        with label(element("section"), title):
            element("h2", f"{title} ({len(ones)}{'+' if modality in more else ''})")
            strong = [one for one in ones if not one.hit["weak"]]
            weak = [one for one in ones if one.hit["weak"]]
            openers += [(one, Shelf()) for one in grid(strong, words, actions)]
            if weak:
                with element("details", style="weak") as details:
                    shelf = Shelf(is_open=not strong)
                    if shelf.is_open:
                        details.props("open")
                    details.on("toggle", partial(_opened, shelf), js_handler=OPEN)
                    count = f"{len(weak)} weak match{'es' if len(weak) > 1 else ''}"
                    element("summary", f"{count}: chance alone would give as good ones")
                    openers += [(one, shelf) for one in grid(weak, words, actions)]
            if modality in more:
                label(
                    button("More", lambda modality=modality: actions.more(modality), "plain"),
                    f"More {title}",
                )
    return openers


def _opened(shelf: Shelf, event: events.GenericEventArguments) -> None:
    shelf.is_open = bool(event.args)


def grid(found: Sequence[Found], words: str, actions: Actions) -> list[Element]:
    """Cards side by side; the buttons that open them."""
    if not found:
        return []
    with element("ul", style="grid").props('role="list"'):
        return [card(one, words, actions) for one in found]


def card(one: Found, words: str, actions: Actions) -> Element:
    """One answer; the button that opens it."""
    kind = KINDS[one.hit["modality"]][0]
    with element("li", style=f"card kind-{one.hit['modality']}"):
        with button("", lambda: actions.open(one), "open") as opener:
            label(opener, f"Open {kind} {one.name}, score {one.hit['score']:.1f}")
            face(one, words)
            element("span", one.name, "name")
        opener.on("focus", lambda: actions.focused(opener), args=[])
        if one.hit["modality"] == "audio" and one.modality == "audio":
            player = element("audio", style="player").props('controls preload="none"')
            player.props["src"] = one.content + moment(one)
            label(player, f"Play {one.name}")
            opener.on("mouseenter", js_handler=play(player.id, True))
            opener.on("mouseleave", js_handler=play(player.id, False))
        with element("div", style="foot"):
            score(one)
            label(button("+ like this", lambda: actions.like(one), "small"),
                  f"More like {one.name}")  # fmt: skip
            label(button("− unlike", lambda: actions.unlike(one), "small"),
                  f"Not like {one.name}")  # fmt: skip
    return opener


def score(one: Found) -> None:
    """The score, and where in the file it was found."""
    text = f"{one.hit['score']:.1f}" + (f" · {one.span}" if one.span else "")
    if one.hit["copies"] > 1:
        text += f" · {one.hit['copies']} copies"
    shown = element("span", text, "score")
    shown.props["title"] = "score: standard deviations above what chance would give"


def face(one: Found, words: str) -> None:
    """The picture, or the passage, that stands for an answer."""
    if one.hit["modality"] == "text" or (one.passage and not one.preview()):
        ui.html(marked(one.passage[:400], words), sanitize=False, tag="span").classes("passage")
    elif one.preview():
        picture = element("img", style="still").props('loading="lazy"')
        picture.props["src"] = one.preview()
        picture.props["alt"] = ""  # the button around it is named
    else:
        element("span", KINDS[one.modality][0], "still none")


def moment(one: Found) -> str:
    """What leads a player to the place found."""
    part = one.hit["segment"]
    return f"#t={part['start_s']:.2f}" if part and part["start_s"] else ""


def marked(text: str, words: str) -> str:
    """HTML of a text with the words of the question marked; everything in it is escaped."""
    wanted = {word.lower() for word in _WORD.findall(words) if len(word) > 2}
    pieces, at = [], 0
    for match in _WORD.finditer(text):
        if match[0].lower() in wanted:
            pieces += [
                html.escape(text[at : match.start()]),
                f"<mark>{html.escape(match[0])}</mark>",
            ]
            at = match.end()
    return "".join([*pieces, html.escape(text[at:])])
