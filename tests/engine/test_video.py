"""Videos in a library: found by what is seen and by what is heard, with the seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from indexer import Indexer
from tests.films import RATE_HZ, Scene, tones, write_film
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.engine.values import term_of
from unisearch.records import Hit
from unisearch.wiring import open_rooms
from unisearch.world.files import write_sound

RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 160, 40)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(library=tmp_path / "library", space="toy")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Two videos of two scenes of 10 s each, one of them green and silent."""
    folder = tmp_path / "media"
    folder.mkdir()
    write_film(folder / "film.mkv", [Scene(10.0, RED, 440.0), Scene(10.0, BLUE, 3_000.0)])
    write_film(folder / "green.mp4", [Scene(4.0, GREEN)])
    return folder


@pytest.fixture
def engine(settings: Settings, media: Path) -> Iterator[Engine]:
    with Indexer(settings=settings) as indexer:
        report = indexer.run([media])
    assert report.by_modality == {"video": 2}
    assert not report.failed
    with Engine(open_rooms(settings)) as opened:
        yield opened


def told(hit: Hit) -> tuple[str, str, float | None, float | None]:
    return os.path.basename(os.fsdecode(hit.path)), hit.modality, hit.start_s, hit.end_s  # noqa: PTH119


def test_a_picture_finds_the_shot_with_its_seconds(engine: Engine, tmp_path: Path) -> None:
    Image.new("RGB", (96, 64), BLUE).save(tmp_path / "blue.png")

    hits = engine.search(tmp_path / "blue.png", into="video")

    assert told(hits[0]) == ("film.mkv", "video", 10.0, 20.0)
    assert [told(hit)[0] for hit in hits] == ["film.mkv", "green.mp4"]


def test_a_sound_finds_the_window_of_a_video(engine: Engine, tmp_path: Path) -> None:
    write_sound(tmp_path / "high.wav", tones([Scene(10.0, pitch_hz=3_000.0)]), RATE_HZ)

    hits = engine.search(tmp_path / "high.wav", into="audio")

    assert [told(hit) for hit in hits] == [("film.mkv", "audio", 10.0, 20.0)]


def test_a_video_asks_with_what_is_seen_and_finds_itself_once(engine: Engine, media: Path) -> None:
    answer = engine.ask([term_of(media / "green.mp4")])

    assert answer.query[0].modality == "video"
    assert told(answer.hits[0])[:2] == ("green.mp4", "video")
    assert answer.hits[0].similarity == pytest.approx(1, abs=1e-3)
    assert len({hit.item for hit in answer.hits}) == len(answer.hits) == 2


def test_an_item_asked_for_is_no_answer_by_its_sound_either(
    engine: Engine, settings: Settings
) -> None:
    with open_rooms(settings) as rooms, rooms.catalog.view() as view:
        items = {os.path.basename(item.path): item.id for item in view.items()}  # noqa: PTH119

    hits = engine.search(items[b"film.mkv"])

    assert {told(hit)[0] for hit in hits} == {"green.mp4"}


def test_a_video_that_goes_takes_its_shots_and_its_sound_along(
    engine: Engine, settings: Settings, media: Path
) -> None:
    (media / "film.mkv").unlink()
    with Indexer(settings=settings) as indexer:
        indexer.run([media])

    with open_rooms(settings) as rooms:
        with rooms.catalog.view() as view:
            live = {row.modality: row.count - row.dead for row in view.all_partitions()}
        findings = doctor(rooms)

    assert live == {"video": 1, "audio": 0}
    assert [one.message for one in findings if one.level == "error"] == []


def test_a_video_without_pictures_is_an_item_of_sound(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    write_film(folder / "talk.mp4", [Scene(3.0, RED, 440.0)], pictures=False)

    with Indexer(settings=settings) as indexer:
        report = indexer.run([folder])
    with open_rooms(settings) as rooms, rooms.catalog.view() as view:
        [item] = view.items()

    assert report.by_modality == {"audio": 1}
    assert item.modality == "audio"


def test_the_bytes_of_a_video_ask_as_its_file_does(engine: Engine, media: Path) -> None:
    content = (media / "film.mkv").read_bytes()

    assert told(engine.search(content, into="video")[0])[:2] == ("film.mkv", "video")
