"""Texts beside pictures, sounds and models: words to find them by, without embedding anything."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from indexer import Indexer
from tests.indexer.conftest import Library, model, picture, sound, text
from unisearch.catalog.where_sql import condition
from unisearch.sections import IndexSettings
from unisearch.wiring import open_rooms

Forbid = Callable[[], None]


def found(library: Library, words: str) -> list[str]:
    """Names of the files whose own words or name hold these, not those of passages."""
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        matches = [match.item for match in view.match_words(words, 50) if match.item is not None]
        rows = [view.item(item) for item in matches]
        assert view.problems() == []
    return sorted(os.fsdecode(row.path).rsplit("/", 1)[1] for row in rows if row)


def passing(library: Library, asked: str) -> list[str]:
    """Names of the files that pass a filter."""
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        where = condition(asked, 0)
        rows = view.hits(view.segments(where=where), where=where).values()
    return sorted(os.fsdecode(row.path).rsplit("/", 1)[1] for row in rows)


def use(library: Library, sidecars: str) -> None:
    index = IndexSettings(sidecars=sidecars)  # type: ignore[arg-type]
    library.settings = library.settings.model_copy(update={"index": index})


def test_a_text_of_the_same_name_is_found_as_words_of_what_it_stands_beside(
    library: Library,
) -> None:
    picture(library.media / "a.jpg", 1)
    sound(library.media / "b.wav", 1, 1)
    model(library.media / "in" / "c.obj", 2)
    text(library.media / "a.txt", "A barn owl at night")
    text(library.media / "b.wav.txt", "A tawny owl")
    text(library.media / "in" / "c.TXT", "A stuffed owl")
    text(library.media / "in" / "a.txt", "An owl beside nothing")

    foreseen, report = library.run(dry_run=True), library.run()

    assert foreseen.added == report.added == 7  # texts of their own, too
    assert report.described == 3
    assert found(library, "owl") == ["a.jpg", "b.wav", "c.obj"]
    assert passing(library, "text:owl and kind!=text") == ["a.jpg", "b.wav", "c.obj"]
    assert library.run().described == 0


@pytest.mark.parametrize(
    ("content", "words", "tags"),
    [({"caption": "A barn owl", "width": 3, "tags": ["night", "wild bird"]}, "owl", "wild bird"),
     ({"Title": "Owl", "keywords": "night, wild bird ,"}, "owl", "wild bird"),
     ({"description": ["One owl", "two"], "other": {"text": "no"}}, "owl two", None),
     (["An owl", "A bird"], "owl bird", None), ("An owl", "owl", None)],
)  # fmt: skip
def test_json_gives_captions_and_tags(
    library: Library, content: Any, words: str, tags: str | None
) -> None:
    picture(library.media / "x.jpg", 1)
    (library.media / "x.json").write_text(json.dumps(content))

    library.run()

    assert found(library, words) == ["x.jpg"]
    if tags is not None:
        assert passing(library, f"kind=image and tag='{tags}'") == ["x.jpg"]
        assert found(library, "night") == ["x.jpg"]


@pytest.mark.parametrize("content", ['{"width": 3}', "{broken", "[[[[1]]]]", "7", "{}", "null"])
def test_json_that_says_nothing_of_the_file_adds_nothing(library: Library, content: str) -> None:
    picture(library.media / "x.jpg", 1)
    (library.media / "x.json").write_text(content)

    assert library.run().added == 1
    assert library.run().described == 0  # it is not read again until it changes


def test_words_follow_their_text_and_nothing_is_embedded(
    library: Library, nothing_embedded: Forbid
) -> None:
    use(library, "words")
    image = picture(library.media / "x.jpg", 1)
    beside = text(library.media / "x.txt", "A barn owl")
    library.run()
    before, rows = library.item("x.jpg"), library.live_rows()
    nothing_embedded()

    text(beside, "A brown cow")
    report = library.run()

    assert (report.unchanged, report.updated, report.described) == (1, 0, 1)
    assert (found(library, "owl"), found(library, "cow")) == ([], ["x.jpg"])

    image.rename(library.media / "y.jpg")
    beside.rename(library.media / "y.txt")
    assert library.run().moved == 1
    assert found(library, "cow") == ["y.jpg"]

    (library.media / "y.txt").unlink()
    assert library.run().described == 1
    assert found(library, "cow") == []
    assert library.item("y.jpg").id == before.id
    assert library.live_rows().keys() == rows.keys()


def test_a_tree_that_moves_takes_its_words_along_without_reading_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        picture(library.media / "in" / f"{number}.jpg", number)
        text(library.media / "in" / f"{number}.txt", "A barn owl")
    library.run()
    (library.media / "in").rename(library.media / "out")

    def refuse(path: Path) -> None:
        raise KeyError(path)

    monkeypatch.setattr("indexer.sidecars.read_sidecar", refuse)
    report = library.run()

    assert (report.moved, report.described) == (10, 0)
    assert len(found(library, "owl")) == 5


def test_a_single_file_is_looked_at_with_what_stands_beside_it(library: Library) -> None:
    """As a watcher does when it hears of one of them."""
    image = picture(library.media / "x.jpg", 1)
    library.run()
    beside = text(library.media / "x.txt", "A barn owl")

    assert library.run(beside).described == 1
    assert found(library, "owl") == ["x.jpg"]

    text(beside, "A brown cow")
    assert library.run(image).described == 1
    assert found(library, "cow") == ["x.jpg"]

    beside.unlink()
    with Indexer(settings=library.settings) as indexer:
        indexer.refresh([bytes(beside)])
    assert found(library, "cow") == []


def test_texts_beside_others_can_be_words_alone(library: Library) -> None:
    picture(library.media / "x.jpg", 1)
    text(library.media / "x.txt", "A barn owl")
    (library.media / "x.jpg.json").write_text('"An eagle owl"')
    text(library.media / "note.txt", "A brown cow")
    library.run()
    assert library.names() == ["note.txt", "x.jpg", "x.jpg.json", "x.txt"]

    use(library, "words")
    report = library.run()

    assert (report.removed, report.unchanged) == (2, 2)
    assert library.names() == ["note.txt", "x.jpg"]
    assert found(library, "barn eagle owl") == ["x.jpg"]
    assert library.run(library.media / "x.txt").added == 0

    (library.media / "x.jpg").unlink()
    assert library.run().added == 2  # beside nothing they are texts again
    assert library.names() == ["note.txt", "x.jpg.json", "x.txt"]


def test_texts_beside_others_can_be_left_alone(library: Library) -> None:
    picture(library.media / "x.jpg", 1)
    text(library.media / "x.txt", "A barn owl")
    library.run()

    use(library, "off")
    report = library.run()

    assert (report.described, report.unchanged) == (1, 2)
    assert found(library, "owl") == []
    assert library.names() == ["x.jpg", "x.txt"]


def test_words_stay_while_a_drive_is_away(library: Library, tmp_path: Path) -> None:
    picture(library.media / "x.jpg", 1)
    text(library.media / "x.txt", "A barn owl")
    library.run()
    library.media.rename(tmp_path / "unplugged")
    (tmp_path / "other").mkdir()

    library.run(tmp_path / "other")

    assert found(library, "owl") == ["x.jpg"]


def test_a_text_that_is_ignored_says_nothing(library: Library) -> None:
    picture(library.media / "x.jpg", 1)
    text(library.media / "x.txt", "A barn owl")
    (library.media / ".unisearchignore").write_text("*.txt\n")
    library.run()
    assert found(library, "owl") == []

    library.run(library.media / "x.jpg")  # one by one as in the walk
    assert found(library, "owl") == []


def test_what_a_text_says_is_bounded_and_odd_bytes_do_no_harm(library: Library) -> None:
    picture(library.media / "x.jpg", 1)
    (library.media / "x.txt").write_bytes(b"owl \x1b[31m " + b"word " * 10_000 + b"cow")
    picture(library.media / "y.jpg", 2)
    (library.media / "y.txt").write_bytes(bytes(range(256)))

    library.run()

    assert found(library, "owl word") == ["x.jpg"]
    assert found(library, "cow") == []


def test_what_a_file_says_of_itself_is_found_and_filtered_by(library: Library) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Low tide"
    exif[ExifTags.Base.Model] = "EOS 5D"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:31 23:30:00"
    Image.new("RGB", (24, 24)).save(library.media / "a.jpg", exif=exif)
    Image.new("RGB", (24, 25)).save(library.media / "b.jpg")

    library.run()

    item = library.item("a.jpg")
    assert item.words == "Low tide"
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert [match.item for match in view.match_words("tide", 10)] == [item.id]
        for asked in ("camera:5d", "taken=2024-05-31", "taken<2024-06 and taken>2024-05-30"):
            [segment] = view.segments(where=condition(asked, 0))
            assert view.hits([segment])[int(segment)].item == item.id
