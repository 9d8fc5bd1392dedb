"""A drive that is not mounted is no reason to forget what was on it."""

from __future__ import annotations

import shutil
import sqlite3

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
