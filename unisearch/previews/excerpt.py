"""The beginning of a text, as plain text."""

from __future__ import annotations

from unisearch.previews.make import Preview, PreviewOptions
from unisearch.records import TextSample


def make_excerpt(sample: TextSample, options: PreviewOptions) -> list[Preview]:
    """At most `options.chars` characters, cut behind a word, with an ellipsis when cut."""
    return [Preview("text", excerpt(sample.text, options.chars).encode("utf-8", "replace"))]


def excerpt(text: str, chars: int) -> str:
    """The text without blanks at its ends, or its beginning up to the end of a word and '…'.

    A word that is longer than all there is room for is cut in the middle.
    """
    text = text.strip()
    if len(text) <= chars:
        return text
    words = text[:chars].rsplit(maxsplit=1)
    whole = text[chars - 1].isspace() or len(words) < 2
    return (text[: chars - 1] if whole else words[0]).rstrip() + "…"
