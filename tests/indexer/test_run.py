from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Indexer, Progress
from unisearch.errors import LibraryMissing, UnisearchError, UsageError
from unisearch.media.read import read
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms, read_options

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]
Forbid = Callable[[], None]


def test_the_first_run_makes_a_library_of_every_modality(library: Library) -> None:
    library.fill()

    report = library.run()

    assert (report.added, report.failed) == (4, [])
    assert report.by_modality == {"text": 1, "image": 1, "audio": 1, "3d": 1}
    assert library.names() == ["beach.png", "note.txt", "rock.obj", "waves.wav"]
    assert len(library.live_rows()) == 4


def test_each_segment_has_the_vector_of_its_own_part(library: Library, make: Make) -> None:
    for number in range(70):  # more than a batch, modalities mixed
        make["text"](library.media / f"{number:02}a.txt", f"story number {number}")
        make["picture"](library.media / f"{number:02}b.png", number)

    library.run()

    space = ToySpace()
    rows = library.live_rows()
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        options = read_options(library.settings, space)
        for item in view.items():
            [segment] = view.segments(items=[item.id])
            [part] = read(Path(os.fsdecode(item.path)), options).parts
            assert np.abs(space.encode([part.sample])[0] - rows[int(segment)]).max() < 1e-3


def test_a_long_sound_is_stored_window_by_window(library: Library, make: Make) -> None:
    make["sound"](library.media / "long.wav", 21, 1)

    library.run()

    item = library.item("long.wav")
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        hits = view.hits(view.segments(items=[item.id]).tolist())
    assert item.facts["duration_s"] == pytest.approx(21, abs=0.1)
    assert [hit.start_s for hit in hits.values()][:3] == [0.0, 5.0, 10.0]
    assert len(library.live_rows()) == len(hits) >= 3


def test_the_second_run_embeds_nothing(library: Library, nothing_embedded: Forbid) -> None:
    library.fill()
    library.run()
    before = library.live_rows()

    nothing_embedded()
    report = library.run()

    assert (report.unchanged, report.added, report.failed) == (4, 0, [])
    assert library.live_rows().keys() == before.keys()


def test_a_moved_tree_keeps_ids_and_tags(library: Library, nothing_embedded: Forbid) -> None:
    library.fill()
    library.run()
    item = library.item("photos/beach.png")
    Indexer(settings=library.settings).tag([item.id], add=["summer"])
    (library.media / "photos").rename(library.media / "pictures")

    nothing_embedded()
    report = library.run()

    assert (report.moved, report.removed, report.added, report.unchanged) == (1, 0, 0, 3)
    moved = library.item("pictures/beach.png")
    assert (moved.id, moved.content) == (item.id, item.content)
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.tags(item.id) == ["summer"]


def test_a_file_that_comes_by_another_disk_is_known_by_its_content(
    library: Library, nothing_embedded: Forbid
) -> None:
    library.fill()
    library.run()
    item = library.item("note.txt")
    # Another inode, another time: what a move across file systems leaves.
    shutil.copyfile(library.media / "note.txt", library.media / "renamed.text")
    (library.media / "note.txt").unlink()

    nothing_embedded()
    report = library.run()

    assert (report.moved, report.removed) == (1, 0)
    assert library.item("renamed.text").id == item.id


def test_a_whole_root_that_moved_leaves_no_root_behind(
    library: Library, nothing_embedded: Forbid
) -> None:
    library.fill()
    library.run()
    elsewhere = library.media.with_name("elsewhere")
    library.media.rename(elsewhere)

    nothing_embedded()
    report = library.run(elsewhere)

    assert report.moved == 4
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert [root.path for root in view.roots()] == [bytes(elsewhere)]


