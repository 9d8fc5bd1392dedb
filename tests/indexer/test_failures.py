from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer, Progress
from indexer.detect import modality_at
from tests.indexer import tasks
from unisearch.errors import (
    ForeignSpace,
    LibraryDamaged,
    LibraryError,
    LibraryTooNew,
    UnisearchError,
    VectorError,
)
from unisearch.index.halves import to_halves
from unisearch.records import Prepared, TextSample
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


def test_bad_files_are_reported_and_the_rest_is_indexed(library: Library) -> None:
    library.fill()
    (library.media / "empty.txt").touch()
    (library.media / "noise.png").write_bytes(b"no picture at all" * 50)
    (library.media / "half.wav").write_bytes(b"RIFF\x00\x00")
    (library.media / "program.exe").write_bytes(b"MZ")

    report = library.run()

    assert (report.added, report.ignored) == (4, 1)
    assert [(failure.path.rsplit(b"/")[-1], failure.kind) for failure in report.failed] == [
        (b"empty.txt", "corrupt"),
        (b"half.wav", "corrupt"),
        (b"noise.png", "corrupt"),
    ]
    assert all("\n" not in str(failure) for failure in report.failed)
    assert len(library.live_rows()) == 4


def test_a_file_of_unknown_kind_is_a_failure_when_it_was_asked_for(library: Library) -> None:
    program = library.media / "program.exe"
    program.write_bytes(b"MZ")

    report = library.run(program)

    assert [failure.kind for failure in report.failed] == ["unsupported"]


