"""Bytes of a text file as text: Unicode marks, UTF-8, else a guess."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

from unisearch.media.damage import Damage

# The longer marks first: UTF-32 begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: A guess needs no more than this; the whole file is then decoded with it.
_GUESS_BYTES = 256 * 1024
_CONTROLS = frozenset(range(32)) - {7, 8, 9, 10, 11, 12, 13, 27}


def decoded(data: bytes) -> str:
    """The text; raises Damage for content that is binary or in no known encoding."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _marked(data, name)
    if sum(data[:65536].count(code) for code in _CONTROLS) > len(data[:65536]) // 1000:
        raise Damage("binary content")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(data[:_GUESS_BYTES]).best()
    if guess is None:
        raise Damage("text in no known encoding")
    return data.decode(guess.encoding, "replace")


def _marked(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        begins = name.upper().removesuffix("-SIG")
        reason = f"begins as {begins} text, but byte {error.start + 1:,} does not go on so"
        raise Damage(reason) from error
