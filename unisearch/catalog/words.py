"""Full text: names, tags and words of items, passages of texts."""

from __future__ import annotations

import os
import re
import unicodedata

from sqlalchemy import Connection

from unisearch.catalog.rows import Where, WordMatch

#: More words than this say nothing new and only cost time.
_MOST_WORDS = 32
#: English words that fit everything; left out of a question unless it has no others.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by for from has in into is it its of on or our some that the their"
        " them there these they this to was were which with",
    )
)

# A zero weight takes a column out of bm25, so that its share of the rank can be read off.
_ITEMS = """
    SELECT s.id,
           -bm25(item_words, 4.0, 3.0, 1.0) AS rank,
           -bm25(item_words, 4.0, 0.0, 0.0),
           -bm25(item_words, 0.0, 3.0, 0.0),
           -bm25(item_words, 0.0, 0.0, 1.0)
    FROM item_words
    JOIN items i ON i.id = item_words.rowid
    JOIN segments s ON s.content_id = i.content_id AND s.ordinal = 0
    WHERE item_words MATCH :query
    ORDER BY rank DESC, s.id LIMIT :limit
"""
_PASSAGES = """
    SELECT rowid, -bm25(passages) AS rank
    FROM passages WHERE passages MATCH :query
    ORDER BY rank DESC, rowid LIMIT :limit
"""
_COLUMNS: tuple[Where, ...] = ("name", "tag", "words")


def match_query(text: str) -> str:
    """The FTS5 expression that asks for every telling word of the text; '' when it has none.

    Each word is quoted, so that nothing in the text is read as syntax.
    """
    clean = text.encode("utf-8", "replace").decode("utf-8")
    words = list(dict.fromkeys(re.findall(r"\w+", unicodedata.normalize("NFC", clean).lower())))
    telling = [word for word in words if word not in _COMMON] or words
    return " ".join(f'"{word}"' for word in telling[:_MOST_WORDS])


def name_words(rel_path: bytes) -> str:
    """The words of a file's name: 'BigDog_02.wav' is 'BigDog_02 Big Dog 02'."""
    name = os.path.splitext(os.path.basename(rel_path))[0].decode("utf-8", "replace")  # noqa: PTH119, PTH122
    name = unicodedata.normalize("NFC", name)
    split = re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return " ".join([name, *split])


def match_words(connection: Connection, text: str, limit: int) -> list[WordMatch]:
    """The segments whose name, tags, words or passage hold every telling word, best first.

    An item stands for the first segment of its content. No input is an error.
    """
    query = match_query(text)
    if not query or limit < 1:
        return []
    asked = {"query": query, "limit": limit}
    found = [
        WordMatch(segment, rank, _COLUMNS[shares.index(max(shares))])
        for segment, rank, *shares in connection.exec_driver_sql(_ITEMS, asked)
    ]
    found += [
        WordMatch(segment, rank, "passage")
        for segment, rank in connection.exec_driver_sql(_PASSAGES, asked)
    ]
    found.sort(key=lambda match: (-match.rank, match.segment))
    best: dict[int, WordMatch] = {}
    for match in found:
        best.setdefault(match.segment, match)
    return list(best.values())[:limit]
