"""Videos on their way into a library."""

from __future__ import annotations

from tests.films import Scene, write_film
from tests.indexer.conftest import Library

RED, BLUE = (200, 40, 40), (40, 40, 200)


def test_shots_and_sound_of_many_videos_get_their_own_rows(library: Library) -> None:
    for number in range(5):
        scenes = [Scene(2.0, RED, 440.0 + 50 * number), Scene(2.0, BLUE, 2_000.0)]
        write_film(library.media / f"{number}.mkv", scenes, sound=number != 3)

    report = library.run()

    assert report.by_modality == {"video": 5}
    assert len(library.live_rows()) == 5 * 2 + 4
    assert library.item("3.mkv").facts.keys() == {"duration_s", "width", "height"}
    assert library.item("4.mkv").facts["channels"] == 1


def test_typescript_is_counted_as_of_no_known_kind(library: Library) -> None:
    (library.media / "index.ts").write_text("export {};\n" * 50)
    write_film(library.media / "film.ts")

    report = library.run()

    assert report.by_modality == {"video": 1}
    assert report.ignored == 1
    assert report.failed == []