def test_copies_are_embedded_once(library: Library, make: Make) -> None:
    make["picture"](library.media / "a.png", 1)
    shutil.copyfile(library.media / "a.png", library.media / "b.png")
    first = library.run()
    shutil.copyfile(library.media / "a.png", library.media / "c.png")

    second = library.run()

    assert (first.added, second.added, second.unchanged) == (2, 1, 2)
    assert len(library.live_rows()) == 1
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.hits([1])[1].copies == 2


def test_a_changed_file_is_embedded_anew_and_keeps_its_id(library: Library, make: Make) -> None:
    library.fill()
    library.run()
    item = library.item("note.txt")
    make["text"](library.media / "note.txt", "Something else entirely")

    report = library.run()

    changed = library.item("note.txt")
    assert (report.updated, report.unchanged) == (1, 3)
    assert changed.id == item.id
    assert changed.content != item.content
    assert len(library.live_rows()) == 4
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert len(view.partitions("toy-1")["text"].dead) == 1
        assert view.match_words("lighthouse", 5) == []


def test_a_touched_file_is_not_embedded_again(library: Library, nothing_embedded: Forbid) -> None:
    library.fill()
    library.run()
    os.utime(library.media / "note.txt", ns=(1, 1))

    nothing_embedded()
    reports = library.run(), library.run()

    assert [report.unchanged for report in reports] == [4, 4]
    assert library.item("note.txt").stat.mtime_ns == 1


def test_a_file_that_is_gone_leaves_the_library(library: Library) -> None:
    library.fill()
    library.run()
    (library.media / "rock.obj").unlink()

    report = library.run()

    assert (report.removed, report.unchanged) == (1, 3)
    assert "rock.obj" not in library.names()
    assert len(library.live_rows()) == 3


def test_a_run_over_one_folder_leaves_the_others_alone(library: Library, make: Make) -> None:
    library.fill()
    library.run()
    (library.media / "rock.obj").unlink()
    make["picture"](library.media / "photos" / "new.png", 9)

    report = library.run(library.media / "photos")

    assert (report.added, report.unchanged, report.removed) == (1, 1, 0)
    assert "rock.obj" in library.names()


def test_a_single_file_does_not_wait_for_the_large_folder_that_came_with_it(
    library: Library, make: Make
) -> None:
    for number in range(3):
        make["text"](library.media / "large" / f"{number}.txt", f"story number {number}")
    one = make["text"](library.media / "one.txt", "the only one")
    looked_at: list[bytes] = []

    library.run(library.media / "large", one, progress=lambda now: looked_at.append(now.path))

    assert next(filter(None, looked_at)).endswith(b"one.txt")


def test_a_file_is_one_item_however_it_is_reached(library: Library) -> None:
    library.fill()

    inner = library.run(library.media / "photos")
    outer = library.run(library.media, library.media / "photos", library.media / "note.txt")
    again = library.run(library.media / "photos" / ".." / "note.txt")

    assert (inner.added, outer.added, outer.unchanged, again.unchanged) == (1, 3, 1, 1)
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert [root.path for root in view.roots()] == [bytes(library.media)]


def test_a_single_file_makes_no_folder_part_of_the_library(library: Library) -> None:
    library.fill()
    photos, sounds = library.media / "photos", library.media / "sounds"
    library.run(photos, sounds)

    report = library.run(library.media / "note.txt", library.media / "rock.obj")

    assert report.added == 2
    assert library.names() == ["beach.png", "note.txt", "rock.obj", "waves.wav"]
    assert library.roots() == [bytes(library.media), bytes(photos), bytes(sounds)]
    indexer = Indexer(settings=library.settings)
    assert indexer.remove_root(library.media) == 2
    assert library.names() == ["beach.png", "waves.wav"]
    assert library.run(photos, sounds).unchanged == 2


def test_a_folder_of_single_files_is_forgotten_with_the_last_of_them(library: Library) -> None:
    library.fill()
    note, rock = library.media / "note.txt", library.media / "rock.obj"
    library.run(note, rock)
    indexer = Indexer(settings=library.settings)

    indexer.forget(note)
    kept = library.roots()
    indexer.forget(rock)

    assert kept == [bytes(library.media)]
    assert library.roots() == []


