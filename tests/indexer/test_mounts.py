"""A drive that is not mounted is no reason to forget what was on it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from tests.indexer.conftest import Library


def test_files_of_a_drive_that_is_not_mounted_stay(library: Library) -> None:
    """Where it was mounted, an empty folder of the disk above is left."""
    inner = library.media / "drive" / "deep"
    inner.mkdir(parents=True)
    (inner / "owl.txt").write_text("An owl hoots.")
    (library.media / "cow.txt").write_text("A cow moos.")
    library.run()
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        catalog.execute("UPDATE items SET device = device + 1 WHERE display LIKE '%owl.txt'")
    shutil.rmtree(inner)

    report = library.run()

    assert report.removed == 0
    [failure] = report.failed
    assert (failure.kind, failure.path) == ("vanished", bytes(library.media / "drive"))
    assert "not mounted" in failure.message
    assert library.names() == ["cow.txt", "owl.txt"]


def test_files_deleted_from_a_folder_that_is_empty_now_are_dropped(library: Library) -> None:
    file = library.media / "owl.txt"
    file.write_text("An owl hoots.")
    library.run()
    file.unlink()

    report = library.run()

    assert (report.removed, report.failed) == (1, [])
    assert library.names() == []


def test_copies_of_files_on_an_unplugged_drive_are_new_files(
    library: Library, tmp_path: Path
) -> None:
    drive, home = tmp_path / "drive", tmp_path / "home"
    drive.mkdir()
    home.mkdir()
    owl = drive / "owl.txt"
    owl.write_text("An owl hoots.")
    emptied = tmp_path / "emptied"
    emptied.mkdir()
    (emptied / "old.txt").write_text("Old.")
    library.run(drive, emptied)
    (emptied / "old.txt").unlink()
    library.run(emptied)
    [kept] = library.items()
    shutil.copyfile(owl, home / "copy.txt")
    drive.rename(tmp_path / "unplugged")
    emptied.rmdir()

    foreseen = library.run(home, dry_run=True)
    report = library.run(home)

    assert (foreseen.added, foreseen.moved) == (report.added, report.moved) == (1, 0)
    assert [item.path for item in library.items()] == [bytes(owl), bytes(home / "copy.txt")]
    assert library.items()[0] == kept
    assert library.roots() == [bytes(drive), bytes(emptied), bytes(home)]


def test_copies_of_files_on_a_drive_that_is_not_mounted_are_new_files(
    library: Library, tmp_path: Path
) -> None:
    drive, home = tmp_path / "drive", tmp_path / "home"
    drive.mkdir()
    home.mkdir()
    (drive / "owl.txt").write_text("An owl hoots.")
    library.run(drive)
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        catalog.execute("UPDATE items SET device = device + 1")
    (drive / "owl.txt").rename(tmp_path / "away.txt")
    shutil.copyfile(tmp_path / "away.txt", home / "copy.txt")

    report = library.run(home)

    assert (report.added, report.moved) == (1, 0)
