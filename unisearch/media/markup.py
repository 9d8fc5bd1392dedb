"""The paragraphs of plain, marked-up and structured texts, without their marks."""

from __future__ import annotations

import csv
import io
import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from unisearch.media.damage import Damage

logger = logging.getLogger(__name__)

_LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
# Each part ends before what would open it again, so that no part of a line is looked at twice.
_MD_LINK = re.compile(r"!?\[([^\[\]]*+)\](?:\((?:[^()]++|\([^()]*+\))*+\)|\[[^\[\]]*+\])")
_MD_TAG = re.compile(r"</?[a-zA-Z][^<>]*+>")
_COMMENT = re.compile(r"<!--.*?-->")
_MD_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>+\s?|```.*$|~~~.*$|\|?[-:| ]{3,}\|?$|={3,}$)")
_MD_EMPHASIS = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`+")
_SELF_CLOSED = re.compile(
    r"<(script|style|noscript|template|svg|math|title|textarea|iframe)\b([^<>]*)/>", re.IGNORECASE
)
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
        bare = _MD_MARKS.sub("", line.strip())
        for _ in range(2):  # a picture may stand inside a link
            bare = _MD_LINK.sub(r"\1", bare)
        bare = _MD_TAG.sub(" ", _without_comments(_MD_EMPHASIS.sub("", bare)))
        if line.lstrip().startswith("|"):
            cells = (cell.strip() for cell in bare.strip().strip("|").split("|"))
            bare = ", ".join(cell for cell in cells if cell)
        alone = line.lstrip().startswith(("#", "|"))
        lines += ["", bare, ""] if alone else [bare]
    return plain("\n".join(lines))


def _without_comments(line: str) -> str:
    """Behind the last end of a comment there is no other to look for."""
    end = line.rfind("-->") + 3
    return line if end < 3 else _COMMENT.sub(" ", line[:end]) + line[end:]


def html(text: str) -> Iterator[str]:
    """The title and what a page shows, block by block, with the words for its pictures."""
    page = _Page()
    # Pages written as XML close what HTML would read on from, to the end of the page.
    closed = _SELF_CLOSED.sub(r"<\1\2></\1>", text)
    parser = etree.HTMLParser(target=page, encoding="utf-8", huge_tree=True)
    parser.feed(closed.encode("utf-8", "replace"))
    parser.close()
    return (block for block in "".join(page.shown).split("\n") if block.strip())


class _Page:
    """Collects what is shown, as lxml tells it; a newline marks the edge of a block."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.silent: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _SILENT:
            self.silent.append(tag)
        elif tag == "img":
            self.data(f" {attributes.get('alt', '')} ")
        elif tag not in _INLINE:
            self.shown.append("\n")

    def end(self, tag: str) -> None:
        if self.silent:
            if tag == self.silent[-1]:
                self.silent.pop()
        elif tag not in _INLINE and tag != "img":
            self.shown.append("\n")

    def data(self, data: str) -> None:
        if not self.silent:
            self.shown.append(re.sub(r"\s+", " ", data))

    def close(self) -> None:
        """Asked for by lxml; all is collected already."""


def json_strings(text: str) -> Iterator[str]:
    """The strings of a JSON document, or of one document per line, in their order.

    Raises Damage when it is neither.
    """
    try:
        return _strings(json.loads(text))
    except json.JSONDecodeError as error:
        whole = error
    documents = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if line.strip():
                documents.append(json.loads(line))
        except json.JSONDecodeError as error:
            if not documents:  # not written in lines: its first line is no document
                raise whole from None
            place = f"line {number}, column {error.colno}"
            raise Damage(f"its JSON is broken in {place}") from error
    return _strings(documents)


def json_lines(text: str, name: str = "") -> Iterator[str]:
    """The strings of one JSON document per line; a line that is none is left out.

    name: of the file, for the warning
    Raises Damage, or the error of the first document, when no line is JSON.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    documents = []
    for line in lines:
        # Too deep for the parser is as good as broken.
        with suppress(ValueError, RecursionError):
            documents.append(json.loads(line))
    if not documents:
        return json_strings(text)
    if len(documents) < len(lines):
        left_out = len(lines) - len(documents)
        logger.warning("%s: %d of %d lines are no JSON: left out", name, left_out, len(lines))
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
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    first = unix.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    # The module's limit of 131,072 characters a cell guards nothing here: the text is in memory.
    csv.field_size_limit(max(csv.field_size_limit(), len(unix)))
    for row in csv.reader(io.StringIO(unix), delimiter=mark):
        filled = [cell.strip() for cell in row if cell.strip()]
        if filled:
            yield ", ".join(filled)
