"""The doctor sees each kind of damage, and nothing in a healthy library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from unisearch.config import Settings, load_settings
from unisearch.engine import vectors
from unisearch.engine.doctor import doctor, examined
from unisearch.engine.inspect import duplicates, roots, status
from unisearch.wiring import Rooms, open_rooms

SENTENCES = ("A dog barks.", "A cow moos.", "A train whistles.", "A dog barks.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings(library=tmp_path / "library", space="toy")
    media = tmp_path / "media"
    media.mkdir()
    for number, sentence in enumerate(SENTENCES):
        (media / f"{number}.txt").write_text(sentence)
    (media / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with Indexer(settings=settings) as indexer:
        indexer.run([media])
    return settings


@pytest.fixture
def rooms(settings: Settings) -> Iterator[Rooms]:
    with open_rooms(settings) as opened:
        yield opened


def errors(rooms: Rooms) -> str:
    return "\n".join(f.message for f in doctor(rooms) if f.level == "error")


def rows_of(rooms: Rooms, suffix: str) -> Path:
    [file] = rooms.library.glob(f"vectors/*/text/*{suffix}")
    return file


def test_a_healthy_library_has_no_finding(rooms: Rooms) -> None:
    findings = doctor(rooms)

    assert {finding.level for finding in findings} == {"ok"}
    assert "3 live rows, 0 dead" in "".join(finding.message for finding in findings)


@pytest.mark.parametrize("suffix", [".f16", ".keys"])
def test_a_flipped_bit_in_the_rows_is_found(rooms: Rooms, suffix: str) -> None:
    file = rows_of(rooms, suffix)
    content = bytearray(file.read_bytes())
    content[5] ^= 1
    file.write_bytes(content)

    assert "block 0" in errors(rooms)


def test_rows_that_are_cut_off_are_found(rooms: Rooms) -> None:
    file = rows_of(rooms, ".f16")
    file.write_bytes(file.read_bytes()[:-1])

    assert "rows are lost" in errors(rooms)


def test_a_segment_without_a_vector_is_found(rooms: Rooms, settings: Settings) -> None:
    with sqlite3.connect(settings.library / "catalog.db") as catalog:
        catalog.execute(
            "INSERT INTO segments (content_id, ordinal, text, modality)"
            " SELECT id, 9, '', modality FROM contents"
        )

    assert "3 segments have no vector" in errors(rooms)


def test_a_row_without_a_segment_is_found(rooms: Rooms, settings: Settings) -> None:
    with sqlite3.connect(settings.library / "catalog.db") as catalog:
        catalog.execute("DELETE FROM segments WHERE id = 1")

    assert "live rows belong to no segment" in errors(rooms)


def test_a_space_that_is_dropped_meanwhile_is_no_damage(
    rooms: Rooms, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dropped(_: object) -> dict[Any, Any]:
        with open_rooms(settings, write=True) as writing, writing.catalog.write() as tx:
            for row in tx.spaces():
                tx.drop_space(row)
        return {}

    monkeypatch.setattr(vectors, "without_partition", dropped)

    assert list(examined(rooms, vectors.vectors)) == []
    with rooms.catalog.view() as view:
        assert view.all_partitions() == []


def test_damaged_pages_of_the_catalogue_are_found(settings: Settings) -> None:
    file = settings.library / "catalog.db"
    with sqlite3.connect(file) as catalog:
        catalog.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [page, *_] = catalog.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'items' AND type = 'index'"
        ).fetchone()
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    file.write_bytes(content)

    with open_rooms(settings) as rooms:
        assert errors(rooms)


def test_weights_that_are_damaged_are_found(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"space": "starter", "models": tmp_path})
    (tmp_path / "starter").mkdir()
    (tmp_path / "starter" / "weights").write_bytes(b"flipped")
    (tmp_path / "starter" / "manifest.json").write_text('{"files": {"weights": "0123"}}')

    with open_rooms(other) as rooms:
        findings = doctor(rooms)

    assert any("damaged" in f.message for f in findings if f.level == "error")
    assert any("the library is of 'toy'" in f.message for f in findings if f.level == "warning")


def test_a_folder_out_of_reach_is_a_warning(rooms: Rooms, tmp_path: Path) -> None:
    (tmp_path / "media").rename(tmp_path / "elsewhere")

    warnings = [finding for finding in doctor(rooms) if finding.level == "warning"]

    assert [warning.message for warning in warnings] == [
        "not there now; its 4 items stay in the library"
    ]


def test_status_counts_what_is_there(rooms: Rooms, tmp_path: Path) -> None:
    found = status(rooms)

    assert found["modalities"] == {"text": {"items": 4, "contents": 3, "segments": 3}}
    assert found["failures"] == {"corrupt": 1}
    assert [root["path"] for root in found["roots"]] == [str(tmp_path / "media")]
    assert [(root.path, root.items) for root in roots(rooms)] == [(bytes(tmp_path / "media"), 4)]


def test_equal_files_are_duplicates(rooms: Rooms, tmp_path: Path) -> None:
    media = tmp_path / "media"

    assert duplicates(rooms) == [[bytes(media / "0.txt"), bytes(media / "3.txt")]]
