"""A repair of a library of several spaces, some of whose files are out of reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import Indexer
from indexer.repair import repair
from tests.indexer.test_building import add, healthy, rows_of, segments
from tests.indexer.test_repair import change
from tests.second import second
from unisearch.engine.doctor import doctor
from unisearch.wiring import open_rooms

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]

__all__ = ["second"]
pytestmark = pytest.mark.usefixtures("second")


def flip(library: Library, space: str, modality: str) -> None:
    """Another bit in its first row of vectors."""
    [rows] = (library.path / "vectors" / space / modality).glob("*.f16")
    content = bytearray(rows.read_bytes())
    content[7] ^= 1
    rows.write_bytes(content)


def warnings(library: Library) -> list[str]:
    with open_rooms(library.settings) as rooms:
        return [one.message for one in doctor(rooms) if one.level != "ok"]


def build(library: Library) -> None:
    """What `index` does at its end."""
    with Indexer(settings=library.settings) as indexer:
        indexer.build()


def away(library: Library) -> Path:
    """The folder of media is out of reach, and lies here meanwhile."""
    return library.media.rename(library.media.parent / "away")


def test_what_both_spaces_lost_of_a_file_out_of_reach_is_told_and_comes_back(
    library: Library, make: Make
) -> None:
    library.fill()
    library.run()
    add(library, "second")
    [beach] = [item for item in library.items() if item.path.endswith(b"beach.png")]
    folder = away(library)
    for space in ("toy-1", "second-1"):
        flip(library, space, "image")

    mended = repair(library.settings)

    [line] = mended.lost
    assert "beach.png: 1 vector of item" in line
    assert line.endswith("it is read again when it is back")
    assert any("1 files wait to be read again" in one for one in warnings(library))
    folder.rename(library.media)
    assert library.run().updated == 1
    assert library.item("photos/beach.png").id == beach.id
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    healthy(library)


def test_parts_of_a_file_out_of_reach_that_are_whole_stay_and_the_others_come_back(
    library: Library, make: Make
) -> None:
    library.fill()
    make["sound"](library.media / "long.wav", 23, 3)
    library.run()
    add(library, "second")
    count, long = len(segments(library)), library.item("long.wav")
    folder = away(library)
    change(
        library,
        "INSERT INTO segments (id, content_id, ordinal, start_s, end_s, text, modality)"
        f" VALUES ({count + 1}, {long.content}, 4, 15, 23, '', 'audio')",
    )

    mended = repair(library.settings)

    [line] = mended.lost
    assert "long.wav: 1 vector of item" in line
    for _ in range(2):
        assert len(segments(library)) == count
        for space in ("toy-1", "second-1"):
            assert sorted(rows_of(library, space)) == segments(library)
        assert sum("1 of which some were lost" in one for one in warnings(library)) == 2
        build(library)  # the file is still away
        assert repair(library.settings).lost == []
    folder.rename(library.media)
    build(library)
    assert len(segments(library)) == count
    for space in ("toy-1", "second-1"):
        assert sorted(rows_of(library, space)) == segments(library)
    assert library.item("long.wav").id == long.id
    healthy(library)
