"""Texts in, passages out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from unisearch.errors import Unreadable, display
from unisearch.media import markup
from unisearch.media.damage import broken
from unisearch.media.encoding import decoded
from unisearch.media.files import read_bytes
from unisearch.media.passages import passages
from unisearch.media.signature import DOCUMENT
from unisearch.records import Part, Reading, ReadOptions, TextSample

_DATA = (".json", ".jsonl", ".ndjson")

PARAGRAPHS: dict[str, Callable[[str], Iterable[str]]] = {
    ".md": markup.markdown,
    ".markdown": markup.markdown,
    ".html": markup.html,
    ".htm": markup.html,
    ".xhtml": markup.html,
    ".json": markup.json_strings,
    ".jsonl": markup.json_lines,
    ".ndjson": markup.json_lines,
    ".srt": markup.subtitles,
    ".vtt": markup.subtitles,
    ".csv": markup.table,
    ".tsv": markup.table,
}


def read_text(path: Path, options: ReadOptions) -> Reading:
    """One part per passage; a passage is its sample's text and its `text`.

    Raises Unreadable for binary content, for a text without a word and for one that is larger
    than options.max_text_bytes (a PDF may be as large as any file, but not its text).
    """
    suffix = path.suffix.lower()
    words = ""
    labels: dict[str, tuple[str, ...]] = {}
    if suffix == ".pdf":
        from unisearch.media.pdf import pages, tags

        paragraphs: Iterable[str] = pages(path, options)
        words, labels = tags(path, options)
    else:
        text = decoded(read_bytes(path, min(options.max_text_bytes, options.max_file_bytes)))
        paragraphs = _reader(path, suffix)(text)
    paragraphs = list(paragraphs)
    parts = [Part(TextSample(passage), text=passage) for passage in passages(paragraphs)]
    if not parts and suffix in _DATA:
        raise Unreadable(path, "unsupported", "it holds data but no words")
    if not parts:
        scanned = " (scanned pages need text recognition first)" if suffix == ".pdf" else ""
        raise broken(path, DOCUMENT, f"the text has no words{scanned}")
    facts = {"chars": sum(len(paragraph) for paragraph in paragraphs)}
    preview = TextSample(beginning(paragraphs)) if options.preview_side else None
    return Reading("text", parts, facts, words, labels=labels, preview=preview)


def beginning(paragraphs: Iterable[str], chars: int = 4_000) -> str:
    """The first paragraphs, one per line, up to about so many characters."""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines.append(paragraph.strip()[:chars])
        chars -= len(lines[-1])
        if chars <= 0:
            break
    return "\n".join(line for line in lines if line)


def _reader(path: Path, suffix: str) -> Callable[[str], Iterable[str]]:
    reader = PARAGRAPHS.get(suffix, markup.plain)
    return partial(markup.json_lines, name=display(path)) if reader is markup.json_lines else reader
