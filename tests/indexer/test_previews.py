"""Previews in the library: there when the content is, gone when it goes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer import Indexer, Progress
from indexer.pool import Pool
from indexer.previews import SHARES, PreviewFolder
from indexer.redraw import Later
from indexer.repair import repair
from unisearch.engine.doctor import doctor
from unisearch.errors import LibraryError, Unreadable
from unisearch.index import durable
from unisearch.previews.make import Preview
from unisearch.previews.places import digest_of, found
from unisearch.sections import PreviewSettings
from unisearch.wiring import open_rooms

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]


def broken() -> Generator[None, None, None]:
    """The task of a worker that finds nothing to draw."""
    yield from ()
    raise Unreadable(b"rock.obj", "crash", "the library that draws it crashed")


def files(library: Library) -> list[Path]:
    return sorted(path for path in (library.path / "previews").rglob("*") if path.is_file())


def kinds(library: Library) -> list[str]:
    return sorted(path.name.partition(".")[2] for path in files(library))


def previews_of(library: Library, name: str) -> dict[str, Path]:
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        [digest] = (
            digest
            for digest in view.digests()
            if any(
                item.path == bytes(library.media / name) for item in view.items_with_digest(digest)
            )
        )
    return {str(kind): path for kind, path in found(library.path / "previews", digest).items()}


def strays(library: Library) -> list[str]:
    """What the doctor finds left behind."""
    with open_rooms(library.settings) as rooms:
        return [one.message for one in doctor(rooms) if one.subject == "left behind"]


def test_every_file_that_is_indexed_has_its_previews(library: Library) -> None:
    library.fill()

    report = library.run()
    library.finish()

    assert report.added == 4
    assert kinds(library) == ["turn.webp", "txt", "webp", "webp", "webp"]
    assert (
        previews_of(library, "note.txt")["text"].read_text() == "The lighthouse stands on a rock."
    )
    with Image.open(previews_of(library, "photos/beach.png")["still"]) as picture:
        assert picture.size == (24, 24)
    assert previews_of(library, "rock.obj").keys() == {"still", "turn"}
    assert previews_of(library, "sounds/waves.wav").keys() == {"still"}
    assert strays(library) == []


def test_a_turntable_is_drawn_when_all_is_searchable(library: Library) -> None:
    library.fill()

    library.run()
    assert kinds(library) == ["txt", "webp", "webp"]
    library.finish()
    drawn = {path: path.stat().st_mtime_ns for path in files(library)}
    library.finish()

    assert len(drawn) == 5
    assert {path: path.stat().st_mtime_ns for path in files(library)} == drawn


def test_a_writer_that_stays_draws_between_its_runs(library: Library) -> None:
    library.fill()

    with Indexer(settings=library.settings) as indexer:
        indexer.run([library.media])
        until = time.monotonic() + 60
        while "turn.webp" not in kinds(library) and time.monotonic() < until:
            time.sleep(0.05)

    assert kinds(library) == ["turn.webp", "txt", "webp", "webp", "webp"]


def test_what_was_left_by_a_run_that_was_stopped_is_drawn_by_the_next(library: Library) -> None:
    library.fill()
    library.run()

    def stop(now: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Indexer(settings=library.settings).finish(stop)
    assert kinds(library) == ["txt", "webp", "webp"]
    library.run()
    library.finish()

    assert "turn.webp" in kinds(library)


def test_a_model_that_cannot_be_drawn_is_tried_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    shutil.rmtree(library.path / "previews")
    asked: list[bytes] = []

    def submit(pool: Pool, path: bytes, *arguments: object, **options: object) -> int:
        asked.append(path)
        return real(pool, path, broken)

    real = Pool.submit
    monkeypatch.setattr(Pool, "submit", submit)

    with open_rooms(library.settings, write=True) as rooms:
        later = Later(rooms)
        while later.step():
            pass
        later.look()
        while later.step():
            pass

    assert asked == [bytes(library.media / "rock.obj")]
    assert files(library) == []


def test_the_setting_turns_them_off(library: Library) -> None:
    library.fill()
    off = PreviewSettings(enabled=False)
    library.settings = library.settings.model_copy(update={"previews": off})

    assert library.run().added == 4
    library.finish()

    assert files(library) == []


def test_vectors_are_the_same_with_and_without(library: Library, tmp_path: Path) -> None:
    library.fill()
    library.run()
    library.finish()
    with_previews = library.live_rows()
    shutil.rmtree(library.path)
    off = PreviewSettings(enabled=False)
    library.settings = library.settings.model_copy(update={"previews": off})

    library.run()

    without = library.live_rows()
    assert with_previews.keys() == without.keys()
    assert all((with_previews[key] == without[key]).all() for key in without)


def test_a_moved_file_and_a_copy_share_the_previews(library: Library) -> None:
    library.fill()
    library.run()
    library.finish()
    before = {path: path.stat().st_mtime_ns for path in files(library)}
    (library.media / "note.txt").rename(library.media / "moved.txt")
    shutil.copy(library.media / "rock.obj", library.media / "stone.obj")

    library.run()

    assert {path: path.stat().st_mtime_ns for path in files(library)} == before
    assert previews_of(library, "stone.obj") == previews_of(library, "rock.obj")


def test_the_previews_of_an_edited_file_are_those_of_what_it_holds_now(
    library: Library, make: Make
) -> None:
    make["text"](library.media / "a.txt", "The old words")
    library.run()
    make["text"](library.media / "a.txt", "Newer words stand here")

    library.run()

    [path] = files(library)
    assert path.read_text() == "Newer words stand here."


@pytest.mark.parametrize("now", [False, True])
def test_previews_go_with_what_is_forgotten_and_no_others(library: Library, now: bool) -> None:
    library.fill()
    shutil.copytree(library.media / "photos", library.media / "copies")
    library.run()
    library.finish()
    rest = {path: path.read_bytes() for path in files(library)}
    gone = previews_of(library, "rock.obj").values()

    Indexer(settings=library.settings).forget(library.media / "rock.obj", now=now)
    Indexer(settings=library.settings).forget(library.media / "copies", now=now)

    assert {path: path.read_bytes() for path in files(library)} == {
        path: data for path, data in rest.items() if path not in gone
    }


def test_previews_go_with_a_file_that_is_deleted(library: Library) -> None:
    library.fill()
    library.run()
    library.finish()
    (library.media / "sounds" / "waves.wav").unlink()

    library.run()

    assert kinds(library) == ["turn.webp", "txt", "webp", "webp"]


def test_the_doctor_finds_what_belongs_to_nothing_and_the_repair_removes_it(
    library: Library,
) -> None:
    library.fill()
    library.run()
    library.finish()
    kept = files(library)
    stray = kept[0].with_name("0" * 30 + ".webp")
    other = library.path / "previews" / "readme.txt"
    half = kept[0].with_name(f".{kept[0].name}.999999.tmp")
    empty = kept[-1]
    for path in (stray, other, half):
        path.write_bytes(b"x")
    empty.write_bytes(b"")

    assert len(strays(library)) == 4
    repair(library.settings)

    assert {*kept[:-1]} <= {*files(library)} <= {*kept}
    assert all(path.stat().st_size for path in files(library))
    assert strays(library) == []


def test_a_preview_that_cannot_be_written_fails_no_file(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()

    def fail(path: Path, data: bytes) -> None:
        raise LibraryError(f"{path}: the disk is full")

    monkeypatch.setattr(durable, "write_unsynced", fail)

    report = library.run()

    assert (report.added, report.failed, report.no_preview) == (4, [], 3)
    assert len(library.live_rows()) == 4


def digest(number: int, share: int = 0) -> bytes:
    return bytes([share]) + number.to_bytes(15, "big")


def test_the_oldest_go_when_there_is_no_room(tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, SHARES * 10_000)
    for number in range(30):
        folder.put(digest(number), [Preview("still", b"s" * 600), Preview("turn", b"t" * 400)])
        for path in found(tmp_path / "previews", digest(number)).values():
            os.utime(path, ns=(number, number))

    held = sorted(path for path in tmp_path.rglob("*.webp"))
    numbers = sorted({int.from_bytes(digest_of(path)[1:], "big") for path in held})

    assert sum(path.stat().st_size for path in held) <= 10_000
    assert len(held) == 2 * len(numbers)
    assert 8 <= len(numbers) <= 10
    assert numbers == list(range(30 - len(numbers), 30))


def test_room_is_counted_anew_by_the_next_writer(tmp_path: Path) -> None:
    for number in range(40):
        folder = PreviewFolder(tmp_path, SHARES * 10_000)
        assert folder.put(digest(number), [Preview("still", b"s" * 1_000)])

    assert sum(path.stat().st_size for path in tmp_path.rglob("*.webp")) <= 10_000


def test_a_preview_larger_than_its_room_is_still_shown(tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, SHARES * 100)

    folder.put(digest(1), [Preview("still", b"s" * 500)])

    assert found(tmp_path / "previews", digest(1)).keys() == {"still"}


@pytest.mark.parametrize(
    "name", ["00/1.webp", "0/" + "0" * 31 + ".webp", "AB/" + "c" * 30 + ".webp", "ab/" + "c" * 30]
)
def test_a_name_that_is_no_preview_has_no_digest(name: str) -> None:
    assert digest_of(Path("previews") / name) is None


def test_the_repair_draws_what_is_missing_and_embeds_nothing(
    library: Library, nothing_embedded: Callable[[], None]
) -> None:
    library.fill()
    library.run()
    library.finish()
    before = {path: path.read_bytes() for path in files(library)}
    shutil.rmtree(library.path / "previews")
    nothing_embedded()

    assert "previews of 4 files: drawn anew" in repair(library.settings, dry_run=True).done
    assert files(library) == []
    assert repair(library.settings).done == ["previews of 4 files: drawn anew"]

    assert {path: path.read_bytes() for path in files(library)} == before
    assert repair(library.settings).done == []


def test_the_repair_draws_nothing_of_files_that_changed_or_are_gone(library: Library) -> None:
    library.fill()
    library.run()
    shutil.rmtree(library.path / "previews")
    (library.media / "note.txt").write_text("Something else")
    (library.media / "rock.obj").unlink()

    assert repair(library.settings).done == ["previews of 2 files: drawn anew"]

    assert kinds(library) == ["webp", "webp"]


def test_the_repair_pushes_out_no_previews_for_others(tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, SHARES * 1_000)

    folder.put(digest(1), [Preview("still", b"s" * 950)])

    assert not folder.has_room(digest(2))
    assert folder.has_room(digest(2, share=1))
