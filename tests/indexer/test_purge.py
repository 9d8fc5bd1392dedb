"""Forgetting for good leaves no byte of a file in the library, and everything of the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Indexer
from unisearch.errors import LibraryDamaged, LibraryLocked
from unisearch.index import durable
from unisearch.wiring import open_rooms

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]

PASSAGE = "Xylophonist Quuxberry secretly whistles"


@pytest.fixture
def filled(library: Library, make: Make) -> Library:
    """A library whose every kind of file holds something of private/diary.txt and its picture."""
    library.fill()
    make["text"](library.media / "other.txt", "Nothing to hide here")
    make["text"](library.media / "private" / "diary.txt", PASSAGE)
    make["picture"](library.media / "private" / "portrait.png", 9)
    library.run()
    (library.path / "catalog.db.v1").write_bytes((library.path / "catalog.db").read_bytes())
    return library


def traces(library: Library) -> dict[str, bytes]:
    """What must not be found after the two private files are forgotten, by a name of it."""
    rows = library.live_rows()
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        keys = view.segments(under=bytes(library.media / "private"))
    assert len(keys) == 2
    found = {}
    for key in keys:
        found[f"float16 row {key}"] = rows[int(key)].tobytes()
        found[f"float32 row {key}"] = rows[int(key)].astype(np.float32).tobytes()
    return found | {
        "relative path": b"private/diary",
        "folder": bytes(library.media / "private"),
        "file name": b"diary.txt",
        "its words": b"diary",
        "picture": b"portrait",
        "passage": PASSAGE.encode(),
        "word": b"xylophonist",
        "stem of a word": b"quuxberri",
    }


def found_in(folder: Path, needles: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """(needle, file) wherever one is found; letters in any case."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        for name, needle in needles.items():
            if re.search(re.escape(needle), data, re.IGNORECASE) or needle in bytes(path):
                yield name, path.name


def test_forgetting_for_good_leaves_no_trace(filled: Library) -> None:
    needles = traces(filled)
    snapshots = filled.path / "index" / "toy-1" / "text"
    previews = filled.path / "previews" / "00"
    durable.write_atomically(snapshots / "1.faiss", lambda file: file.write(b"diary"))
    durable.write_atomically(previews / "1.webp", lambda file: file.write(b"portrait"))
    before = {name for name, _ in found_in(filled.path, needles)}
    others = filled.live_rows()

    assert Indexer(settings=filled.settings).forget(filled.media / "private", now=True) == 2

    assert {"file name", "passage", "word", "stem of a word", "picture"} <= before
    assert sum(name.startswith("float16") for name in before) == 2
    assert list(found_in(filled.path, needles)) == []
    assert not (filled.path / "catalog.db.v1").exists()
    kept = filled.live_rows()
    assert kept.keys() <= others.keys()
    assert len(kept) == len(others) - 2
    assert all((kept[key] == others[key]).all() for key in kept)


def test_what_was_forgotten_before_goes_too(filled: Library) -> None:
    needles = traces(filled)
    Indexer(settings=filled.settings).forget(filled.media / "private")
    assert list(found_in(filled.path, needles))

    assert Indexer(settings=filled.settings).forget(filled.media / "private", now=True) == 0

    assert list(found_in(filled.path, needles)) == []


def test_the_process_that_holds_the_library_leaves_no_trace_either(filled: Library) -> None:
    needles = traces(filled)

    with Indexer(settings=filled.settings) as holder:
        holder.run([filled.media])
        assert Indexer(settings=filled.settings).forget(filled.media / "private", now=True) == 2

        assert list(found_in(filled.path, needles)) == []


def test_words_are_found_as_before_and_new_files_come_in(filled: Library, make: Make) -> None:
    Indexer(settings=filled.settings).forget(filled.media / "private", now=True)

    make["text"](filled.media / "later.txt", "A lighthouse again")
    (filled.media / "private" / "diary.txt").unlink()
    (filled.media / "private" / "portrait.png").unlink()
    assert filled.run().added == 1
    with open_rooms(filled.settings) as rooms, rooms.catalog.view() as view:
        assert len(view.match_words("lighthouse", 10)) == 2
        assert len(view.match_words("beach", 10)) == 1
        assert view.match_words("xylophonist", 10) == []
        assert view.problems() == []


def test_an_indexed_folder_that_is_forgotten_for_good_is_no_root_any_more(
    library: Library, make: Make
) -> None:
    make["text"](library.media / "public" / "a.txt", "All may read this")
    secret = make["text"](library.media / "hidden" / "b.txt", "None may read this").parent
    library.run(library.media / "public", secret)

    Indexer(settings=library.settings).forget(secret, now=True)

    assert library.roots() == [bytes(library.media / "public")]
    assert list(found_in(library.path, {"root": bytes(secret)})) == []


def test_a_reader_of_an_older_state_is_told_of(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unisearch.catalog.open._BUSY_S", 0.1)
    needles = traces(filled)

    with open_rooms(filled.settings) as reader, reader.catalog.view() as view:
        assert len(view.items()) == 7
        with pytest.raises(LibraryLocked, match="a process still reads an older state"):
            Indexer(settings=filled.settings).forget(filled.media / "private", now=True)
        assert len(view.items()) == 7

    Indexer(settings=filled.settings).forget(filled.media / "private", now=True)
    assert list(found_in(filled.path, needles)) == []


def test_damage_beside_it_is_told_and_nothing_is_copied(filled: Library) -> None:
    path = filled.path / "vectors" / "toy-1" / "text" / "0.f16"
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)

    with pytest.raises(LibraryDamaged, match="block 0 differs from its checksum"):
        Indexer(settings=filled.settings).forget(filled.media / "private", now=True)

    assert path.read_bytes() == data
    assert "diary.txt" not in filled.names()


@pytest.mark.parametrize(("setting", "count"), [("both", 1), ("words", 1)])
def test_words_that_another_file_had_from_a_forgotten_text_go_too(
    library: Library, make: Make, setting: str, count: int
) -> None:
    settings = library.settings.model_copy(
        update={"index": library.settings.index.model_copy(update={"sidecars": setting})}
    )
    make["picture"](library.media / "a.png", 3)
    text = make["text"](library.media / "a.txt", PASSAGE)
    with Indexer(settings=settings) as indexer:
        indexer.run(library.media)

        assert indexer.forget(text, now=True) == count

    assert "a.png" in library.names()
    needles = {"passage": PASSAGE.encode(), "word": b"xylophonist", "stem": b"quuxberri"}
    assert list(found_in(library.path, needles)) == []
