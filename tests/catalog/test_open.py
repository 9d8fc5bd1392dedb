from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from unisearch.catalog import tables
from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import RootRow
from unisearch.errors import LibraryDamaged, LibraryError, LibraryMissing, LibraryTooNew

Add = Callable[..., int]


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_migrations_make_the_tables_that_the_models_describe(catalog: Catalog) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with create_engine(f"sqlite:///{catalog.path}").connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, parents: (
                    not (kind == "table" and name.startswith(tables.FTS_TABLES))
                )
            },
        )
        differences = compare_metadata(context, tables.Base.metadata)

    assert differences == []


def test_a_new_catalogue_is_durable_and_keeps_its_format(catalog: Catalog) -> None:
    with catalog.view() as view:
        answers = {
            name: view._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("user_version", "journal_mode", "synchronous", "foreign_keys")
        }

    assert answers == {
        "user_version": tables.FORMAT,
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
    }


def test_there_is_no_library_where_there_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(LibraryMissing, match="no library there"):
        Catalog.open(tmp_path / "catalog.db")

    assert list(tmp_path.iterdir()) == []


def test_a_newer_format_is_refused_in_one_line(catalog: Catalog) -> None:
    raw = sqlite3.connect(catalog.path)
    raw.execute(f"PRAGMA user_version = {tables.FORMAT + 1}")
    raw.close()

    for write in (False, True):
        with pytest.raises(LibraryTooNew) as caught:
            Catalog.open(catalog.path, write=write)
        assert "\n" not in str(caught.value)
        assert f"format {tables.FORMAT + 1}" in str(caught.value)


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    noise, foreign = tmp_path / "noise.db", tmp_path / "foreign.db"
    noise.write_bytes(b"no database at all" * 100)
    raw = sqlite3.connect(foreign)
    raw.execute("CREATE TABLE songs (title)")
    raw.close()

    with pytest.raises(LibraryDamaged, match="not a database"):
        Catalog.open(noise)
    with pytest.raises(LibraryDamaged, match="not a catalogue of unisearch"):
        Catalog.open(foreign, write=True)


def test_a_creation_that_was_killed_is_finished_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.touch()

    with pytest.raises(LibraryMissing, match="empty"):
        Catalog.open(path)
    with Catalog.open(path, write=True).view() as view:
        assert view.roots() == []
        assert view._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_an_older_format_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    from unisearch.catalog.migrations.versions import v0001_first as first

    path = tmp_path / "catalog.db"
    with closing(sqlite3.connect(path)) as old:
        for statement in (*first.TABLES, *first.FULL_TEXT):
            old.execute(statement)
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
        old.execute("INSERT INTO roots VALUES (1, x'2f6d')")
        old.execute("PRAGMA user_version = 1")
        old.commit()

    with pytest.raises(LibraryMissing, match="older format 1"):
        Catalog.open(path)
    migrated = Catalog.open(path, write=True)

    with closing(sqlite3.connect(tmp_path / "catalog.db.v1")) as copy:
        assert copy.execute("SELECT * FROM roots").fetchall() == [(1, b"/m")]
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    with migrated.view() as view:
        assert view.roots() == [RootRow(1, b"/m", True, 0)]
    assert Catalog.open(path).path == path


def test_segments_of_an_older_format_get_the_modality_of_their_content(
    catalog: Catalog, add: Add
) -> None:
    with catalog.write() as tx:
        add(tx, b"a.txt", texts=["One.", "Two."])
        add(tx, b"b.wav", modality="audio")
    catalog.close()
    with closing(sqlite3.connect(catalog.path)) as old:
        old.execute("ALTER TABLE segments DROP COLUMN modality")
        old.execute("DROP TABLE gaps")
        for column in ("state", "modalities", "reached", "goal"):
            old.execute(f"ALTER TABLE spaces DROP COLUMN {column}")
        old.execute("UPDATE alembic_version SET version_num = '0004'")
        old.execute("PRAGMA user_version = 4")
        old.commit()

    migrated = Catalog.open(catalog.path, write=True)

    with migrated.view() as view:
        assert list(view.segments(modalities=["text"])) == [1, 2]
        assert list(view.segments(modalities=["audio"])) == [3]
        assert view.problems() == []


