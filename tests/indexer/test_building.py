"""A space that is added is built from the files, while the others go on answering."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer, Progress
from indexer.pool import Pool
from indexer.repair import repair
from tests.second import Second, second
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.errors import ForeignSpace, UnisearchError, UnknownName, WeightsError
from unisearch.records import MODALITIES, Prepared
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms, row_files

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]

__all__ = ["second"]
pytestmark = pytest.mark.usefixtures("second")


def states(library: Library) -> dict[str, str]:
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        return {space.id: space.state for space in view.spaces()}


def rows_of(library: Library, space: str) -> dict[int, np.ndarray]:
    """The live vectors of a space by segment."""
    rows: dict[int, np.ndarray] = {}
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        for partition in view.all_partitions():
            if partition.space == space:
                stored = row_files(library.path, partition).open(partition.epoch, partition.count)
                dead = view.partitions(space)[partition.modality].dead
                live = np.delete(np.arange(partition.count), dead)
                rows |= zip(stored.keys[live].tolist(), stored.vectors[live], strict=True)
    return rows


def segments(library: Library) -> list[int]:
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        return view.segments().tolist()


def healthy(library: Library) -> None:
    """Nothing is wrong with the library, whatever its settings say."""
    with open_rooms(library.settings) as rooms:
        wrong = [one for one in doctor(rooms) if one.level != "ok"]
    assert [one for one in wrong if not one.message.startswith("configured, but")] == []


def spaces_that_answer(library: Library, question: str) -> set[str]:
    with Engine(open_rooms(library.settings)) as engine:
        return {hit.space for hit in engine.search(question, names=False)}


def add(library: Library, name: str, goal: str = "add") -> None:
    """Until the space is built."""
    with Indexer(settings=library.settings) as indexer:
        indexer.add_space(name, goal)  # type: ignore[arg-type]
        assert indexer.build()


def test_a_space_that_is_added_has_the_vectors_of_all_files_and_no_item_changes(
    library: Library, make: Make
) -> None:
    library.fill()
    make["sound"](library.media / "long.wav", 23, 5)
    library.run()
    before, items = library.live_rows(), library.items()

    add(library, "second")

    assert states(library) == {"toy-1": "active", "second-1": "active"}
    assert rows_of(library, "second-1").keys() == before.keys()
    assert library.items() == items
    assert rows_of(library, "toy-1").keys() == before.keys()
    assert library.run().unchanged == 5
    healthy(library)


def test_the_old_space_answers_alone_until_the_new_one_is_complete(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    monkeypatch.setattr(Second, "quality", {("text", kind): 0.9 for kind in MODALITIES})

    with Indexer(settings=library.settings) as indexer:
        seen: list[tuple[str, set[str]]] = []

        def look(now: Progress) -> None:
            assert "second" in now.doing
            seen.append((states(library)["second-1"], spaces_that_answer(library, "lighthouse")))

        assert indexer.add_space("second") == 4
        indexer.build(look)

    assert seen
    assert all(one == ("building", {"toy-1"}) for one in seen)
    assert spaces_that_answer(library, "lighthouse") == {"second-1"}


def test_a_new_file_is_read_once_and_lands_in_every_active_space(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    add(library, "second")
    make["sound"](library.media / "new.wav", 12, 9)
    read: list[object] = []
    submit = Pool.submit
    monkeypatch.setattr(
        Pool, "submit", lambda self, path, *rest, **more: (
            read.append(path), submit(self, path, *rest, **more)
        )[1],
    )  # fmt: skip

    report = library.run()

    assert (report.added, read) == (1, [bytes(library.media / "new.wav")])
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    healthy(library)


def test_vectors_are_those_of_each_space_alone(library: Library, make: Make) -> None:
    library.fill()
    library.run()
    add(library, "second")
    make["picture"](library.media / "new.png", 12)
    library.run()

    new = segments(library)[-1]
    toy, second = rows_of(library, "toy-1"), rows_of(library, "second-1")
    for segment in (*(one for one in toy if one != new), new):
        with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
            [hit] = view.hits([segment]).values()
        if hit.path.endswith((b".png", b".txt")):  # others are read at the larger need of both
            assert np.abs(second[segment] + toy[segment][::-1]).max() < 2e-3


def test_files_that_come_during_a_building_are_its_last_ones(library: Library, make: Make) -> None:
    for number in range(40):
        make["text"](library.media / f"{number}.txt", f"Story number {number}")
    library.run()

    with Indexer(settings=library.settings) as indexer:
        indexer.add_space("second")
        make["text"](library.media / "late.txt", "A late story")
        (library.media / "3.txt").unlink()
        assert indexer.run(library.media).added == 1
        indexer.build()

    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert len(segments(library)) == 40
    healthy(library)


def test_what_is_indexed_or_dropped_between_two_steps_is_right_in_the_end(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.reread.COMMIT_AFTER_S", 0.0)
    for number in range(60):
        make["picture"](library.media / f"{number}.png", number)
    library.run()

    with Indexer(settings=library.settings) as indexer:
        indexer.add_space("second")
        for number in range(8):
            make["text"](library.media / f"late {number}.txt", f"A late story, {number}")
            (library.media / f"{number * 7}.png").unlink()
            make["picture"](library.media / f"{number * 7 + 1}.png", 900 + number)
            indexer.run(library.media)
        indexer.build()
        indexer.run(library.media)

    assert states(library) == {"toy-1": "active", "second-1": "active"}
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert len(segments(library)) == 60
    healthy(library)


def test_a_kind_that_no_space_covers_is_told_and_embedded_when_one_does(
    library: Library, make: Make
) -> None:
    make["picture"](library.media / "a.png", 7)
    library.settings = library.settings.model_copy(update={"space": "pictures"})
    library.run()
    library.fill()

    report = library.run()

    assert (report.added, report.failed, report.uncovered) == (4, [], {"audio": 1, "3d": 1})
    assert library.run().unchanged == 5
    healthy(library)
    add(library, "second")
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert len(rows_of(library, "pictures-1")) == 3
    healthy(library)


def test_switching_leaves_the_old_space_and_switching_back_takes_only_what_is_new(
    library: Library, make: Make
) -> None:
    library.fill()
    library.run()
    add(library, "second", "switch")
    assert states(library) == {"toy-1": "left", "second-1": "active"}
    make["text"](library.media / "new.txt", "New words")
    library.run()
    healthy(library)
    assert len(rows_of(library, "toy-1")) == 4

    with Indexer(settings=library.settings) as indexer:
        assert indexer.add_space("toy", "switch") == 1
        indexer.build()

    assert states(library) == {"toy-1": "active", "second-1": "left"}
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    healthy(library)


def test_a_switch_may_drop_the_old_space_and_leaves_nothing_of_it(library: Library) -> None:
    library.fill()
    library.run()

    add(library, "second", "replace")

    assert states(library) == {"second-1": "active"}
    assert [folder.name for folder in (library.path / "vectors").iterdir()] == ["second-1"]
    library.settings = library.settings.model_copy(update={"space": "second"})
    healthy(library)


def test_a_dropped_space_leaves_nothing_and_may_come_again(library: Library, make: Make) -> None:
    library.fill()
    library.run()
    add(library, "second")
    before = epochs(library, "second-1")
    with Indexer(settings=library.settings) as indexer:
        with pytest.raises(UnisearchError, match="no space 'third'; it holds toy-1, second-1"):
            indexer.drop_space("third")

        assert indexer.drop_space("second") == 4

        with pytest.raises(UnisearchError, match="'toy-1' is the library's only active space"):
            indexer.drop_space("toy")
    assert states(library) == {"toy-1": "active"}
    assert [folder.name for folder in (library.path / "vectors").iterdir()] == ["toy-1"]
    healthy(library)
    add(library, "second")
    assert sorted(rows_of(library, "second-1")) == segments(library)
    # Readers that hold rows of the space as it was see that these are others.
    assert not epochs(library, "second-1") & before


def epochs(library: Library, space: str) -> set[int]:
    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        return {row.epoch for row in view.partitions(space).values()}


def test_an_open_engine_follows_what_becomes_of_spaces(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    monkeypatch.setattr(Second, "quality", {("text", kind): 0.9 for kind in MODALITIES})
    seen = []

    with Engine(open_rooms(library.settings)) as engine:

        def ask() -> None:
            [hit, *_] = engine.search("lighthouse", into="text", names=False)
            seen.append(hit.space)

        ask()
        add(library, "second")
        ask()
        with Indexer(settings=library.settings) as indexer:
            indexer.drop_space("second-1")
        ask()
        add(library, "second", "switch")
        ask()

    assert seen == ["toy-1", "second-1", "toy-1", "second-1"]


def test_a_content_out_of_reach_is_missing_until_it_is_back(
    library: Library, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    library.fill()
    make["sound"](library.media / "sounds" / "long.wav", 23, 2)
    library.run()
    (library.media / "sounds").rename(library.media.parent / "away")

    add(library, "second")

    assert "2 contents are not in the space 'second-1', as their files are out of" in caplog.text
    assert states(library)["second-1"] == "active"
    assert len(rows_of(library, "second-1")) == 3
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    (library.media.parent / "away").rename(library.media / "sounds")
    before = library.items()
    with Indexer(settings=library.settings) as indexer:
        indexer.build()
    assert library.items() == before
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    assert len(segments(library)) == 3 + 1 + 4
    healthy(library)


def test_a_file_that_cannot_be_embedded_there_keeps_its_old_vectors(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    encode = Second.encode_prepared

    def fail(self: Second, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = encode(self, batch)
        return rows * np.nan if batch[0].modality == "image" else rows

    monkeypatch.setattr(Second, "encode_prepared", fail)

    add(library, "second")

    with open_rooms(library.settings) as rooms, rooms.catalog.view() as view:
        assert view.count_gaps("second-1") == {"failed": 1}
    assert len(rows_of(library, "second-1")) == 3
    assert sorted(rows_of(library, "toy-1")) == segments(library)


def test_a_repair_reads_again_what_one_of_two_spaces_lost(library: Library, make: Make) -> None:
    for number in range(5):
        make["picture"](library.media / f"{number}.png", number)
    library.run()
    add(library, "second")
    [rows] = (library.path / "vectors" / "second-1" / "image").glob("*.f16")
    content = bytearray(rows.read_bytes())
    content[7] ^= 1
    rows.write_bytes(content)

    repair(library.settings)
    library.run()

    assert sorted(rows_of(library, "second-1")) == sorted(rows_of(library, "toy-1"))
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    healthy(library)


def test_a_library_that_holds_nothing_takes_its_space_from_the_settings(library: Library) -> None:
    with Indexer(settings=library.settings) as indexer:
        indexer.run(library.media)
        with pytest.raises(UnisearchError, match="holds nothing yet: set 'space: second'"):
            indexer.add_space("second")
        with pytest.raises(UnknownName, match="unknown space 'secnd'; did you mean 'second'"):
            indexer.add_space("secnd")


def test_new_weights_of_the_same_name_take_over_from_the_files(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()
    monkeypatch.setattr(ToySpace, "id", "toy-2")
    with Indexer(settings=library.settings) as indexer:
        with pytest.raises(ForeignSpace, match="are of 'toy-2': 'unisearch spaces switch toy'"):
            indexer.run(make["text"](library.media / "a.txt", "Early words"))
        assert indexer.add_space("toy", "replace") == 4
        make["text"](library.media / "b.txt", "Words in between")
        assert indexer.run(library.media).added == 2
        indexer.build()

    assert states(library) == {"toy-2": "active"}
    assert sorted(rows_of(library, "toy-2")) == segments(library)
    assert len(segments(library)) == 6
    assert spaces_that_answer(library, "lighthouse") == {"toy-2"}
    healthy(library)


def test_a_repair_keeps_what_another_space_has_of_a_file_out_of_reach(
    library: Library, make: Make
) -> None:
    for number in range(5):
        make["picture"](library.media / f"{number}.png", number)
    library.run()
    add(library, "second")
    library.media.rename(library.media.parent / "away")
    [rows] = (library.path / "vectors" / "second-1" / "image").glob("*.f16")
    content = bytearray(rows.read_bytes())
    content[7] ^= 1
    rows.write_bytes(content)

    mended = repair(library.settings)

    assert mended.lost == []
    assert sorted(rows_of(library, "toy-1")) == segments(library)
    assert rows_of(library, "second-1") == {}
    (library.media.parent / "away").rename(library.media)
    with Indexer(settings=library.settings) as indexer:
        indexer.build()
    assert sorted(rows_of(library, "second-1")) == segments(library)
    assert len(segments(library)) == 5
    healthy(library)


def test_what_is_built_in_part_is_right_and_nothing_to_repair(
    library: Library, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.reread.COMMIT_AFTER_S", 0.0)
    for number in range(60):
        make["text"](library.media / f"{number}.txt", f"Story number {number}")
    library.run()

    def stop(now: Progress) -> None:
        if "32 of 60" in now.doing:
            raise KeyboardInterrupt

    with Indexer(settings=library.settings) as indexer:
        indexer.add_space("second")
        with pytest.raises(KeyboardInterrupt):
            indexer.build(stop)
        indexer.hurry()
    built = rows_of(library, "second-1").keys()

    healthy(library)
    mended = repair(library.settings)

    assert 32 <= len(built) < 60
    assert (mended.done, mended.again, mended.lost, mended.left) == ([], [], [], [])
    assert rows_of(library, "second-1").keys() == built


def test_a_space_without_its_background_is_not_added(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    library.run()

    def lacking(*ignored: object) -> None:
        raise WeightsError("has no background yet")

    monkeypatch.setattr(Second, "reference", lacking)

    with (
        Indexer(settings=library.settings) as indexer,
        pytest.raises(WeightsError, match="no background yet"),
    ):
        indexer.add_space("second")

    assert states(library) == {"toy-1": "active"}
