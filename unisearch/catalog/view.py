"""One read transaction on the catalogue: what a query asks of it, and all that else is known."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog import check, words
from unisearch.catalog.check import Problem
from unisearch.catalog.files import Files
from unisearch.catalog.folders import join
from unisearch.catalog.rows import SegmentRow, Span, StoredPart, WordMatch
from unisearch.catalog.spaces import Spaces
from unisearch.catalog.where_sql import Condition
from unisearch.records import Modality

# w: [segment, …]
_HITS = """
    SELECT s.id, s.content_id, i.id, i.root_id, i.rel_path, s.start_s, s.end_s, s.text,
           (SELECT count(*) - 1 FROM items WHERE content_id = s.content_id)
    FROM json_each(:wanted) w
    JOIN segments s ON s.id = w.value
    JOIN items i ON i.id = (SELECT min(id) FROM items WHERE content_id = s.content_id)
"""
# w: {segment: the item that is preferred, or null}.
# CASE: only a hit's own items are asked, never first all those that pass the filters.
_CHOSEN_HITS = """
    SELECT s.id, s.content_id, i.id, i.root_id, i.rel_path, s.start_s, s.end_s, s.text,
           (SELECT count(*) - 1 FROM items WHERE content_id = s.content_id)
    FROM json_each(:wanted) w
    JOIN segments s ON s.id = CAST(w.key AS INTEGER){contents}
    JOIN items i ON i.id = coalesce(
        (SELECT i.id FROM items i
         WHERE i.id = w.value AND i.content_id = s.content_id AND CASE WHEN 1{filters} THEN 1 END),
        (SELECT min(i.id) FROM items i
         WHERE i.content_id = s.content_id AND CASE WHEN 1{filters} THEN 1 END)
    )
"""
_FROM_CONTENTS = "FROM contents c JOIN segments s ON s.content_id = c.id"
_FROM_ITEMS = (
    "FROM items i JOIN contents c ON c.id = i.content_id JOIN segments s ON s.content_id = c.id"
)


class View(Files, Spaces):
    """Questions that all see the same committed state.

    Here those about segments; about files and spaces see the classes that it is made of.
    """

    def match_words(
        self,
        query: str,
        limit: int,
        modalities: Sequence[Modality] | None = None,
        under: bytes | None = None,
        where: Condition | None = None,
    ) -> list[WordMatch]:
        """The segments whose name, tags, words or passage fit, best first; no input is an error.

        modalities, under, where: only segments that pass these filters are counted to the limit
        """
        filters, values = self._filters(under, where)
        filters += _of_modalities(modalities, values)
        return words.match_words(self._connection, query, limit, filters, values)

    def hits(
        self,
        segment_ids: Iterable[int],
        under: bytes | None = None,
        prefer: Mapping[int, int] | None = None,
        where: Condition | None = None,
    ) -> dict[int, SegmentRow]:
        """Segments by id, each with its first item that passes the filters, in one statement.

        prefer: items by segment, each taken instead of the first one when it has that segment
        Ids that are unknown, or without an item that passes, are left out.
        """
        wanted = list(map(int, segment_ids))
        if under is None and where is None and not prefer:
            rows = self._connection.execute(_HITS, {"wanted": str(wanted)})  # as JSON has it
        else:
            rows = self._chosen(wanted, under, prefer or {}, where)
        roots = self._root_paths()
        return {
            segment: SegmentRow(segment, content, item, join(roots[root], rel_path), *rest)
            for segment, content, item, root, rel_path, *rest in rows
            if root in roots
        }

    def _chosen(
        self,
        segment_ids: Iterable[int],
        under: bytes | None,
        prefer: Mapping[int, int],
        where: Condition | None,
    ) -> sqlite3.Cursor:
        """The rows of `hits` where not just any item will do."""
        filters, values = self._filters(under, where)
        values["wanted"] = json.dumps({key: prefer.get(key) for key in segment_ids})
        # A row that nobody asks for is a page of the file less to read.
        contents = " JOIN contents c ON c.id = s.content_id" if "c." in filters else ""
        statement = _CHOSEN_HITS.format(filters=filters, contents=contents)
        return self._connection.execute(statement, values)

    def segments(
        self,
        under: bytes | None = None,
        modalities: Sequence[Modality] | None = None,
        items: Sequence[int] | None = None,
        where: Condition | None = None,
    ) -> NDArray[np.int64]:
        """The ids of all segments that pass every given filter, ascending.

        modalities: of the segments, not of their files: a video has some of sound
        One file has to pass `under`, `items` and `where`; copies share their segments.
        """
        filters, values = self._filters(under, where)
        if items is not None:
            filters += " AND i.id IN (SELECT value FROM json_each(:items))"
            values["items"] = json.dumps([int(item) for item in items])
        source = _FROM_ITEMS if re.search(r"\bi\.", filters) else _FROM_CONTENTS
        filters += _of_modalities(modalities, values)
        return self._ids(f"SELECT group_concat(s.id) {source} WHERE 1{filters}", values)

    def segments_of(self, item: int) -> dict[Modality, NDArray[np.int64]]:
        """The ids of an item's segments by their modality, ascending; its copies share them."""
        rows = self._run(
            "SELECT s.modality, s.id FROM items i JOIN segments s ON s.content_id = i.content_id"
            " WHERE i.id = ? ORDER BY s.id",
            item,
        )
        found: dict[Modality, list[int]] = {}
        for modality, segment in rows:
            found.setdefault(modality, []).append(segment)
        return {modality: np.array(ids, np.int64) for modality, ids in found.items()}

    def parts_of(self, content: int) -> list[StoredPart]:
        """The segments of a content, in order."""
        rows = self._run(
            "SELECT id, start_s, end_s, text, modality FROM segments WHERE content_id = ?"
            " ORDER BY ordinal",
            content,
        )
        return [StoredPart(row[0], Span(*row[1:])) for row in rows]

    def contents_of(self, segment_ids: Iterable[int]) -> dict[int, list[int]]:
        """The contents that these segments are of, each with those of its segments."""
        rows = self._run(
            "SELECT s.content_id, s.id FROM json_each(?) w JOIN segments s ON s.id = w.value",
            json.dumps([int(segment) for segment in segment_ids]),
        )
        found: dict[int, list[int]] = {}
        for content, segment in rows:
            found.setdefault(content, []).append(segment)
        return found

    def problems(self) -> list[Problem]:
        """What is wrong with the catalogue itself; reads every page."""
        return check.problems(self._connection)

    def readable(self) -> dict[str, tuple[int, bool]]:
        """(rows that can be read, whether these are all) of each table of a damaged catalogue."""
        return check.readable(self._connection)

    def _filters(self, under: bytes | None, where: Condition | None) -> tuple[str, dict[str, Any]]:
        """' AND ...' on items i and contents c that holds for what passes both, and its values."""
        filters, values = self._below(under)
        if where is None:
            return filters, values
        return f"{filters} AND {where.sql}", {**values, **where.values}


def _of_modalities(modalities: Sequence[Modality] | None, values: dict[str, Any]) -> str:
    """' AND ...' on segments s; what it names is added to the values."""
    if modalities is None:
        return ""
    values["modalities"] = json.dumps(list(modalities))
    return " AND s.modality IN (SELECT value FROM json_each(:modalities))"
