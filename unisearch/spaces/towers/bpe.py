"""CLIP's byte-pair tokens, as several published towers read them, from its list of merges alone.

Source: clip/simple_tokenizer.py of openai/CLIP (MIT). There ftfy mends texts first; `clean` does
what ftfy does by itself, except that it does not guess at text that was decoded wrongly, and text
in the file that looks like a special token stays text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from pathlib import Path

from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from unisearch.errors import WeightsError, display

#: Of the files that a model's folder may have: one merge in each line after the first.
MERGES = "merges.txt"
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"

ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,24};")
#: Control characters and marks that are not seen; those that part words stay.
UNSEEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]")
#: Curled quotes, ligatures and letters of full or half width, to what a keyboard has.
PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u02bc\u2018\u2019\u201a\u201b", "'"),
        "ŉ": "'n",
        "ﬅ": "ſt",
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **{char: unicodedata.normalize("NFKC", char) for char in "ĲĳǄǅǆǇǈǉǊǋǌﬀﬁﬂﬃﬄﬆ\u3000"},
        **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFF01, 0xFFF0)},
    }
)


def clean(text: str) -> str:
    """The text as it is cut into tokens: mended, on one line, in lower case."""
    before = None
    while "<" not in text and text != before:  # with a tag in it, it may speak of entities
        before, text = text, ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = unicodedata.normalize("NFC", UNSEEN.sub("", text.translate(PLAIN)))
    return " ".join(html.unescape(html.unescape(text)).split()).lower()


class BytePairs:
    """Cleaned texts to token ids: the bytes, the bytes that end a word, the merges, start and end.

    folder: of a model, with the file MERGES
    Raises WeightsError when that is not there or no list of merges.
    """

    def __init__(self, folder: Path) -> None:
        merges = _read(folder / MERGES)
        letters = [*_alphabet(), *(letter + WORD_END for letter in _alphabet())]
        words = [*letters, *("".join(pair) for pair in merges), START, END]
        ids = {word: place for place, word in enumerate(words)}
        try:
            bpe = BPE(ids, merges, end_of_word_suffix=WORD_END)
        except Exception as error:  # the library raises nothing finer
            reason = str(error).splitlines()[0]
            raise WeightsError(
                f"{display(folder / MERGES)} is no list of merges: {reason}"
            ) from error
        self._tokenizer = Tokenizer(bpe)
        self._tokenizer.pre_tokenizer = Sequence(
            [
                Split(
                    Regex(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"),
                    "removed",
                    invert=True,
                ),
                ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self.size = len(words)
        self.start, self.end = ids[START], ids[END]

    def ids(self, text: str) -> list[int]:
        """Of a cleaned text, with start and end, however many."""
        return [self.start, *self._tokenizer.encode(text).ids, self.end]


def _alphabet() -> list[str]:
    """A letter for each byte in the order of their ids; those that are seen are themselves."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [*map(chr, seen), *(chr(0x100 + place) for place in range(256 - len(seen)))]


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()[1:]
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(
            f"{display(path)}, the merges of CLIP's tokens, cannot be read: {error}"
        ) from error
    pairs = [tuple(line.split()) for line in lines if line]
    if any(len(pair) != 2 for pair in pairs):
        raise WeightsError(f"{display(path)} is no list of merges: two words in each line")
    return [(left, right) for left, right in pairs]
