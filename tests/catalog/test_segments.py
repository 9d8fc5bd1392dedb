"""A content whose segments are of two modalities, as those of a video are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np

from unisearch.catalog.mending import Mending
from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import Span, Stat

NOW = Stat(1, 1, 100, 1_000, 2_000)
SHOTS = [Span(0.0, 6.0, ""), Span(6.0, 12.0, "")]
WINDOWS = [Span(0.0, 10.0, "", "audio"), Span(5.0, 12.0, "", "audio")]


def film(catalog: Catalog, name: bytes = b"dog.mp4") -> int:
    """The item of a video of two shots, then two windows of sound."""
    with catalog.write() as tx:
        content = tx.put_content(name, 100, "video", {"duration_s": 12.0})
        tx.put_segments(content, [*SHOTS, *WINDOWS])
        item = tx.put_item(tx.add_root(b"/media"), name, NOW, content)
        tx.collect()
    return item


def test_each_modality_has_its_own_segments_of_a_video(catalog: Catalog) -> None:
    item = film(catalog)

    with catalog.view() as view:
        assert list(view.segments()) == [1, 2, 3, 4]
        assert list(view.segments(modalities=["video"])) == [1, 2]
        assert list(view.segments(modalities=["audio"])) == [3, 4]
        assert list(view.segments(items=[item], modalities=["audio"])) == [3, 4]
        parts = view.segments_of(item)
        assert {name: ids.tolist() for name, ids in parts.items()} == {
            "video": [1, 2],
            "audio": [3, 4],
        }


def test_the_item_is_a_video_whatever_its_segments_are(catalog: Catalog) -> None:
    item = film(catalog)

    with catalog.view() as view:
        row = view.item(item)
        assert row is not None
        assert row.modality == "video"
        assert view.counts().keys() == {"video"}
        assert view.counts()["video"].segments == 4


def test_a_name_stands_for_the_first_shot(catalog: Catalog) -> None:
    film(catalog)

    with catalog.view() as view:
        assert [match.segment for match in view.match_words("dog", 9)] == [1]
        assert [match.segment for match in view.match_words("dog", 9, ["video"])] == [1]
        assert view.match_words("dog", 9, ["audio"]) == []


def test_what_died_of_a_video_is_told_by_the_modality_of_the_segment(catalog: Catalog) -> None:
    item, _ = film(catalog), film(catalog, b"other.mp4")

    with catalog.write() as tx:
        tx.remove_items([item])
        died = tx.collect()

    assert {name: ids.tolist() for name, ids in died.items()} == {"video": [1, 2], "audio": [3, 4]}
    assert all(ids.dtype == np.int64 for ids in died.values())


def test_segments_of_an_unknown_modality_are_found_and_read_again(catalog: Catalog) -> None:
    item = film(catalog)
    with closing(sqlite3.connect(catalog.path)) as raw:
        raw.execute("UPDATE segments SET modality = 'smell' WHERE id = 3")
        raw.commit()

    with catalog.view() as view:
        found = [problem.message for problem in view.problems()]
    with catalog.write() as tx:
        Mending(tx).records()
        tx.collect()

    assert found == ["1 segments of an unknown modality"]
    with catalog.view() as view:
        row = view.item(item)
        assert row is not None
        assert row.content is None
        assert view.problems() == []
