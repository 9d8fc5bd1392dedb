"""What is lost of the parts of a mixed space's vectors while files are out of reach comes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from indexer import Indexer
from indexer.repair import repair
from tests.indexer.conftest import sound
from tests.mixed import WORDS, MakeMixed, Mixed, blend, built, make_mixed, mixed
from tests.second import second
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term
from unisearch.errors import UnisearchError
from unisearch.index.rows import RowFiles
from unisearch.wiring import open_rooms

__all__ = ["MakeMixed", "blend", "built", "make_mixed", "mixed", "second"]


def damage_parts(mixed: Mixed, modality: str) -> None:
    """Another bit in the first row of parts."""
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        row = next(
            row for row in view.all_partitions()
            if row.space == view_parts(mixed) and row.modality == modality
        )  # fmt: skip
    path = RowFiles(mixed.path / "vectors", row.space, row.modality, row.dim).vectors_path(
        row.epoch
    )
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)


def view_parts(mixed: Mixed) -> str:
    """The id under which parts lie."""
    return next(one for one, state in mixed.ids().items() if state == "parts")


def gaps(mixed: Mixed) -> list[tuple[str, str]]:
    """(space without its digest and factors, or 'parts'; why)."""
    parts = view_parts(mixed)
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        return sorted(
            ("parts" if space == parts else space.partition("-")[0], why)
            for _, space, why in view.gaps()
        )


def complaints(mixed: Mixed) -> list[str]:
    with open_rooms(mixed.settings) as rooms:
        return [one.message for one in doctor(rooms) if one.level != "ok"]


def test_while_parts_are_away_a_turn_says_so_and_they_come_back_with_their_files(
    mixed: Mixed, tmp_path: Path
) -> None:
    mixed.own_media(tmp_path / "media")
    away = mixed.media.rename(tmp_path / "away")
    damage_parts(mixed, "audio")
    assert repair(mixed.settings).lost == []

    assert gaps(mixed) == [("parts", "away")] * 3
    assert len(mixed.answers(WORDS[0])) == 9  # the vectors themselves are whole
    with Engine(open_rooms(mixed.settings)) as engine:
        answer = engine.ask([Term(WORDS[0])], factors={"audio": 0.9})
    assert list(answer.approximate) == ["audio"]
    assert len(answer.hits) == 6
    before = mixed.ids()
    with pytest.raises(UnisearchError) as told:
        mixed.turn("at_expertise")
    assert "3 files lack the parts of vectors that factors are turned by" in str(told.value)
    assert f"{mixed.media}/0.wav" in str(told.value)
    assert "they come back with the file" in str(told.value)
    assert mixed.ids() == before

    away.rename(mixed.media)
    with Indexer(settings=mixed.settings) as indexer:
        indexer.build()
    assert gaps(mixed) == []
    mixed.healthy()
    assert mixed.turn("at_expertise") == 6


@pytest.mark.usefixtures("second")
def test_of_a_file_in_two_spaces_lost_windows_come_back_with_their_parts(
    mixed: Mixed, tmp_path: Path
) -> None:
    mixed.own_media(tmp_path / "media")
    sound(mixed.media / "long.wav", 23, 7)
    mixed.run()
    with Indexer(settings=mixed.settings) as indexer:
        indexer.add_space("second", "add")
        indexer.build()
    parts, vectors = 10, len(mixed.rows())
    away = mixed.media.rename(tmp_path / "away")
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        long = view.item_at(bytes(mixed.media / "long.wav"))
        assert long is not None
    with closing(sqlite3.connect(mixed.path / "catalog.db")) as catalog, catalog:
        catalog.execute(  # a window that has no row anywhere
            "INSERT INTO segments (id, content_id, ordinal, start_s, end_s, text, modality)"
            f" SELECT max(id) + 1, {long.content}, 9, 15, 23, '', 'audio' FROM segments"
        )

    [line] = repair(mixed.settings).lost
    assert "long.wav: 1 vector of item" in line
    for factor in (0.7, 0.8):
        assert gaps(mixed) == [("blend", "part"), ("parts", "part"), ("second", "part")]
        assert sum("1 of which some were lost" in one for one in complaints(mixed)) == 2
        assert mixed.turn({"audio": factor}) == parts  # what is whole has its parts
        with Indexer(settings=mixed.settings) as indexer:
            indexer.build()  # the file is still away
        assert repair(mixed.settings).lost == []

    away.rename(mixed.media)
    with Indexer(settings=mixed.settings) as indexer:
        indexer.build()
    assert gaps(mixed) == []
    mixed.healthy()
    assert len(mixed.rows()) == vectors
    assert mixed.turn("versatile") == parts
