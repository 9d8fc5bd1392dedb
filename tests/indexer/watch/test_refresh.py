"""A run over places that a watcher points at, which nobody asked for."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import Indexer, Report
from unisearch.errors import LibraryMissing

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


def refresh(library: Library, *places: Path) -> Report:
    return Indexer(settings=library.settings).refresh([bytes(place) for place in places])


@pytest.fixture
def filled(library: Library, make: Make) -> Library:
    make["text"](library.media / "deep" / "owl.txt", "An owl hoots")
    make["text"](library.media / "deep" / "cow.txt", "A cow moos")
    make["text"](library.media / "top.txt", "A top spins")
    library.run()
    return library


def test_a_place_that_is_gone_is_dropped(filled: Library) -> None:
    (filled.media / "top.txt").unlink()
    shutil.rmtree(filled.media / "deep")

    report = refresh(filled, filled.media / "top.txt", filled.media / "deep")

    assert (report.removed, report.failed) == (3, [])
    assert filled.names() == []
    assert filled.roots() == [bytes(filled.media)]


def test_a_root_that_is_gone_keeps_its_files(filled: Library) -> None:
    shutil.rmtree(filled.media)

    report = refresh(filled, filled.media, filled.media / "deep", filled.media / "top.txt")

    assert report.removed == 0
    assert filled.names() == ["cow.txt", "owl.txt", "top.txt"]


def test_a_drive_below_a_root_that_is_not_mounted_keeps_its_files(filled: Library) -> None:
    with sqlite3.connect(filled.path / "catalog.db") as catalog:
        catalog.execute("UPDATE items SET device = device + 1 WHERE display LIKE '%deep%'")
    for file in (filled.media / "deep").iterdir():
        file.unlink()

    report = refresh(filled, filled.media / "deep" / "owl.txt", filled.media / "deep" / "cow.txt")

    assert report.removed == 0
    assert len(filled.names()) == 3


def test_both_ends_of_a_moved_tree_keep_its_items(
    filled: Library, nothing_embedded: Callable[[], None]
) -> None:
    before = {item.path.rsplit(b"/", 1)[1]: item.id for item in filled.items()}
    (filled.media / "deep").rename(filled.media / "deeper")
    nothing_embedded()

    report = refresh(filled, filled.media / "deep", filled.media / "deeper")

    assert (report.moved, report.removed) == (2, 0)
    assert {item.path.rsplit(b"/", 1)[1]: item.id for item in filled.items()} == before


def test_what_an_ordinary_run_passes_over_is_passed_over(filled: Library) -> None:
    filled.settings = filled.settings.model_copy(
        update={"index": filled.settings.index.model_copy(update={"ignore": ("drafts/*",)})}
    )
    (filled.media / ".unisearchignore").write_text("secret/\n")
    outside = filled.media.parent / "outside.txt"
    places = [filled.media / name for name in ("drafts", "secret", ".hidden.txt", "x.unknown")]
    for folder in places[:2]:
        folder.mkdir()
        (folder / "new.txt").write_text("New.")
    for file in (*places[2:], outside):
        file.write_text("New.")

    report = refresh(filled, outside, *places, *(folder / "new.txt" for folder in places[:2]))

    assert (report.added, report.failed) == (0, [])
    assert filled.names() == ["cow.txt", "owl.txt", "top.txt"]
    assert filled.roots() == [bytes(filled.media)]


def test_of_a_folder_of_single_files_only_these_are_looked_at(library: Library) -> None:
    known, other = library.media / "known.txt", library.media / "other.txt"
    known.write_text("Known.")
    library.run(known)
    known.write_text("Known, and changed.")
    other.write_text("Other.")

    report = refresh(library, library.media, other)

    assert (report.added, report.updated) == (0, 1)
    assert library.names() == ["known.txt"]


def test_what_is_gone_can_be_spared(filled: Library) -> None:
    (filled.media / "top.txt").unlink()
    asked: list[list[bytes]] = []

    report = Indexer(settings=filled.settings).refresh(
        [bytes(filled.media)], spare=lambda gone: asked.append(list(gone)) or gone
    )

    assert asked == [report.spared] == [[bytes(filled.media / "top.txt")]]
    assert report.removed == 0
    assert "top.txt" in filled.names()


def test_a_library_that_is_not_there_is_not_made(library: Library) -> None:
    with pytest.raises(LibraryMissing):
        refresh(library, library.media)

    assert not library.path.exists()
