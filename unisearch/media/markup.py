"""The paragraphs of plain, marked-up and structured texts, without their marks."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

_LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
_MD_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MD_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>+\s?|```.*$|~~~.*$|\|?[-:| ]{3,}\|?$|={3,}$)")
_MD_EMPHASIS = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`+")
_TAG = re.compile(r"<[^<>]*>|\{[^{}]*\}")
_CUE_TIME = re.compile(r"^\s*(?:\d+:)?\d+:\d+[.,]\d+\s*-->")

_SILENT = frozenset(("script", "style", "noscript", "template", "svg", "math"))
_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small "
        "span strike strong sub sup time tt u var wbr",
    )
)


def plain(text: str) -> Iterator[str]:
    """Blocks between empty lines, wrapped lines joined; an item of a list is a block of its own."""
    block: list[str] = []
    for line in (*text.splitlines(), ""):
        if block and (not line.strip() or _LIST_ITEM.match(line)):
            yield from _unwrapped(block)
            block = []
        if line.strip():
            block.append(_LIST_ITEM.sub("", line).strip())


def _unwrapped(lines: list[str]) -> Iterator[str]:
    """The lines, joined where they were wrapped.

    A line was not wrapped, but ended by its author, when the next word would have fitted easily;
    where that holds for half of the lines, it is a list and every line ends where it ends.
    """
    width = 0.8 * max(len(line) for line in lines)
    ended = [
        len(before) + 1 + len(line.split(maxsplit=1)[0]) <= width
        for before, line in itertools.pairwise(lines)
    ]
    is_list = sum(ended) * 2 >= len(lines) - 1
    joined = lines[0]
    for line, alone in zip(lines[1:], ended, strict=True):
        if alone or is_list:
            yield joined
            joined = line
        else:
            joined += " " + line
    yield joined


def markdown(text: str) -> Iterator[str]:
    """As plain, without marks, addresses and tags; headings and rows of tables stand alone."""
    lines = []
    for line in text.splitlines():
        bare = _MD_EMPHASIS.sub("", _MD_LINK.sub(r"\1", _MD_MARKS.sub("", line)))
        bare = re.sub(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", " ", bare)
        if line.lstrip().startswith("|"):
            cells = (cell.strip() for cell in bare.strip().strip("|").split("|"))
            bare = ", ".join(cell for cell in cells if cell)
        alone = line.lstrip().startswith(("#", "|"))
        lines += ["", bare, ""] if alone else [bare]
    return plain("\n".join(lines))


def html(text: str) -> Iterator[str]:
    """The title and what a page shows, block by block, with the words for its pictures."""
    page = _Page()
    page.feed(text)
    page.close()
    return (block for block in "".join(page.shown).split("\n") if block.strip())


class _Page(HTMLParser):
    """Collects what is shown; a newline marks the edge of a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent.append(tag)
        elif tag == "img":
            self.handle_data(f" {dict(attrs).get('alt') or ''} ")
        elif tag not in _INLINE:
            self.shown.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.silent:
            if tag == self.silent[-1]:
                self.silent.pop()
        elif tag not in _INLINE:
            self.shown.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.shown.append(re.sub(r"\s+", " ", data))


def json_strings(text: str) -> Iterator[str]:
    """The strings of a JSON document, or of one document per line, in their order.

    Raises ValueError when it is neither.
    """
    try:
        return _strings(json.loads(text))
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
    documents = [json.loads(line) for line in lines]
    return _strings(documents)


def _strings(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from plain(value)
        elif isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def subtitles(text: str) -> Iterator[str]:
    """What is spoken, without numbers, times and tags: sentences may run over several cues."""
    spoken: list[str] = []
    for cue in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = cue.strip().split("\n")
        times = [place for place, line in enumerate(lines) if _CUE_TIME.match(line)]
        if times:  # what stands before the times is a number or a name; WebVTT has notes, too
            spoken += [_TAG.sub("", line).strip() for line in lines[times[0] + 1 :]]
    yield " ".join(line for line in spoken if line)


def table(text: str) -> Iterator[str]:
    """One block per row; the first line tells whether commas, semicolons or tabs divide it."""
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    for row in csv.reader(io.StringIO(text), delimiter=mark):
        filled = [cell.strip() for cell in row if cell.strip()]
        if filled:
            yield ", ".join(filled)
