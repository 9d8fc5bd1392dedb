"""Doctor, repair and export by the commands alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.e2e.commands import Command


@pytest.fixture
def media(tmp_path: Path, unisearch: Command) -> Path:
    """Three indexed texts."""
    media = tmp_path / "media"
    media.mkdir()
    for number, words in enumerate(("A dog barks.", "Rain falls.", "A red door.")):
        (media / f"{number}.txt").write_text(words)
    assert unisearch("index", "media").code == 0
    return media


def rows(tmp_path: Path, suffix: str) -> Path:
    [file] = (tmp_path / "library" / "vectors").glob(f"*/text/*{suffix}")
    return file


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damaged_rows_are_found_mended_and_read_again(
    unisearch: Command, media: Path, tmp_path: Path
) -> None:
    right = unisearch("search", "a dog", "--paths").out
    assert unisearch("doctor").code == 0
    spoil(rows(tmp_path, ".f16"))

    sick = unisearch("doctor", "--json")
    would = unisearch("repair", "--dry-run")
    asked = unisearch("search", "a dog", "--paths")
    mended = unisearch("repair", "--json")
    waits = unisearch("doctor", "--json")
    indexed = unisearch("index", "media", "--json")

    assert sick.code == 1
    assert b"unisearch repair" in sick.out
    assert b"to be read again" in would.out
    assert "damaged and left out" in asked.err
    assert [row["path"] for row in mended.json()["again"]] == [
        str(p) for p in sorted(media.iterdir())
    ]
    [waiting] = [one for one in waits.json()["findings"] if one["level"] == "warning"]
    assert "3 files wait to be read again" in waiting["message"]
    assert indexed.json()["counts"]["updated"] == 3
    assert unisearch("doctor").code == 0
    assert unisearch("search", "a dog", "--paths").out == right
    assert b"nothing to mend" in unisearch("repair").out


def test_a_catalogue_that_is_none_any_more_is_told_and_left_alone(
    unisearch: Command, media: Path, tmp_path: Path
) -> None:
    file = tmp_path / "library" / "catalog.db"
    file.write_bytes(b"no database, " * 4_000)

    sick = unisearch("doctor", "--json")
    told = unisearch("repair")

    assert sick.code == 1
    assert b'"level": "error"' in sick.out
    assert told.code == 1
    assert b"restore a copy" in told.out
    assert file.read_bytes().startswith(b"no database")
    assert "unexpected" not in sick.err + told.err


def test_export_writes_npz_and_parquet_and_overwrites_only_when_told(
    unisearch: Command, media: Path, tmp_path: Path
) -> None:
    first = unisearch("export", "out.npz")
    again = unisearch("export", "out.npz")
    forced = unisearch("export", "out.npz", "--force", "--into", "text")
    parquet = unisearch("export", "out.parquet")
    unknown = unisearch("export", "out.csv")
    nowhere = unisearch("export", "no/such/out.npz")

    assert (first.code, first.err) == (0, "out.npz: 3 vectors\n")
    assert np.load(tmp_path / "out.npz")["vector"].shape == (3, 64)
    assert (again.code, forced.code, parquet.code) == (1, 0, 0)
    assert "--force" in again.err
    assert unknown.code == 2
    assert "no such folder" in nowhere.err
