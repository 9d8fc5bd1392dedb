"""Answers as cards, each kind in a part of its own; weak matches apart."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from unisearch.api.page.browser import play
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


@dataclass(frozen=True)
class Actions:
    """What can be done with a card."""

    open: Callable[[Found], Any]
    like: Callable[[Found], Any]
    unlike: Callable[[Found], Any]
    more: Callable[[Modality], Any]


def sections(found: Sequence[Found], words: str, actions: Actions, more: set[Modality]) -> None:
    """A part of the page for each kind, best first; weak matches folded, unless all are weak.

    more: kinds that have more than is shown
    """
    nothing_fits = all(one.hit["weak"] for one in found)
    order: dict[Modality, list[Found]] = {}
    for one in sorted(found, key=lambda one: (one.hit["weak"], -one.hit["score"])):
        order.setdefault(one.hit["modality"], []).append(one)
    for modality, ones in order.items():
        title = KINDS[modality][1]
        with label(element("section"), title):
            strong = [one for one in ones if not one.hit["weak"]]
            weak = [one for one in ones if one.hit["weak"]]
            open_end = "+" if modality in more else ""  # the last of what is shown
            element("h2", f"{title} ({len(strong)}{'' if weak else open_end})" if strong else title)
            grid(strong, words, actions)
            if weak:
                with element("details", style="weak") as details:
                    if nothing_fits:
                        details.props("open")
                    count = f"{len(weak)}{open_end} weak match{'es' if len(weak) > 1 else ''}"
                    element("summary", f"{count}, no better than chance")
                    grid(weak, words, actions)
            if modality in more:
                label(
                    button("More", lambda modality=modality: actions.more(modality), "plain"),
                    f"More {title}",
                )


def grid(found: Sequence[Found], words: str, actions: Actions) -> None:
    """Cards side by side."""
    if found:
        with element("ul", style="grid").props('role="list"'):
            for one in found:
                card(one, words, actions)


def card(one: Found, words: str, actions: Actions) -> None:
    """One answer."""
    kind = KINDS[one.hit["modality"]][0]
    with element("li", style=f"card kind-{one.hit['modality']}"):
        with button("", lambda: actions.open(one), "open") as opener:
            label(opener, f"Open {kind} {one.name}, score {one.hit['score']:.1f}")
            face(one, words)
            element("span", one.name, "name")
        if one.hit["modality"] == "audio":
            player = element("audio", style="player").props('controls preload="none"')
            player.props["src"] = one.content + moment(one)
            label(player, f"Play {one.name}")
            opener.on("mouseenter", js_handler=play(player.id, True))
            opener.on("mouseleave", js_handler=play(player.id, False))
        with element("div", style="foot"):
            score(one)
            label(button("+ like this", lambda: actions.like(one), "small"),
                  f"More like {one.name}")  # fmt: skip
            label(button("− not like this", lambda: actions.unlike(one), "small"),
                  f"Not like {one.name}")  # fmt: skip


def score(one: Found) -> None:
    """The score, and where in the file it was found."""
    text = f"score {one.hit['score']:.1f}" + (f" · {one.span}" if one.span else "")
    if one.modality != one.hit["modality"]:
        text += f" · {KINDS[one.modality][0]}"  # its sound was found
    if one.hit["copies"] > 1:
        text += f" · {one.hit['copies']} copies"
    shown = element("span", text, "score")
    shown.props["title"] = "standard deviations above what chance would give"


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
