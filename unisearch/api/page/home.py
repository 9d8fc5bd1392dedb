"""The page to search with: one box, what it holds, what may answer, and the answers."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nicegui import events, ui
from nicegui.element import Element

from unisearch.api.page import browser, detail, look
from unisearch.api.page.cards import Actions, Found, sections
from unisearch.api.page.frame import (
    KINDS,
    button,
    choice,
    element,
    frame,
    label,
    models,
    name_of,
    service,
)
from unisearch.api.page.question import AGES, LENGTHS, STEP, WEIGHTS, Part, Question
from unisearch.api.search import HEAD_BYTES, format_of
from unisearch.errors import Unreadable, UsageError
from unisearch.media.read import modality_of
from unisearch.records import Modality

EMPTY = (
    "Type what you look for, or give a picture, a sound, a video, a 3D model or a text:"
    " whatever is like it is found, of every kind."
)


def add() -> None:
    """Answer at /; `?q=words` asks at once."""

    @ui.page("/", response_timeout=30)
    async def home(q: str = "") -> None:
        page = Home()
        await page.build()
        if q:
            page.box.set_value(q[:4_000])
            await page.search_words()


class Home:
    """One visitor's page and what was chosen on it."""

    def __init__(self) -> None:
        self.service = service()
        self.models = models()
        self.question = Question()
        self.found: list[Found] = []
        self.asked = 0  # only the answer to the newest question is shown
        self.folder = tempfile.TemporaryDirectory(prefix="unisearch-page-")
        ui.context.client.on_delete(self.folder.cleanup)  # also when no page comes of it
        self.numbers = itertools.count()  # names of files, of which several may come at once

    async def build(self) -> None:
        """Make the page."""
        folders = await asyncio.to_thread(look.folders, self.service)
        endings = await asyncio.to_thread(look.endings, self.service)
        factors = await asyncio.to_thread(look.factors, self.service)
        with frame("/") as content:
            self.make_box(content)
            self.chips = label(element("ul", style="chips"), "What is asked for")
            self.make_filters(folders, endings)
            self.make_factors(factors)
            self.told = element("p", style="told").props('role="status" aria-live="polite"')
            self.results = element("div", style="results")
            with self.results:
                element("p", EMPTY if folders else NO_FOLDERS, "empty")

    def make_box(self, content: Element) -> None:
        """Words, files and the microphone."""
        limit = self.service.settings.server.upload_mb * 1_000_000
        upload = ui.upload(
            multiple=True, auto_upload=True, max_file_size=limit,
            on_begin_upload=lambda: self.tell("Sending the file …"), on_upload=self.on_file,
            on_rejected=lambda: self.tell(
                f"A file has at most {limit // 1_000_000} MB; see 'server.upload_mb'.", bad=True),
        ).classes("hidden").props('aria-hidden="true"')  # fmt: skip
        self.upload = upload
        content.on("drop", js_handler=browser.give_dropped(upload.id))
        content.on("dragover.prevent", js_handler="() => null")
        content.on("paste", js_handler=browser.give_pasted(upload.id))
        element("h1", "Search the library", "unseen")
        with element("search"), element("div", style="box"):
            self.box = ui.input(placeholder="Words, or drop a file").props(
                'outlined clearable autofocus type="search" aria-label="Search words"'
            )
            self.box.on("keydown.enter", self.search_words, args=[])
            self.box.on("clear", self.search_words, args=[])
            button("Search", self.search_words, "primary")
            pick = button("File…", None)
            pick.on("click", js_handler=browser.pick(upload.id))
            self.microphone = button("Record", None)
            self.microphone.on("click", self.on_record, js_handler=browser.record(upload.id))

    def make_filters(self, folders: dict[int, str], endings: list[str]) -> None:
        """What may answer."""
        with label(element("section", style="filters"), "Filters"):
            for modality, (_, name) in KINDS.items():
                chip = button(name, None, "chip").props('aria-pressed="false"')
                chip.on("click", lambda m=modality, c=chip: self.on_kind(m, c), args=[])
            filters = self.question.filters

            def setting(name: str, field: str, options: Mapping[Any, str]) -> None:
                async def change(value: object) -> None:
                    setattr(filters, field, value)
                    await self.search()

                choice(name, {None: "any", **options}, None, change)

            setting("Folder", "root", {root: name_of(path) for root, path in folders.items()})
            setting("Type", "ext", {ending: f".{ending}" for ending in endings})
            setting("Changed", "age", AGES)
            setting("Duration", "length", LENGTHS)

    def make_factors(self, factors: dict[str, str]) -> None:
        """How much of its experts counts, where a space of the library has some."""
        if not factors:
            return

        async def change(value: str | None) -> None:
            self.question.factors = value
            await self.search()

        with element("div", style="filters"):
            choice("Experts", {None: "as stored", **factors}, None, change)

    # What the visitor does.

    async def search_words(self) -> None:
        """Ask with what stands in the box."""
        self.question.set_words(self.box.value or "")
        await self.search()

    async def on_kind(self, modality: Modality, chip: Element) -> None:
        """Answer with that kind, too, or not any more."""
        self.question.into ^= {modality}
        chip.props(f'aria-pressed="{"true" if modality in self.question.into else "false"}"')
        await self.search()

    async def on_file(self, event: events.UploadEventArguments) -> None:
        """Ask with a file that was given."""
        self.upload.reset()
        name = name_of(event.file.name or "the file")
        suffix = Path(name).suffix.lower()
        if modality_of(Path("query" + suffix)) is None:
            heads = event.file.iterate(chunk_size=HEAD_BYTES)
            head = await anext(aiter(heads), b"")
            try:
                suffix = format_of(head)
            except Unreadable as error:
                self.tell(f"{name} cannot be searched for: {error.reason}", bad=True)
                return
        path = Path(self.folder.name) / f"{next(self.numbers)}{suffix}"
        await event.file.save(path)
        await self.put(Part("file", name, path))

    def on_record(self, event: events.GenericEventArguments) -> None:
        """Say that it listens, or why it cannot."""
        said = str(event.args)
        self.microphone._text = "Stop" if said == "recording" else "Record"
        self.microphone.update()
        lines = {"recording": "Listening: press Stop to search.", "ended": ""}
        self.tell(lines.get(said, f"Nothing is recorded: {said}"), bad=said not in lines)

    async def like(self, one: Found, weight: float = 1.0) -> None:
        """Ask for more like a card, or for less."""
        await self.put(Part("item", one.name, one.id, weight))

    async def put(self, part: Part) -> None:
        """Ask with that, too."""
        try:
            self.question.add(part)
        except UsageError as error:
            self.tell(str(error), bad=True)
            return
        await self.search()

    async def weigh(self, part: Part, weight: float) -> None:
        """Count a term more, less, or against."""
        part.weight = weight
        await self.search()

    async def drop(self, part: Part) -> None:
        """Ask without that."""
        self.question.parts.remove(part)
        if part.kind == "words":
            self.box.set_value("")
        await self.search()

    async def open(self, one: Found) -> None:
        """Show an item large."""
        try:
            detail.show(await look.whole(self.service, one), self.models)
        except look.Refused as error:
            self.tell(f"{one.name}: {error}", bad=True)

    # What the page shows.

    def tell(self, line: str, bad: bool = False) -> None:
        """One line below the box, also read aloud."""
        self.told._text = line
        self.told.classes(add="bad" if bad else "", remove="" if bad else "bad")
        self.told.update()

    async def search(self) -> None:
        """Ask, and show the answer."""
        self.asked += 1
        asked = self.asked
        self.show_parts()
        if not any(part.weight > 0 for part in self.question.parts):
            only = "Say also what you look for." if self.question.parts else ""
            self.show([], only or EMPTY)
            self.tell("")
            return
        self.tell("Searching …")
        try:
            answer = await look.answer(self.service, self.question)
        except look.Refused as error:
            if asked == self.asked:
                self.show([], str(error), alert=True)
                self.tell("")
            return
        if asked != self.asked:
            return
        self.show(answer.found, "" if answer.found else NONE_PASSES)
        self.tell(outcome(answer))

    async def more(self, modality: Modality) -> None:
        """More of one kind; nothing when something else was asked before it came."""
        asked = self.asked
        self.question.counts[modality] = self.question.counts.get(modality, STEP) + STEP
        try:
            answer = await look.answer(self.service, self.question, modality)
        except look.Refused as error:
            if asked == self.asked:
                self.tell(str(error), bad=True)
            return
        if asked != self.asked:
            return
        rest = [one for one in self.found if one.hit["modality"] != modality]
        self.show(rest + answer.found, "")

    def show(self, found: list[Found], line: str, alert: bool = False) -> None:
        """The cards, or a line instead."""
        self.found = found
        self.results.clear()
        words = " ".join(part.shown for part in self.question.parts if part.kind == "words")
        actions = Actions(self.open, self.like, lambda one: self.like(one, -1.0), self.more)
        with self.results:
            if line:
                element("p", line, "empty").props('role="alert"' if alert else "")
            sections(found, words, actions, self.full())

    def full(self) -> set[Modality]:
        """Kinds that filled all places: there may be more."""
        counts = dict.fromkeys(KINDS, 0)
        for one in self.found:
            counts[one.hit["modality"]] += 1
        return {
            modality
            for modality, count in counts.items()
            if count and count >= self.question.counts.get(modality, STEP)
        }

    def show_parts(self) -> None:
        """The terms as chips, each with its weight."""
        self.chips.clear()
        names = {
            weight: f"× {weight:g}" if weight > 0 else f"not × {-weight:g}" for weight in WEIGHTS
        }
        with self.chips:
            for part in self.question.parts:
                with element("li", style=f"part {'not' if part.weight < 0 else ''}"):
                    what = {"words": "“{}”", "file": "file {}", "item": "like {}"}[part.kind]
                    element("span", what.format(part.shown), "what")
                    choice("weight", names, part.weight, partial(self.weigh, part))
                    remove = button("×", lambda part=part: self.drop(part), "small")
                    label(remove, f"Remove {part.shown}")


def outcome(answer: look.Answered) -> str:
    """What an answer holds, in one line."""
    if not answer.found:
        return ""
    count = sum(not one.hit["weak"] for one in answer.found)
    line = f"{count} match{'' if count == 1 else 'es'}"
    if answer.no_match:
        line = "Nothing fits. These come nearest, but chance alone explains them."
    if answer.approximate:
        kinds = ", ".join(KINDS[one][1] for one in answer.approximate)
        line += f" (some may be missing of: {kinds})"
    return line


NONE_PASSES = "Nothing in the library passes these filters."
NO_FOLDERS = "This library is empty. Index a folder first: unisearch index FOLDER"