def test_an_exception_undoes_the_whole_transaction(catalog: Catalog, add: Add) -> None:
    def interrupted() -> None:
        with catalog.write() as tx:
            add(tx, b"a.txt")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()

    with catalog.view() as view:
        assert view.roots() == []
        assert view.counts() == {}


def test_a_view_stays_as_it_was_while_others_write(catalog: Catalog, add: Add) -> None:
    with catalog.view() as view:
        before = view.counts()
        with catalog.write() as tx:
            add(tx, b"a.txt")
        assert view.counts() == before == {}

    with catalog.view() as view:
        assert view.counts()["text"].items == 1


def test_another_process_sees_a_commit_at_once(catalog: Catalog, add: Add) -> None:
    reader = Catalog.open(catalog.path)
    code = """
        import sys
        from pathlib import Path
        from unisearch.catalog.open import Catalog
        from unisearch.catalog.rows import Stat
        catalog = Catalog.open(Path(sys.argv[1]), write=True)
        with catalog.write() as tx:
            tx.put_item(tx.add_root(b"/media"), b"new.txt", Stat(1, 1, 1, 1, 1), None)
    """
    with reader.view() as view:
        assert view.item_at(b"/media/new.txt") is None

    done = run_python(code, str(catalog.path))

    assert done.returncode == 0, done.stderr
    with reader.view() as view:
        assert view.item_at(b"/media/new.txt") is not None


def test_a_writer_killed_inside_a_transaction_leaves_the_state_before(
    catalog: Catalog, add: Add
) -> None:
    with catalog.write() as tx:
        add(tx, b"kept.txt")
    code = """
        import os, signal, sys
        from pathlib import Path
        from unisearch.catalog.open import Catalog
        from unisearch.catalog.rows import Stat
        catalog = Catalog.open(Path(sys.argv[1]), write=True)
        with catalog.write() as tx:
            tx.put_item(1, b"lost.txt", Stat(1, 1, 1, 1, 1), None)
            os.kill(os.getpid(), signal.SIGKILL)
    """

    done = run_python(code, str(catalog.path))

    assert done.returncode == -9
    with Catalog.open(catalog.path, write=True).write() as tx:
        assert [item.display for item in tx.items()] == ["kept.txt"]


def test_a_reader_cannot_write(catalog: Catalog) -> None:
    reader = Catalog.open(catalog.path)

    with pytest.raises(LibraryError, match="no permission to write there"), reader.write() as tx:
        tx.add_root(b"/media")


def test_opening_a_catalogue_imports_no_migrations(catalog: Catalog) -> None:
    code = """
        import sys
        from pathlib import Path
        from unisearch.catalog.open import Catalog
        Catalog.open(Path(sys.argv[1]))
        print("alembic" in sys.modules)
    """

    assert run_python(code, str(catalog.path)).stdout == "False\n"


def test_a_catalogue_that_finds_no_room_says_what_to_do(catalog: Catalog, add: Add) -> None:
    def fill() -> None:
        with catalog.write() as tx:
            tx._run("PRAGMA max_page_count = 1")  # SQLite takes what it has as the least
            for number in range(2_000):
                add(tx, f"{number}.txt".encode())

    with pytest.raises(LibraryError, match="no space left on device: free some space"):
        fill()

    with catalog.view() as view:
        assert view.items() == []


def test_a_scrubbed_catalogue_holds_nothing_that_was_deleted(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"kept.txt", texts=["A lighthouse"])
        gone = add(tx, b"secret.txt", texts=["Xylophones everywhere"])
    copy = catalog.path.with_name("catalog.db.v1")
    copy.write_bytes(b"xylophones")
    with catalog.write() as tx:
        tx.remove_items([gone])
        tx.collect()

    catalog.scrub()

    assert not copy.exists()
    stored = b"".join(path.read_bytes().lower() for path in catalog.path.parent.glob("catalog*"))
    assert b"lighthous" in stored
    assert b"secret" not in stored
    assert b"xylophon" not in stored
    with catalog.view() as view:
        assert len(view.match_words("lighthouse", 5)) == 1
