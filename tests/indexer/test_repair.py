"""What can be mended is mended, what is lost is told, and nothing is guessed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer import Indexer
from indexer.compaction import tidy
from indexer.lock import take_lock
from indexer.repair import Repaired, repair
from tests.storage.store import Store, settings_of
from unisearch.engine.doctor import doctor
from unisearch.errors import LibraryLocked, LibraryMissing
from unisearch.sections import VectorSettings
from unisearch.wiring import Rooms, open_rooms

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

EXACT = VectorSettings(gpu="off")
Make = dict[str, Callable[..., Path]]


def change(library: Library, *statements: str) -> None:
    """Break the catalogue by hand."""
    with closing(sqlite3.connect(library.path / "catalog.db")) as base, base:
        for statement in statements:
            base.execute(statement)


def wrong(library: Library) -> list[str]:
    """What the doctor complains about."""
    with open_rooms(library.settings) as rooms_:
        return wrong_in(rooms_)


def wrong_in(rooms_: Rooms) -> list[str]:
    return [one.message for one in doctor(rooms_) if one.level == "error"]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def rows(library: Library, modality: str, suffix: str) -> Path:
    [file] = library.path.glob(f"vectors/*/{modality}/*{suffix}")
    return file


@pytest.fixture
def filled(library: Library) -> Library:
    library.fill()
    library.run()
    library.finish()
    assert wrong(library) == []
    return library


def test_a_sound_library_has_nothing_to_mend(filled: Library) -> None:
    assert repair(filled.settings) == Repaired()


@pytest.mark.parametrize("suffix", [".f16", ".keys"])
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_files_of_damaged_rows_are_read_again_and_keep_id_and_tags(
    filled: Library, suffix: str, how: str
) -> None:
    before = filled.live_rows()
    item = filled.item("photos/beach.png").id
    with Indexer(settings=filled.settings) as indexer:
        indexer.tag([item], ["sea"])
    file = rows(filled, "image", suffix)
    if how == "flipped":
        flip(file, 3)
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()

    report = repair(filled.settings)

    assert report.again == [bytes(filled.media / "photos" / "beach.png")]
    assert (report.lost, report.left) == ([], [])
    assert wrong(filled) == []
    assert filled.item("photos/beach.png").content is None
    assert filled.run().updated == 1
    after = filled.live_rows()
    assert sorted(map(bytes, after.values())) == sorted(map(bytes, before.values()))
    with open_rooms(filled.settings) as rooms_, rooms_.catalog.view() as view:
        assert view.tags(item) == ["sea"]
        assert view.waiting() == []


def test_what_was_lost_with_the_file_is_told(filled: Library) -> None:
    (filled.media / "photos" / "beach.png").unlink()
    flip(rows(filled, "image", ".f16"), 0)

    report = repair(filled.settings)

    [line] = report.lost
    assert "beach.png: 1 vector of item" in line
    assert report.again == []
    assert wrong(filled) == []


def test_of_a_sound_that_is_gone_the_sound_windows_stay(filled: Library, make: Make) -> None:
    long = make["sound"](filled.media / "long.wav", 25, 3)
    filled.run()
    before = len(filled.live_rows())
    change(
        filled,
        "UPDATE segments SET content_id = (SELECT id FROM contents WHERE modality = 'audio'"
        " ORDER BY id DESC LIMIT 1), ordinal = 99, modality = 'audio' WHERE id ="
        " (SELECT min(s.id) FROM segments s JOIN contents c ON c.id = s.content_id"
        "  WHERE c.modality = 'text')",
    )
    long.unlink()

    report = repair(filled.settings)

    assert any("long.wav: 1 vector of item" in line for line in report.lost)
    assert wrong(filled) == []
    assert filled.item("long.wav").content is not None
    assert len(filled.live_rows()) == before - 1


def test_a_dry_run_says_it_and_changes_nothing(filled: Library) -> None:
    flip(rows(filled, "image", ".f16"), 0)
    change(filled, "DELETE FROM item_words")
    before = {path: path.read_bytes() for path in filled.path.rglob("*.*") if path.is_file()}

    report = repair(filled.settings, dry_run=True)

    assert report.again == [bytes(filled.media / "photos" / "beach.png")]
    assert any("words" in line for line in report.done)
    now = {path: path.read_bytes() for path in filled.path.rglob("*.*") if path.is_file()}
    changed = {path.name for path in now if now[path] != before.get(path)}
    assert changed <= {"catalog.db", "catalog.db-wal", "catalog.db-shm"}
    assert len(wrong(filled)) >= 2


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM item_words WHERE rowid = 1", "item_words"),
        ("UPDATE item_words SET name = 'other' WHERE rowid = 1", "item_words"),
        ("INSERT INTO passages (passages) VALUES ('delete-all')", "passages"),
        ("UPDATE items SET display = 'x' WHERE id = 1", "another name"),
        ("DELETE FROM contents WHERE modality = 'image'", "points to nothing"),
        ("DELETE FROM segments WHERE id = 1", "no segment"),
        ("UPDATE contents SET modality = 'imagf' WHERE modality = 'image'", "unknown modality"),
        ("UPDATE partitions SET dead = 1 WHERE id = 1", "dead rows wrong"),
        ("INSERT INTO dead_rows VALUES (1, 0, 900)", "outside"),
        ("INSERT INTO dead_rows VALUES (1, 0, 0)", "dead"),
        ("UPDATE sqlite_sequence SET seq = 1", "ids above"),
        ("UPDATE partitions SET count = -3 WHERE id = 1", "impossible extent"),
        ("UPDATE partitions SET count = 9000000000000 WHERE id = 1", "rows are lost"),
        ("DELETE FROM partitions WHERE id = 1", "segments have no vector"),
        ("UPDATE backgrounds SET digest = x'00' WHERE partition_id = 1", "checksum"),
        ("UPDATE blocks SET rows = 3 WHERE partition_id = 1", "fails its checksum"),
        ("INSERT INTO tags VALUES (77, 'word')", "points to nothing"),
        ("UPDATE segments SET text = CAST(x'54ff20' AS TEXT) WHERE text <> ''", "no UTF-8"),
        ("UPDATE contents SET words = CAST(x'80' AS TEXT) WHERE id = 1", "no UTF-8"),
        ("UPDATE items SET display = CAST(x'80' AS TEXT) WHERE id = 1", "no UTF-8"),
        ("UPDATE items SET suffix = '.x' WHERE id = 1", "another name"),
        ("UPDATE items SET suffix = CAST(x'80' AS TEXT) WHERE id = 1", "no UTF-8"),
    ],
)
def test_records_that_contradict_each_other_are_found_and_mended(
    filled: Library, statement: str, told: str
) -> None:
    before = len(filled.live_rows())
    change(filled, statement)
    assert told in "\n".join(wrong(filled))

    report = repair(filled.settings)

    assert (report.lost, report.left) == ([], [])
    assert report.done
    assert wrong(filled) == []
    filled.run()
    assert wrong(filled) == []
    assert len(filled.live_rows()) == before
    assert repair(filled.settings) == Repaired()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE partitions SET count = 9000000000000 WHERE modality = 'image'",
        "UPDATE partitions SET count = 0 WHERE modality = 'image'",
        "UPDATE partitions SET epoch = 64 WHERE modality = 'image'",
        "UPDATE spaces SET dim = 65",
        "UPDATE spaces SET dim = 0",
    ],
)
def test_numbers_that_the_checksums_prove_are_set_again_and_nothing_is_read(
    filled: Library, statement: str, nothing_embedded: Callable[[], None]
) -> None:
    before = filled.live_rows()
    change(filled, statement)
    assert wrong(filled)
    with open_rooms(filled.settings, write=True) as rooms_:
        tidy(rooms_)  # as any writer does first: what is left must be of use

    report = repair(filled.settings)

    nothing_embedded()
    assert (report.again, report.lost, report.left) == ([], [], [])
    assert wrong(filled) == []
    after = filled.live_rows()
    assert {key: bytes(row) for key, row in after.items()} == {
        key: bytes(row) for key, row in before.items()
    }
    assert filled.run().unchanged == 4


def test_an_item_below_an_unknown_folder_is_told_as_lost(filled: Library) -> None:
    change(filled, "UPDATE items SET root_id = 99 WHERE display = 'note.txt'")

    report = repair(filled.settings)

    assert any("'note.txt' below an unknown folder" in line for line in report.lost)
    assert wrong(filled) == []


def test_a_catalogue_with_damaged_pages_is_left_as_it_is(filled: Library) -> None:
    change(filled, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = filled.path / "catalog.db"
    with closing(sqlite3.connect(file)) as base:
        [page] = base.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'segments'"
        ).fetchone()
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    file.write_bytes(content)

    report = repair(filled.settings)

    assert file.read_bytes() == content
    assert report.done == []
    assert any("segments: 0 rows can be read" in line for line in report.lost)
    assert any("restore a copy" in line for line in report.left)


def test_what_a_killed_writer_left_is_removed(filled: Library) -> None:
    folder = rows(filled, "image", ".f16").parent
    (folder / "7.f16").write_bytes(b"half")
    (folder / ".7.keys.99.tmp").write_bytes(b"half")
    lone = filled.path / "vectors" / "gone-space" / "image" / "0.f16"
    lone.parent.mkdir(parents=True)
    lone.write_bytes(b"rows")
    with open_rooms(filled.settings) as rooms_:
        found = [one for one in doctor(rooms_) if one.subject == "left behind"]
    assert len(found) == 3

    report = repair(filled.settings)

    assert len(report.done) == 3
    assert not lone.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["0.f16", "0.keys"]


def test_another_writer_is_not_disturbed(filled: Library) -> None:
    lock = take_lock(filled.path)
    assert lock is not None

    with pytest.raises(LibraryLocked, match="another process writes"):
        repair(filled.settings)


def test_nothing_is_made_where_no_library_is(library: Library) -> None:
    with pytest.raises(LibraryMissing):
        repair(library.settings)

    assert not library.path.exists()


def test_only_the_rows_of_the_damaged_block_are_lost(tmp_path: Path) -> None:
    store = Store(tmp_path / "library")
    seeds = range(4, 4 * 4_200, 4)  # pictures: one row each, in two blocks
    for at in range(0, len(seeds), 1_500):
        store.add({f"{seed}": seed for seed in seeds[at : at + 1_500]})
    store.remove(["4", "8", "16780"])
    store.close()
    [file] = store.folder.glob("vectors/*/image/*.f16")
    flip(file, 4_100 * 128)

    report = repair(settings_of(store.folder).model_copy(update={"vectors": EXACT}))

    damaged = [f"{seed}" for seed in seeds[4_096:] if seed != 16_780]
    assert [line.split(":")[0] for line in report.lost] == [f"/media/{name}" for name in damaged]
    assert any("4,094 sound rows kept in a new epoch" in line for line in report.done)
    left = {f"{seed}": seed for seed in seeds[2:4_096]}
    with open_rooms(settings_of(store.folder)) as rooms_:
        assert wrong_in(rooms_) == []
        with rooms_.catalog.view() as view:
            ids = view.segments()
            assert {hit.path.decode().rsplit("/")[-1] for hit in view.hits(ids).values()} == set(
                left
            )


def test_a_file_that_says_something_of_itself_is_read_again(library: Library, make: Make) -> None:
    file = make["picture"](library.media / "a.jpg", 1)
    picture = Image.open(file)
    exif = picture.getexif()
    exif[0x0110] = "A camera"
    picture.save(file, exif=exif)
    library.run()
    [vectors] = (library.path / "vectors" / "toy-1" / "image").glob("*.f16")
    vectors.write_bytes(bytes(len(vectors.read_bytes())))

    report = repair(library.settings)

    assert report.again == [bytes(file)]
    assert library.run().updated == 1
    assert len(library.live_rows()) == 1
