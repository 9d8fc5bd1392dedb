"""Connections that are kept: while a view outlives them, and when the file is another one."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from unisearch.catalog.open import Catalog
from unisearch.catalog.readers import file_id
from unisearch.errors import LibraryError, LibraryMissing, LibraryTooNew

Add = Callable[..., int]


def made(folder: Path, root: bytes) -> Path:
    """A catalogue with one folder."""
    folder.mkdir()
    catalog = Catalog.create(folder / "catalog.db")
    with catalog.write() as tx:
        tx.add_root(root)
    catalog.close()
    return catalog.path


def roots(catalog: Catalog) -> list[bytes]:
    with catalog.view() as view:
        return [root.path for root in view.roots()]


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_connection_is_used_again_and_closed_at_the_end(catalog: Catalog) -> None:
    with catalog.view() as first:
        pass
    with catalog.view() as second:
        pass

    assert first._connection is second._connection
    catalog.close()
    assert not is_open(first._connection)


def test_a_view_in_another_thread_goes_on_and_its_connection_is_closed_with_it(
    catalog: Catalog,
) -> None:
    begun, closed = threading.Event(), threading.Event()
    used: list[sqlite3.Connection] = []

    def ask() -> None:
        with catalog.view() as view:
            begun.set()
            closed.wait(60)
            assert view.roots() == []
            used.append(view._connection)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(60)
    catalog.close()
    closed.set()
    thread.join()

    assert not is_open(used[0])


def test_a_connection_that_broke_is_not_used_again(catalog: Catalog) -> None:
    with pytest.raises(LibraryError), catalog.view() as view:
        view._connection.close()

    assert roots(catalog) == []


def test_a_library_that_took_the_place_of_another_is_read(tmp_path: Path) -> None:
    library = tmp_path / "library"
    catalog = Catalog.open(made(library, b"/old"))
    with catalog.view() as before:
        assert [root.path for root in before.roots()] == [b"/old"]

    library.rename(tmp_path / "away")
    made(library, b"/new")

    assert roots(catalog) == [b"/new"]
    assert not is_open(before._connection)
    with catalog.view() as after:
        assert after.file != before.file
    catalog.close()


def test_a_library_that_is_replaced_while_it_is_opened_is_told_from_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    catalog = Catalog.open(made(library, b"/old"))
    connect = catalog._readers._connect

    def replaced() -> sqlite3.Connection:
        monkeypatch.undo()
        library.rename(tmp_path / "away")
        made(library, b"/new")
        return connect()

    monkeypatch.setattr(catalog._readers, "_connect", replaced)

    with catalog.view() as view:
        assert [root.path for root in view.roots()] == [b"/new"]
        assert view.file == file_id(catalog.path)
    catalog.close()


def test_a_catalogue_that_is_refused_is_not_held_open(tmp_path: Path) -> None:
    path = made(tmp_path / "library", b"/media")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 999")

    with pytest.raises(LibraryTooNew) as error:
        Catalog.open(path)

    open_files = {one.resolve() for one in Path("/proc/self/fd").iterdir()}
    assert path not in open_files, error.value


def test_pages_of_a_file_that_became_shorter_are_not_looked_at(tmp_path: Path) -> None:
    path = made(tmp_path / "library", b"/media")
    writer = Catalog.open(path, write=True)
    with writer.write() as tx:
        for number in range(500):
            tx.add_root(b"/folder%d" % number)
    writer.scrub()  # so that all of it is in the file itself
    catalog = Catalog.open(path)
    with catalog.view() as before:
        assert len(before.roots()) == 501

    whole = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(whole // 2)

    with pytest.raises(LibraryError, match="doctor"):
        roots(catalog)
    assert not is_open(before._connection)
    catalog.close()
    writer.close()


def test_dead_rows_of_a_library_that_was_here_before_are_forgotten(tmp_path: Path) -> None:
    def with_dead(folder: Path, row: int) -> Path:
        path = made(folder, b"/media")
        catalog = Catalog.open(path, write=True)
        with catalog.write() as tx:
            tx.add_space("toy-1", "toy", 16)
            partition = tx.partition("toy-1", "text")
            tx.commit_rows(partition, 7, [])
            tx.bury(partition, np.array([row]))
        catalog.close()
        return path

    library = tmp_path / "library"
    catalog = Catalog.open(with_dead(library, 3))
    with catalog.view() as view:
        assert view.partitions("toy-1")["text"].dead.tolist() == [3]

    shutil.move(library, tmp_path / "away")
    with_dead(library, 5)

    with catalog.view() as view:
        assert view.partitions("toy-1")["text"].dead.tolist() == [5]
    catalog.close()


def test_a_library_that_was_moved_away_is_told_in_one_line(tmp_path: Path) -> None:
    library = tmp_path / "library"
    catalog = Catalog.open(made(library, b"/old"), write=True)
    roots(catalog)

    library.rename(tmp_path / "away")

    with pytest.raises(LibraryMissing, match="library: no library there"):
        roots(catalog)
    with pytest.raises(LibraryMissing, match="library: no library there"), catalog.write():
        pass
    assert not library.exists()
    library.touch()
    with pytest.raises(LibraryMissing, match="library: no library there"):
        roots(catalog)
    catalog.close()


def test_a_writer_does_not_go_on_in_another_library(tmp_path: Path) -> None:
    library = tmp_path / "library"
    catalog = Catalog.open(made(library, b"/old"), write=True)
    with catalog.write() as tx:
        tx.add_root(b"/more")

    library.rename(tmp_path / "away")
    made(library, b"/new")

    with pytest.raises(LibraryError, match="another library lies there"), catalog.write() as tx:
        tx.add_root(b"/lost")
    assert roots(catalog) == [b"/new"]
    catalog.close()


def test_a_library_that_cannot_change_is_read_again_and_again(tmp_path: Path) -> None:
    catalog = Catalog(made(tmp_path / "library", b"/media"), write=False, immutable=True)

    assert roots(catalog) == roots(catalog) == [b"/media"]
    catalog.close()
