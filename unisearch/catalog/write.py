"""One write transaction on the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unisearch.catalog import tables
from unisearch.catalog.rows import DyingRow, Span
from unisearch.catalog.statements import inserting
from unisearch.catalog.texts import storable
from unisearch.catalog.view import View
from unisearch.catalog.write_files import FileChanges
from unisearch.catalog.write_spaces import SpaceChanges
from unisearch.records import FACTS, GRID_VERSION, Modality


class Writing(FileChanges, SpaceChanges, View):
    """Changes that become visible together. What it wrote it also reads.

    Here those of contents and their segments; of files and spaces see the classes that it is made
    of. A content whose last item went is an orphan: `collect` removes it and says which segments
    died, and `bury` marks their rows. A transaction that leaves orphans behind is undone.
    """

    def put_content(
        self,
        digest: bytes,
        size_bytes: int,
        modality: Modality,
        facts: Mapping[str, float],
        words: str = "",
        truncated_at_s: float | None = None,
        labels: Mapping[str, Iterable[str]] | None = None,
    ) -> int:
        """A new content; its id. It needs an item before the transaction ends."""
        content = self._insert(
            tables.Content,
            {
                "digest": digest,
                "size_bytes": size_bytes,
                "modality": modality,
                "grid_version": GRID_VERSION,
                "words": storable(words),
                "truncated_at_s": truncated_at_s,
                **{name: facts.get(name) for name in FACTS},
            },
        )
        for name, values in (labels or {}).items():
            for value in dict.fromkeys(map(storable, values)):
                self._run("INSERT INTO labels VALUES (?, ?, ?)", content, name, value)
        self._maybe_orphans.add(content)
        return content

    def put_segments(self, content: int, spans: Sequence[Span]) -> NDArray[np.int64]:
        """The segments of a new content, in order; their ids, ascending."""
        last = self.last_segment()
        ids = np.arange(last + 1, last + 1 + len(spans), dtype=np.int64)
        [own] = self._run("SELECT modality FROM contents WHERE id = ?", content).fetchone()
        rows = [
            {
                "id": segment,
                "content_id": content,
                "ordinal": ordinal,
                "start_s": span.start_s,
                "end_s": span.end_s,
                "text": storable(span.text),
                "modality": span.modality or own,
            }
            for ordinal, (segment, span) in enumerate(zip(ids.tolist(), spans, strict=True))
        ]
        self._builder.execute(inserting(tables.Segment), rows)
        return ids

    def renew_segments(
        self, content: int, spans: Sequence[Span]
    ) -> tuple[NDArray[np.int64], dict[Modality, NDArray[np.int64]]]:
        """(ids of the content's new segments, ids of those that died, by modality)."""
        died = self._drop_segments(content)
        return self.put_segments(content, spans), died

    def _drop_segments(self, content: int) -> dict[Modality, NDArray[np.int64]]:
        died: dict[Modality, list[int]] = {}
        rows = self._run("SELECT modality, id FROM segments WHERE content_id = ?", content)
        for modality, segment in rows:
            died.setdefault(modality, []).append(segment)
        self._run("DELETE FROM segments WHERE content_id = ?", content)
        return {modality: np.array(ids, np.int64) for modality, ids in died.items()}

    def collect(self) -> dict[Modality, NDArray[np.int64]]:
        """Remove contents without items; the ids of the segments that died, by modality."""
        died: dict[Modality, list[NDArray[np.int64]]] = {}
        gone = self._run(
            "SELECT c.id FROM json_each(?) w JOIN contents c ON c.id = w.value"
            " WHERE NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id)",
            json.dumps(sorted(self._maybe_orphans)),
        ).fetchall()
        for (content,) in gone:
            for modality, ids in self._drop_segments(content).items():
                died.setdefault(modality, []).append(ids)
            for table in ("labels", "gaps"):
                self._run(f"DELETE FROM {table} WHERE content_id = ?", content)
            self._run("DELETE FROM contents WHERE id = ?", content)
        self._maybe_orphans.clear()
        return {modality: np.concatenate(ids) for modality, ids in died.items()}

    def dying(self) -> list[bytes]:
        """The digests that no content has any more after `collect`."""
        rows = self._run(
            "SELECT c.digest FROM json_each(?) w JOIN contents c ON c.id = w.value"
            " WHERE NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id)"
            " AND NOT EXISTS (SELECT 1 FROM contents o WHERE o.digest = c.digest AND o.id <> c.id)",
            json.dumps(sorted(self._maybe_orphans)),
        )
        return [digest for (digest,) in rows]

    def dying_contents(self, most: int) -> list[DyingRow]:
        """The contents that `collect` would remove, as far as their grid is today's; none when
        they are more than `most`."""
        rows = self._run(
            "SELECT c.id, c.digest, c.size_bytes, c.modality, c.words, c.truncated_at_s,"
            f" {', '.join(f'c.{name}' for name in FACTS)}"
            " FROM json_each(?) w JOIN contents c ON c.id = w.value WHERE c.grid_version = ?"
            " AND NOT EXISTS (SELECT 1 FROM items WHERE content_id = c.id) LIMIT ?",
            json.dumps(sorted(self._maybe_orphans)),
            GRID_VERSION,
            most + 1,
        ).fetchall()
        if len(rows) > most:
            return []
        return [
            DyingRow(
                content,
                digest,
                size_bytes,
                modality,
                words,
                cut_s,
                {name: fact for name, fact in zip(FACTS, facts, strict=True) if fact is not None},
                {name: tuple(values) for name, values in self.labels(content).items()},
            )
            for content, digest, size_bytes, modality, words, cut_s, *facts in rows
        ]

    def check_settled(self) -> None:
        """Raise when contents may have lost their last item and nobody collected them."""
        if self._maybe_orphans:
            raise RuntimeError("a write transaction ended without collect()")
