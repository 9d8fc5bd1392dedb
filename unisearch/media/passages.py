"""The grid that a text is cut by: passages of 1-3 sentences, at most 40 words, overlapping."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from unisearch.records import PASSAGE_SENTENCES, PASSAGE_WORDS

# Scripts without blanks between words: each sign counts as a word.
_SIGNS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
# What has no blanks for long (addresses, encoded data) counts once per 64 characters.
_UNIT = re.compile(rf"[{_SIGNS}]|[^\s{_SIGNS}]{{1,64}}")

# A sentence ends with its mark, closing quotes or brackets, then a blank; or right after a
# Chinese or Japanese full stop. A small letter behind it says that it was an abbreviation.
_END = re.compile(r"(?<=[.!?…])[\"'»”’)\]]*\s+(?![a-zà-ÿ])|(?<=[。！？])(?![」』）”])\s*")


def passages(paragraphs: Iterable[str]) -> Iterator[str]:
    """The passages of a text, in order.

    paragraphs: its blocks; a sentence never runs from one into the next
    As many sentences as fit into both limits, and the last of them opens the next passage
    when that leaves room for something new. A longer sentence becomes several passages:
    nothing is left out but blocks without a letter or digit.
    """
    units = list(sentences(paragraphs))
    counts = [count_words(unit) for unit in units]
    start = 0
    while start < len(units):
        end, words = start + 1, counts[start]
        while (
            end < len(units)
            and end - start < PASSAGE_SENTENCES
            and words + counts[end] <= PASSAGE_WORDS
        ):
            words += counts[end]
            end += 1
        yield " ".join(units[start:end])
        if end == len(units):
            return
        overlaps = end - 1 > start and counts[end - 1] + counts[end] <= PASSAGE_WORDS
        start = end - 1 if overlaps else end


def sentences(paragraphs: Iterable[str]) -> Iterator[str]:
    """The sentences, none longer than a passage may be; blanks are made single."""
    for paragraph in paragraphs:
        for sentence in _split(paragraph):
            if any(char.isalnum() for char in sentence):
                yield from _pieces(" ".join(sentence.split()))


def count_words(text: str) -> int:
    """The words of a text as the grid counts them."""
    return sum(1 for _ in _UNIT.finditer(text))


def _split(paragraph: str) -> Iterator[str]:
    start = 0
    for found in _END.finditer(paragraph):
        # The closing quotes that the expression passed over belong to this sentence.
        yield paragraph[start : found.end()].strip()
        start = found.end()
    yield paragraph[start:].strip()


def _pieces(sentence: str) -> Iterator[str]:
    """The sentence in pieces of at most PASSAGE_WORDS words, about equally long."""
    units = list(_UNIT.finditer(sentence))
    count = -(-len(units) // PASSAGE_WORDS)
    if count <= 1:
        yield sentence
        return
    edges = [len(units) * piece // count for piece in range(count + 1)]
    cuts = [0, *(units[edge].start() for edge in edges[1:-1]), len(sentence)]
    for left, right in itertools.pairwise(cuts):
        yield sentence[left:right].strip()