def test_the_folder_of_single_files_can_be_indexed_later(library: Library) -> None:
    library.fill()
    library.run(library.media / "note.txt", library.media / "photos")
    item = library.item("note.txt")

    report = library.run()

    assert (report.added, report.unchanged) == (2, 2)
    assert library.roots() == [bytes(library.media)]
    assert library.item("note.txt").id == item.id


def test_a_folder_with_nothing_in_it_is_no_root(library: Library) -> None:
    (library.media / "program.exe").write_bytes(b"MZ")

    report = library.run()

    assert (report.added, report.ignored) == (0, 1)
    assert library.roots() == []


def test_a_forgotten_failure_counts_and_is_tried_again(library: Library) -> None:
    (library.media / "bad.png").write_bytes(b"no picture")
    library.run()
    indexer = Indexer(settings=library.settings)

    assert indexer.forget(library.media / "bad.png") == 1
    assert indexer.forget(library.media / "bad.png") == 0

    assert [failure.known for failure in library.run().failed] == [False]


def test_names_may_hold_any_bytes(library: Library, make: Make) -> None:
    name = os.fsdecode(b"odd\xff\nname.txt")
    make["text"](library.media / name, "Odd but fine")

    report = library.run()

    assert (report.added, report.failed) == (1, [])
    assert library.item(name).display == "odd\\xff\\nname.txt"


def test_nothing_is_written_into_the_media_folder(library: Library) -> None:
    library.fill()
    before = {path: path.stat() for path in library.media.rglob("*")}

    library.run()

    after = {path: path.stat() for path in library.media.rglob("*")}
    assert {path: stat.st_mtime_ns for path, stat in after.items()} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }


def test_between_two_runs_no_file_of_the_library_is_open(library: Library) -> None:
    library.fill()
    indexer = Indexer(settings=library.settings)

    indexer.run([library.media])

    # With its last connection SQLite moves the log into the file.
    assert sorted(path.name for path in library.path.glob("catalog.db*")) == ["catalog.db"]
    assert indexer.run([library.media]).unchanged == 4


def test_a_path_that_does_not_exist_stops_the_run_before_it_starts(library: Library) -> None:
    with pytest.raises(UnisearchError, match="absent: no such file or folder"):
        library.run(library.media / "absent")

    assert not library.path.exists()


