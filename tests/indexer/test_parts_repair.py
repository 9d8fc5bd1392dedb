"""What is lost of the vectors of a mixed space, or of their parts, comes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexer import Indexer
from indexer.repair import repair
from tests.blend import Blend
from tests.indexer.conftest import sound
from tests.mixed import WORDS, MakeMixed, Mixed, apart, blend, built, make_mixed, mixed
from tests.second import second
from unisearch.catalog.rows import Span, Stat
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.engine.terms import Term
from unisearch.errors import UnisearchError
from unisearch.factors import mix, side_by_side
from unisearch.index.rows import RowFiles
from unisearch.wiring import open_rooms, row_files

__all__ = ["MakeMixed", "blend", "built", "make_mixed", "mixed", "second"]


def damage(mixed: Mixed, modality: str, parts: bool = True) -> None:
    """Another bit in the first row of parts, or of the vectors that are mixed of them."""
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        row = next(
            row for row in view.all_partitions()
            if (row.space == view_parts(mixed)) == parts and row.modality == modality
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
    damage(mixed, "audio")
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


@pytest.mark.parametrize("away", [False, True], ids=["files are there", "files are away"])
def test_lost_vectors_are_mixed_again_from_whole_parts_and_nothing_is_read(
    mixed: Mixed, tmp_path: Path, away: bool
) -> None:
    mixed.own_media(tmp_path / "media")
    mixed.turn({"audio": 0.8})
    before, parts = mixed.rows(), mixed.rows(parts=True)
    damage(mixed, "audio", parts=False)
    if away:
        mixed.media.rename(tmp_path / "away")
    planned = repair(mixed.settings, dry_run=True)

    report = repair(mixed.settings)

    assert (report.again, report.lost, report.left) == ([], [], [])
    [line] = [line for line in report.done if line.startswith("vectors")]
    assert line in planned.done
    assert line.endswith(
        "/audio: 0 sound rows kept and 3 mixed again from their parts, in a new epoch"
    )
    assert apart(mixed.rows(), before) < 5e-4
    assert apart(mixed.rows(parts=True), parts) == 0
    assert gaps(mixed) == []
    if away:
        (tmp_path / "away").rename(mixed.media)
    mixed.healthy()
    assert mixed.turn("versatile") == 6


def test_only_what_has_no_parts_is_read_again(mixed: Mixed) -> None:
    before = mixed.by_path()
    damage(mixed, "audio")
    damage(mixed, "audio", parts=False)
    damage(mixed, "text", parts=False)

    report = repair(mixed.settings)

    assert [Path(path.decode()).suffix for path in report.again] == [".wav"] * 3
    mixed.run()
    assert apart(mixed.by_path(), before) < 5e-4
    mixed.healthy()


def test_sound_rows_stay_as_they_are_among_mixed_ones(tmp_path: Path, blend: None) -> None:
    count, factor = 4_200, 0.3  # in two blocks
    settings = Settings.model_validate({"library": str(tmp_path), "space": "blend"})
    space = Blend(factors={"text": 0.1, "audio": factor})
    both = np.random.default_rng(0).standard_normal((2, count, space.dim))
    both /= np.linalg.norm(both, axis=2, keepdims=True)
    parts = side_by_side(np.concatenate(list(both), axis=1))
    with open_rooms(settings, write=True) as rooms, rooms.catalog.write() as tx:
        tx.add_space(space.id, space.name, space.dim, space.modalities)
        tx.add_space(space.parts_id, space.name, 2 * space.dim, space.mixed, "parts")
        content = tx.put_content(bytes(32), 1, "audio", {})
        keys = tx.put_segments(content, [Span(at, at + 10.0, "") for at in range(count)])
        tx.put_item(tx.add_root(b"/media"), b"a.wav", Stat(1, 1, 1, 1, 1), content)
        for one, rows in ((space.id, mix(factor, parts)), (space.parts_id, parts)):
            partition = tx.partition(one, "audio")
            sealed = row_files(tmp_path, partition).append(0, 0, keys, rows)
            tx.commit_rows(partition, count, sealed)
        tx.collect()
    library = Mixed(tmp_path, tmp_path, {"text": 0.1, "audio": factor})
    before = library.rows()
    damage(library, "audio", parts=False)

    [line] = [line for line in repair(settings).done if line.startswith("vectors")]

    assert "104 sound rows kept and 4,096 mixed again" in line
    after = library.rows()
    assert list(after) == keys.tolist()
    assert apart(after, before) < 5e-4
    assert all(np.array_equal(after[key], before[key]) for key in keys[4_096:].tolist())
