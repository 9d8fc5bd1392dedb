"""Text to numbers without a vocabulary: each word is a bag of hashed pieces of itself."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BUCKETS = 16_384  # rows of the embedding; row 0 is padding
MAX_WORDS = 48  # that the network reads at once; passages have at most 40
MAX_PIECES = 28
MAX_LETTERS = 24  # a longer word counts as several, so that each letter is in some piece
#: Words that carry no meaning of their own; kept when a text has no others.
FILLERS = frozenset(
    re.split(r"\s+", "a an the of with and in on at to is are it its this that for by from s")
)


def hash_words(text: str) -> NDArray[np.int32]:
    """int32 (words, MAX_PIECES): hashed pieces of each word, 0 where there are no more.

    At least one row; words are letters and digits, in lower case, without fillers.
    """
    found = re.findall(rf"[^\W_]{{1,{MAX_LETTERS}}}", text.lower())
    words = [word for word in found if word not in FILLERS] or found or [text[:MAX_LETTERS]]
    return np.array([_pieces(word) for word in words], np.int32)


@lru_cache(maxsize=65_536)
def _pieces(word: str) -> tuple[int, ...]:
    """The whole word first, then its pieces of 3, 4 and 5 letters, with marks at both ends."""
    marked = f"<{word}>"
    grams = [marked[at : at + n] for n in (3, 4, 5) for at in range(len(marked) - n + 1)]
    hashes = [_bucket(f"={word}"), *map(_bucket, grams)][:MAX_PIECES]
    return tuple(hashes + [0] * (MAX_PIECES - len(hashes)))


def _bucket(piece: str) -> int:
    return 1 + zlib.crc32(piece.encode("utf-8", "surrogatepass")) % (BUCKETS - 1)