@pytest.mark.parametrize("empty", ["", b""])
def test_an_empty_path_is_a_mistake_and_not_the_current_folder(
    library: Library, empty: str | bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    monkeypatch.chdir(library.media)
    indexer = Indexer(settings=library.settings)

    for ask in (
        lambda: indexer.run(empty),
        lambda: indexer.run([library.media, empty], dry_run=True),
        lambda: indexer.forget(empty),
        lambda: indexer.remove_root(empty),
        lambda: indexer.relocate(empty, library.media),
        lambda: indexer.relocate(library.media, empty),
    ):
        with pytest.raises(UsageError, match="an empty path"):
            ask()

    assert len(library.items()) == 4


def test_what_is_named_is_taken_until_its_folder_is_indexed_again(
    library: Library, make: Make
) -> None:
    library.fill()
    make["text"](library.media / ".hidden.txt", "A hidden fox")
    make["text"](library.media / ".folder" / "inside.txt", "A fox inside")
    (library.media / "link.txt").symlink_to("note.txt")
    os.mkfifo(library.media / "pipe.txt")
    first = library.run()

    named = library.run(library.media / ".hidden.txt", library.media / ".folder")
    linked = library.run(library.media / "link.txt")
    again = library.run()

    assert (first.added, first.ignored, first.failed) == (4, 0, [])
    assert named.added == 2
    assert (linked.added, linked.unchanged) == (0, 1)
    assert (again.removed, again.unchanged) == (2, 4)


def test_a_device_or_a_pipe_is_refused_in_one_line(library: Library) -> None:
    os.mkfifo(library.media / "pipe.png")

    for path in (library.media / "pipe.png", Path("/dev/null")):
        with pytest.raises(UnisearchError, match=f"{path.name}: neither a file nor a folder"):
            library.run(path)

    assert not library.path.exists()


def test_a_sound_that_is_cut_at_the_limit_is_listed(library: Library, make: Make) -> None:
    make["sound"](library.media / "long.wav", 21, 1)
    make["sound"](library.media / "short.wav", 2, 2)
    limits = library.settings.limits.model_copy(update={"audio_hours": 12 / 3_600})
    library.settings = library.settings.model_copy(update={"limits": limits})

    report = library.run()

    expected = [(bytes(library.media / "long.wav"), pytest.approx(12, abs=0.1))]
    assert (report.added, report.failed, report.truncated) == (2, [], expected)
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.truncated() == expected
        assert view.truncated(bytes(library.media / "short.wav")) == []
    assert library.run().truncated == []


def test_progress_counts_up_to_the_total(library: Library) -> None:
    library.fill()
    seen: list[Progress] = []

    library.run(progress=seen.append)

    counts = [sum(one.done.values()) for one in seen]  # again while it waits for a file
    assert list(dict.fromkeys(counts)) == [1, 2, 3, 4]
    assert seen[0].total == {"text": 1, "image": 1, "audio": 1, "3d": 1}
    assert seen[-1].done == seen[-1].total
    assert seen[0].path == bytes(library.media / "note.txt")


def test_a_dry_run_says_what_a_run_does_and_writes_nothing(library: Library, make: Make) -> None:
    library.fill()
    with Indexer(settings=library.settings) as indexer:
        first = indexer.run([library.media], dry_run=True)
    assert (first.added, library.path.exists()) == (4, False)
    library.run()
    make["text"](library.media / "note.txt", "Other words")
    (library.media / "rock.obj").rename(library.media / "stone.obj")
    (library.media / "photos" / "beach.png").unlink()
    make["sound"](library.media / "new.wav", 1, 7)
    before = (library.path / "catalog.db").read_bytes()

    foreseen = library.run(dry_run=True)

    assert (library.path / "catalog.db").read_bytes() == before
    done = library.run()
    for name in ("added", "updated", "moved", "removed", "unchanged"):
        assert getattr(foreseen, name) == getattr(done, name) == 1


def test_a_forgotten_file_is_out_of_catalogue_words_and_rows(library: Library) -> None:
    library.fill()
    library.run()
    indexer = Indexer(settings=library.settings)

    assert indexer.forget(library.media / "photos") == 1
    assert indexer.forget(library.media / "note.txt") == 1
    assert indexer.forget(library.media / "absent") == 0

    assert library.names() == ["rock.obj", "waves.wav"]
    assert len(library.live_rows()) == 2
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert len(view.partitions("toy-1")["image"].dead) == 1
        assert view.match_words("beach", 5) == []
        assert view.match_words("lighthouse", 5) == []


def test_a_root_is_removed_with_its_items(library: Library, tmp_path: Path, make: Make) -> None:
    library.fill()
    make["text"](tmp_path / "other" / "kept.txt", "Kept")
    library.run(library.media, tmp_path / "other")

    removed = Indexer(settings=library.settings).remove_root(library.media)

    assert removed == 4
    assert library.names() == ["kept.txt"]
    with pytest.raises(UnisearchError, match="not an indexed folder"):
        Indexer(settings=library.settings).remove_root(library.media)


def test_a_root_on_another_disk_keeps_its_items(
    library: Library, tmp_path: Path, make: Make, nothing_embedded: Forbid
) -> None:
    library.fill()
    make["text"](tmp_path / "other" / "kept.txt", "Kept")
    library.run(library.media, tmp_path / "other")
    item = library.item("note.txt")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(library.media, elsewhere)
    shutil.rmtree(library.media)
    indexer = Indexer(settings=library.settings)

    assert indexer.relocate(library.media, elsewhere) == 4

    nothing_embedded()
    library.media = elsewhere
    assert library.run().unchanged == 4
    assert library.item("note.txt").id == item.id
    with pytest.raises(UnisearchError, match=r"^[^ :]*/other is indexed already$"):
        indexer.relocate(elsewhere, tmp_path / "other")
    with pytest.raises(UnisearchError, match="not an indexed folder"):
        indexer.relocate(tmp_path / "absent", elsewhere)


def test_what_an_ignore_file_names_leaves_the_library_and_comes_back(library: Library) -> None:
    library.fill()
    library.run()
    rules = library.media / ".unisearchignore"
    rules.write_text("sounds/\n*.png\n")

    foreseen, report = library.run(dry_run=True), library.run()

    for one in (foreseen, report):
        assert (one.removed, one.unchanged, one.left_out) == (2, 2, 2)
    assert library.names() == ["note.txt", "rock.obj"]

    inside = library.run(library.media / "photos")  # inside of the indexed folder

    assert (inside.added, inside.left_out) == (0, 1)

    rules.unlink()
    report = library.run()

    assert (report.added, report.left_out) == (2, 0)


def test_tags_are_put_on_all_items_or_on_none(library: Library) -> None:
    library.fill()
    library.run()
    indexer = Indexer(settings=library.settings)
    first, second = library.item("note.txt").id, library.item("rock.obj").id

    assert indexer.tag([first, second], add=["island"]) == 2
    assert indexer.tag([first], add=["island"], remove=["island"]) == 1
    with pytest.raises(UnisearchError, match="item:999"):
        indexer.tag([second, 999], add=["grey"])

    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert [match.segment for match in view.match_words("island", 5)] == list(
            view.segments(items=[second])
        )
        assert view.match_words("grey", 5) == []


def test_the_library_itself_and_ignored_files_are_not_indexed(
    library: Library, tmp_path: Path, make: Make
) -> None:
    library.fill()
    library.run()
    make["text"](library.path / "stray.txt", "Inside the library")
    ignore = library.settings.index.model_copy(update={"ignore": ("*.obj", "media/photos/*")})
    library.settings = library.settings.model_copy(update={"index": ignore})

    library.run(tmp_path)

    assert library.names() == ["note.txt", "waves.wav"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_folder_of_other_files_does_not_become_a_library(
    library: Library, make: Make, dry_run: bool
) -> None:
    make["picture"](library.path / "beach.png", 1)

    with pytest.raises(LibraryMissing, match=r"'beach\.png'.*empty or a new folder"):
        library.run(dry_run=dry_run)
    with pytest.raises(LibraryMissing, match=r"'beach\.png'"):
        open_rooms(library.settings, write=True)

    assert [path.name for path in library.path.iterdir()] == ["beach.png"]


def test_a_file_does_not_become_a_library(library: Library) -> None:
    library.path.write_text("words")

    with pytest.raises(LibraryMissing, match="is a file"):
        library.run()

    assert library.path.read_text() == "words"


def test_what_is_left_of_a_library_becomes_one_again(library: Library) -> None:
    library.fill()
    library.run()
    for name in ("catalog.db", "catalog.db-wal", "catalog.db-shm"):
        (library.path / name).unlink(missing_ok=True)
    (library.path / "index").mkdir()
    (library.path / ".DS_Store").touch()

    assert library.run().added == 4
    assert len(library.live_rows()) == 4


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_library_is_not_indexed_into_itself(
    library: Library, make: Make, dry_run: bool
) -> None:
    library.fill()
    library.run()
    inside = make["text"](library.path / "previews" / "stray.txt", "Inside the library")

    for place in (library.path, inside.parent, inside):
        with pytest.raises(UnisearchError, match="belongs to the library"):
            library.run(place, dry_run=dry_run)

    assert len(library.names()) == 4
