"""Full text: names, tags and words of items, passages of texts."""

from __future__ import annotations

import os
import re
import sqlite3
import unicodedata
from collections.abc import Mapping
from typing import Any

from unisearch.catalog.rows import WordMatch

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

#: (path, tags, words) of items i: of the tags and words those of the files beside them, too.
ITEM_WORDS = """
    SELECT i.rel_path,
           trim(coalesce((SELECT group_concat(word, ' ') FROM
            (SELECT word FROM tags WHERE item_id = i.id ORDER BY word)), '') || ' ' ||
           coalesce((SELECT group_concat(word, ' ') FROM
            (SELECT word FROM sidecar_tags WHERE item_id = i.id ORDER BY word)), '')),
           trim(coalesce(c.words, '') || ' ' || coalesce(s.words, ''))
    FROM items i LEFT JOIN contents c ON c.id = i.content_id
    LEFT JOIN sidecars s ON s.item_id = i.id
"""
# bm25 cannot be asked for in a grouped question: first all matches, then the best of each segment.
# Beside max() SQLite gives the item of the row that holds it.
_ITEMS = """
    WITH found AS MATERIALIZED (
        SELECT rowid AS item, -bm25(item_words, 4.0, 3.0, 1.0) AS rank
        FROM item_words WHERE item_words MATCH :query
    )
    SELECT s.id, max(f.rank), i.id
    FROM found f
    JOIN items i ON i.id = f.item
    JOIN contents c ON c.id = i.content_id
    JOIN segments s ON s.content_id = c.id AND s.ordinal = 0
    WHERE 1{filters}
    GROUP BY s.id ORDER BY 2 DESC, s.id LIMIT :limit
"""
_PASSAGES = """
    WITH found AS MATERIALIZED (
        SELECT rowid AS segment, -bm25(passages) AS rank
        FROM passages WHERE passages MATCH :query
    )
    SELECT s.id, max(f.rank), NULL
    FROM found f
    JOIN segments s ON s.id = f.segment
    JOIN contents c ON c.id = s.content_id
    JOIN items i ON i.content_id = c.id
    WHERE 1{filters}
    GROUP BY s.id ORDER BY 2 DESC, s.id LIMIT :limit
"""


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


def suffix_of(rel_path: bytes) -> str:
    """The suffix of a file's name, small letters: '.wav'."""
    return os.path.splitext(rel_path)[1].decode("utf-8", "replace").lower()  # noqa: PTH122


def match_words(
    connection: sqlite3.Connection,
    text: str,
    limit: int,
    filters: str = "",
    values: Mapping[str, Any] | None = None,
) -> list[WordMatch]:
    """The segments whose name, tags, words or passage hold every telling word, best first.

    filters, values: ' AND ...' on items i and contents c, and what it names
    An item stands for the first segment of its content. No input is an error.
    """
    query = match_query(text)
    if not query or limit < 1:
        return []
    asked = {"query": query, "limit": limit, **(values or {})}
    best: dict[int, WordMatch] = {}
    for statement in (_ITEMS, _PASSAGES):
        rows = connection.execute(statement.format(filters=filters), asked).fetchall()
        # bm25 of a short name and of a passage are not comparable, their share of the best is.
        for segment, rank, item in rows:
            match = WordMatch(segment, rank / rows[0][1], item)
            if known := best.get(segment):
                match = WordMatch(segment, max(match.rank, known.rank), known.item)
            best[segment] = match
    return sorted(best.values(), key=lambda match: (-match.rank, match.segment))[:limit]


def tag_key(word: str) -> str:
    """Equal for tags that differ only in case, or in how accents are stored, as in filters."""
    return unicodedata.normalize("NFC", word).casefold()