def test_a_failed_file_is_tried_again_only_when_it_changed(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = library.media / "bad.png"
    bad.write_bytes(b"no picture")
    first = library.run()
    with monkeypatch.context() as patch:
        patch.setattr("indexer.work.look_at", None)  # looking at anything would be a crash
        second = library.run()
    make["picture"](bad, 1)

    third = library.run()

    assert [failure.known for failure in first.failed + second.failed] == [False, True]
    assert second.failed[0].message == first.failed[0].message
    assert (third.added, third.failed) == (1, [])
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.failures() == []


def test_a_failed_file_is_tried_again_when_that_is_asked_for(library: Library) -> None:
    (library.media / "bad.png").write_bytes(b"no picture")
    library.run()

    report = library.run(retry=True)

    assert [failure.known for failure in report.failed] == [False]


def test_the_failure_of_a_file_that_is_gone_is_forgotten(library: Library) -> None:
    bad = library.media / "bad.png"
    bad.write_bytes(b"no picture")
    library.run()
    bad.unlink()

    report = library.run()

    assert (report.failed, report.removed) == ([], 0)
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.failures() == []


def test_a_known_file_that_breaks_is_not_found_and_comes_back_with_its_id(
    library: Library, make: Make
) -> None:
    library.fill()
    library.run()
    beach = library.media / "photos" / "beach.png"
    item, good = library.item("photos/beach.png"), beach.read_bytes()
    beach.write_bytes(good[: len(good) // 2])

    broken = library.run()
    rows = library.live_rows()
    beach.write_bytes(good)
    mended = library.run()

    assert (len(broken.failed), broken.unchanged, len(rows)) == (1, 3, 3)
    assert (mended.updated, mended.failed) == (1, [])
    assert library.item("photos/beach.png").id == item.id
    assert len(library.live_rows()) == 4


WRONG_NAMES = {
    "photo.wav": "not a sound: its content looks like a JPEG picture",
    "photo.txt": "not a text: its content looks like a JPEG picture",
    "photo.glb": "not a 3D model: its content looks like a JPEG picture",
}


@pytest.mark.parametrize("first", ["alone", "beside the picture", "the picture is known"])
def test_a_picture_under_another_kinds_name_is_refused_also_when_it_is_known(
    library: Library, make: Make, first: str
) -> None:
    photo = make["picture"](library.media / "a photo.jpg", 1)
    if first == "the picture is known":
        library.run()
    for name in WRONG_NAMES:
        (library.media / name).write_bytes(photo.read_bytes())
    if first == "alone":
        photo.unlink()

    report = library.run()

    assert {
        failure.path.rsplit(b"/")[-1].decode(): (failure.kind, failure.message)
        for failure in report.failed
    } == {name: ("corrupt", reason) for name, reason in WRONG_NAMES.items()}
    assert report.added == (first == "beside the picture")


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("good", "other", "readable"),
    [
        ("photo.jpg", "photo.png", True),  # the content of a picture says what it is
        ("waves.wav", "waves.mp3", True),
        ("rock.obj", "rock.stl", False),
        ("rock.obj", "rock.txt", True),
        ("note.txt", "note.json", False),
    ],
)
def test_a_copy_under_another_suffix_is_judged_alike_whether_its_bytes_are_known_or_not(
    library: Library, make: Make, good: str, other: str, readable: bool, known: bool
) -> None:
    make["picture"](library.media / "photo.jpg", 1)
    make["sound"](library.media / "waves.wav", 1, 1)
    make["model"](library.media / "rock.obj", 2)
    make["text"](library.media / "note.txt", "A lighthouse")
    if known:
        library.run()
    (library.media / other).write_bytes((library.media / good).read_bytes())
    if not known:
        (library.media / good).unlink()

    report = library.run()

    failed = [failure.path.rsplit(b"/")[-1].decode() for failure in report.failed]
    assert failed == ([] if readable else [other])
    if readable:
        assert library.item(other).modality == modality_at(other.encode())


@pytest.mark.parametrize("known", ["a model", "a text", "both at once"])
def test_the_same_bytes_may_be_a_text_and_a_model(library: Library, make: Make, known: str) -> None:
    """Each name asks for its own reading, and one must not pass for the other."""
    rock = make["model"](library.media / "rock.obj", 2)
    if known == "a text":
        rock.rename(library.media / "rock.txt")
    if known != "both at once":
        library.run()
    written = next(iter(library.media.iterdir())).read_bytes()
    for name in ("rock.obj", "rock.txt"):
        (library.media / name).write_bytes(written)

    report = library.run()

    assert report.failed == []
    assert library.item("rock.obj").modality == "3d"
    assert library.item("rock.txt").modality == "text"
    library.live_rows()


def test_a_known_picture_that_is_renamed_to_a_sound_is_refused(
    library: Library, make: Make
) -> None:
    photo = make["picture"](library.media / "photo.jpg", 1)
    library.run()
    photo.rename(library.media / "photo.wav")

    report = library.run()

    assert [failure.message for failure in report.failed] == [WRONG_NAMES["photo.wav"]]
    assert (report.moved, report.removed) == (0, 1)
    assert library.live_rows() == {}


@pytest.mark.parametrize("move", [os.rename, shutil.copyfile])
def test_a_text_that_is_renamed_to_markdown_is_read_anew_and_stays_the_same_item(
    library: Library, move: Callable[[Path, Path], object]
) -> None:
    note = library.media / "note.txt"
    note.write_text("# A lighthouse\n\nOn a [rock](http://x.org).\n")
    library.run()
    item = library.item("note.txt")
    Indexer(settings=library.settings).tag([item.id], ["sea"])
    move(note, library.media / "note.md")
    note.unlink(missing_ok=True)

    foreseen = library.run(dry_run=True)
    report = library.run()

    assert (report.updated, report.moved, report.removed, report.failed) == (1, 0, 0, [])
    assert (foreseen.updated, foreseen.removed) == (1, 0)
    assert library.item("note.md").id == item.id
    assert library.item("note.md").content != item.content
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.tags(item.id) == ["sea"]
        assert not view.match_words("http", 5)
    assert len(library.live_rows()) == 1


def test_a_file_may_vanish_during_the_run(library: Library, make: Make) -> None:
    make["text"](library.media / "cow.txt", "A cow moos")
    make["text"](library.media / "owl.txt", "An owl hoots")

    def delete_next(progress: Progress) -> None:
        (library.media / "owl.txt").unlink(missing_ok=True)

    report = library.run(progress=delete_next)

    assert (report.added, [failure.kind for failure in report.failed]) == (1, ["vanished"])


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    note = library.media / "note.txt"

    def words_of(text: str) -> NDArray[np.float32]:  # called here: a small text is read here
        if note.stat().st_size < 60:
            note.write_text("Grown while it was read. " * 4)
        return np.ones(64, np.float32)

    monkeypatch.setattr("unisearch.spaces.toy._text", words_of)
    first = library.run()
    second = library.run()

    assert [failure.message for failure in first.failed] == [
        "it changed while it was read; run again"
    ]
    assert (second.added, second.unchanged, second.failed) == (1, 3, [])


def test_a_file_that_is_being_written_is_not_followed(
    library: Library, make: Make, nothing_embedded: Callable[[], None]
) -> None:
    for name in ("a.txt", "b.txt"):
        make["text"](library.media / name, "Words")
    growing = library.media / "b.txt"

    def write_on(progress: Progress) -> None:
        nothing_embedded()  # from here on
        with growing.open("a") as file:
            file.write("More words.\n" * 200_000)

    first = library.run(progress=write_on)

    assert first.added == 1
    assert [(failure.path, failure.message) for failure in first.failed] == [
        (bytes(growing), "it changed while it was read; run again")
    ]


def test_a_vector_that_is_not_finite_fails_only_its_own_file(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        make["text"](library.media / f"{name}.txt", f"Words of {name}")
    original = ToySpace.encode_prepared

    def encode(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = original(space, batch)
        rows[1] = np.nan
        return rows

    monkeypatch.setattr(ToySpace, "encode_prepared", encode)
    report = library.run()

    assert report.added == 2
    assert [(failure.path[-5:], failure.message) for failure in report.failed] == [
        (b"b.txt", "the space 'toy-1' cannot embed it: vector 0 of 1 is not finite")
    ]
    assert len(library.live_rows()) == 2


@pytest.mark.parametrize("raised", [False, True])
def test_a_vector_that_is_not_of_unit_length_fails_only_its_own_file(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch, raised: bool
) -> None:
    for name in ("a", "b", "c"):
        make["text"](library.media / f"{name}.txt", f"Words of {name}")
    original = ToySpace.encode_prepared
    bad = original(ToySpace(), [ToySpace().prepare(TextSample("Words of b."))])[0]

    def encode(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = original(space, batch)
        for row in np.flatnonzero(rows @ bad > 0.999):
            if raised:
                raise VectorError("vector 1 is not of unit length")
            rows[row] *= 1.01
        return rows

    monkeypatch.setattr(ToySpace, "encode_prepared", encode)
    report = library.run()

    assert report.added == 2
    [failure] = report.failed
    assert (failure.path[-5:], failure.kind) == (b"b.txt", "corrupt")
    assert "is not of unit length" in failure.message
    assert raised or "'toy-1'" in failure.message
    assert len(library.live_rows()) == 2


def test_vectors_are_rounded_once(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain rounding moves the length of this one so far that it is not of unit length then."""
    row = np.zeros((1, ToySpace().dim), np.float32)
    row[0, :2] = 1134.49 / 2048, 1185.49 / 2048
    row[0, 2] = np.sqrt(1 - row[0] @ row[0])
    make["text"](library.media / "a.txt", "Words of a")
    monkeypatch.setattr(ToySpace, "encode_prepared", lambda space, batch: row)

    report = library.run()

    assert report.failed == []
    [stored] = library.live_rows().values()
    assert (stored == to_halves(row)[0]).all()


def test_a_file_that_failed_is_not_read_to_its_end(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make["text"](library.media / "long.txt", ". ".join(f"Sentence {n}" for n in range(900)))
    make["text"](library.media / "short.txt", "Fine")
    original = ToySpace.encode_prepared
    encoded: list[int] = []

    def encode(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        encoded.append(len(batch))
        rows = original(space, batch)
        rows[0] = np.nan if len(batch) > 1 else rows[0]
        return rows

    monkeypatch.setattr(ToySpace, "encode_prepared", encode)
    report = library.run()

    assert encoded == [library.settings.index.batch, 1]
    assert (report.added, [failure.path[-8:] for failure in report.failed]) == (1, [b"long.txt"])


def test_an_error_of_the_system_is_reported_and_tried_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run(library.media / "note.txt")
    (library.media / "note.txt").write_text("Other words. ")
    item = library.item("note.txt")

    with monkeypatch.context() as patch:
        patch.setattr("indexer.flow.decode", tasks.fail_as_a_disk)
        first = library.run()
    known = library.item("note.txt")
    second = library.run()

    assert len(first.failed) == 4
    assert all("Input/output error" in failure.message for failure in first.failed)
    assert known == item
    assert (second.added, second.updated, second.failed) == (3, 1, [])


def test_a_file_that_the_system_does_not_show_keeps_its_item(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    original = os.scandir

    class Entry:
        def __init__(self, entry: os.DirEntry[bytes]) -> None:
            self.name, self.path, self.is_dir = entry.name, entry.path, entry.is_dir
            self.is_file, self._entry = entry.is_file, entry

        def stat(self, follow_symlinks: bool) -> os.stat_result:
            if self.name == b"beach.png":
                raise OSError(5, "Input/output error")
            return self._entry.stat(follow_symlinks=follow_symlinks)

    @contextmanager
    def entries_of(folder: bytes) -> Iterator[list[Entry]]:
        with original(folder) as entries:
            yield [Entry(entry) for entry in entries]

    def scandir(folder: Any) -> Any:  # others list folders, too, whose names are text
        return entries_of(folder) if isinstance(folder, bytes) else original(folder)

    monkeypatch.setattr("indexer.scan.os.scandir", scandir)
    report = library.run()

    assert (report.unchanged, report.removed) == (3, 0)
    assert [failure.path for failure in report.failed] == [
        bytes(library.media / "photos" / "beach.png")
    ]
    assert "beach.png" in library.names()


def test_a_library_without_a_vector_is_of_no_space_yet(library: Library) -> None:
    (library.media / "bad.png").write_bytes(b"no picture")
    library.run()

    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.spaces() == []
        assert view.all_partitions() == []


def test_a_batch_that_fails_is_encoded_one_by_one(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make["picture"](library.media / f"{number}.png", number)
    original = ToySpace.encode_prepared
    seen: list[int] = []

    def encode(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        seen.append(len(batch))
        if len(batch) > 1 or len(seen) == 2:
            raise RuntimeError("out of memory")
        return original(space, batch)

    monkeypatch.setattr(ToySpace, "encode_prepared", encode)
    report = library.run()

    assert seen == [3, 1, 1, 1]
    assert report.added == 2
    assert [failure.kind for failure in report.failed] == ["crash"]
    assert "out of memory" in report.failed[0].message
    monkeypatch.undo()
    assert library.run().added == 1  # nothing is kept against the file


def test_a_device_that_fails_for_every_part_ends_the_run_and_is_no_fault_of_the_files(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make["picture"](library.media / f"{number}.png", number)

    def fail(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        raise RuntimeError("CUDA error: an illegal memory access\nand a page of advice")

    monkeypatch.setattr(ToySpace, "encode_prepared", fail)
    with pytest.raises(UnisearchError, match=r"fails on 'cpu' \(CUDA error.*run again") as raised:
        library.run()
    assert "\n" not in str(raised.value)
    monkeypatch.undo()
    report = library.run()

    assert (report.added, report.failed) == (3, [])


def test_a_part_that_the_network_refuses_is_the_failure_of_its_file(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make["picture"](library.media / "bad.png", 1)

    def refuse(space: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        raise ValueError("no such shape")

    monkeypatch.setattr(ToySpace, "encode_prepared", refuse)

    assert [failure.known for failure in library.run().failed] == [False]
    assert [failure.known for failure in library.run().failed] == [True]


def test_a_folder_that_cannot_be_listed_keeps_its_items(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    locked = bytes(library.media / "photos")
    scandir = os.scandir

    def refuse(folder: bytes) -> object:
        if folder == locked:
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse)
    report = library.run()

    assert (report.unchanged, report.removed) == (3, 0)
    assert [(failure.path, failure.kind) for failure in report.failed] == [(locked, "permission")]
    assert "beach.png" in library.names()


def test_a_library_of_an_unknown_space_is_refused(library: Library) -> None:
    library.fill()
    library.run()
    with open_rooms(library.settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx.add_space("other-7", "other", 32)
        tx.set_state("toy-1", "left")

    with pytest.raises(ForeignSpace, match=r"belong to the space 'other-7'.* spaces switch toy'"):
        library.run()


def test_of_several_spaces_one_that_is_not_here_only_stays_behind(
    library: Library, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    library.fill()
    library.run()
    with open_rooms(library.settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx.add_space("other-7", "other", 32)
    make["text"](library.media / "new.txt", "New words")

    report = library.run()

    assert (report.added, report.failed) == (1, [])
    assert "space 'other-7', which this unisearch does not know; its vectors" in caplog.text
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert [(space, why) for _, space, why in view.gaps()] == [("other-7", "todo")]


def test_a_library_of_other_weights_is_refused(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    make["text"](library.media / "new.txt", "New words")
    monkeypatch.setattr(ToySpace, "id", "toy-2")

    with pytest.raises(ForeignSpace, match="'toy-1'; the weights that are here are of 'toy-2'"):
        library.run()


def test_a_library_of_a_newer_format_is_refused(library: Library) -> None:
    library.fill()
    library.run()
    with open_rooms(library.settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx._run("PRAGMA user_version = 99")

    with pytest.raises(LibraryTooNew, match="format 99"):
        library.run()


def test_rows_that_are_lost_stop_the_run_and_are_not_made_up(library: Library, make: Make) -> None:
    library.fill()
    library.run()
    rows = library.path / "vectors" / "toy-1" / "image" / "0.f16"
    os.truncate(rows, 10)
    make["picture"](library.media / "new.png", 5)

    with pytest.raises(LibraryDamaged, match="rows are lost"):
        library.run()

    assert rows.stat().st_size == 10
    assert "new.png" not in library.names()


def test_a_full_disk_is_one_line_and_loses_nothing(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    before = library.live_rows().keys()
    make["picture"](library.media / "new.png", 5)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(LibraryError, match="no space left on device: free some space"):
            library.run()

    assert library.live_rows().keys() == before
    assert library.run().added == 1
