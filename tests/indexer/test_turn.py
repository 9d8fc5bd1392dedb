"""The factors of a mixed space are turned from stored parts, without embedding anything again."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer, Progress
from indexer.compaction import compact
from indexer.repair import repair
from tests.spaces.tiny import tiny_space
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.engine.export import export
from unisearch.errors import UnisearchError, UsageError
from unisearch.index.rows import RowFiles
from unisearch.records import MODALITIES
from unisearch.spaces.mixed import MixedSpace
from unisearch.wiring import open_rooms, row_files

Make = dict[str, Callable[..., Path]]
Rows = dict[int, NDArray[np.float32]]

WORDS = ("A dog barks at the moon", "Rain falls on a tin roof", "An engine starts")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_space("ib_pp", folder)
    return folder


class Mixed:
    """A library of the tiny ib_pp with texts, pictures and sounds."""

    def __init__(self, folder: Path, media: Path, models: Path, factors: Any) -> None:
        self.media, self.path = media, folder
        self.settings = Settings.model_validate(
            {
                "library": str(folder),
                "models": str(models),
                "space": "ib_pp",
                "spaces": {"factors": factors},
                "previews": {"enabled": False},
                "index": {"commit_every": 2},
            }
        )

    def run(self) -> None:
        report = Indexer(settings=self.settings).run([self.media])
        assert report.failed == []

    def turn(self, factors: Any, **options: Any) -> int:
        return Indexer(settings=self.settings).turn(factors, **options)

    def ids(self) -> dict[str, str]:
        """The states of all spaces, and of parts, by id."""
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            return {row.id: row.state for row in view.spaces()}

    def rows(self, parts: bool = False) -> Rows:
        """The live vectors, or their parts, by segment."""
        found: Rows = {}
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            for row in view.all_partitions():
                if ("@" in row.space) == parts:
                    continue
                stored = row_files(self.path, row).open(row.epoch, row.count)
                dead = view.partitions(row.space)[row.modality].dead
                for at in np.delete(np.arange(row.count), dead).tolist():
                    found[int(stored.keys[at])] = stored.vectors[at].astype(np.float32)
        return found

    def by_path(self) -> dict[str, NDArray[np.float32]]:
        rows = self.rows()
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            hits = view.hits(list(rows))
        return {Path(hit.path.decode()).name: rows[key] for key, hit in hits.items()}

    def healthy(self) -> None:
        with open_rooms(self.settings) as rooms:
            assert [one for one in doctor(rooms) if one.level != "ok"] == []

    def answers(self, question: Any, **options: Any) -> list[tuple[str, float]]:
        with Engine(open_rooms(self.settings)) as engine:
            hits = engine.search(question, names=False, **options)
        return [(Path(hit.path.decode()).name, hit.similarity) for hit in hits]


@pytest.fixture
def make_mixed(tmp_path: Path, models: Path, make: Make) -> Callable[..., Mixed]:
    media = tmp_path / "media"
    for number, words in enumerate(WORDS):
        make["text"](media / f"{number}.txt", words)
        make["sound"](media / f"{number}.wav", 2, number)
        make["picture"](media / f"{number}.png", number)
    names = itertools.count()

    def made(factors: Any = "versatile") -> Mixed:
        mixed = Mixed(tmp_path / f"library {next(names)}", media, models, factors)
        mixed.run()
        return mixed

    return made


@pytest.fixture
def mixed(make_mixed: Callable[..., Mixed]) -> Mixed:
    return make_mixed()


def apart(one: Mapping[Any, NDArray[np.float32]], two: Mapping[Any, NDArray[np.float32]]) -> float:
    assert one.keys() == two.keys()
    return max(float(np.abs(one[key] - two[key]).max()) for key in one)


@pytest.mark.parametrize("factors", ["at_expertise", {"text": 0.35, "audio": 0.0}])
def test_turned_vectors_are_those_of_indexing_anew_and_nothing_is_embedded(
    mixed: Mixed, make_mixed: Callable[..., Mixed], monkeypatch: pytest.MonkeyPatch, factors: Any
) -> None:
    anew = make_mixed(factors)
    before = mixed.by_path()
    assert apart(before, anew.by_path()) > 0.01

    with monkeypatch.context() as patched:
        patched.setattr(MixedSpace, "encode_with", None)
        assert mixed.turn(factors) == 6

    assert apart(mixed.by_path(), anew.by_path()) < 5e-4
    assert all(np.array_equal(mixed.by_path()[name], before[name]) for name in before
               if name.endswith(".png"))  # fmt: skip
    assert mixed.ids().keys() == anew.ids().keys()
    mixed.settings = anew.settings.model_copy(update={"library": mixed.path})
    mixed.healthy()


def test_of_factor_0_the_base_is_left_and_of_1_the_expert(mixed: Mixed) -> None:
    parts = mixed.rows(parts=True)
    dim = len(next(iter(parts.values()))) // 2
    assert len(parts) == 6

    for factor, part in ((0, slice(0, dim)), (1, slice(dim, None))):
        mixed.turn({"text": factor, "audio": factor})
        turned = mixed.rows()
        wanted = {key: row[part] * 2**0.5 for key, row in parts.items()}
        assert apart(wanted, {key: turned[key] for key in wanted}) < 5e-4


def test_one_factor_alone_leaves_the_other(mixed: Mixed) -> None:
    before = mixed.by_path()

    mixed.turn({"text": 0.9})

    after = mixed.by_path()
    assert np.abs(after["0.txt"] - before["0.txt"]).max() > 0.01
    assert np.abs(after["0.wav"] - before["0.wav"]).max() < 5e-4
    assert any(one.endswith("@audio=0.5,text=0.9") for one in mixed.ids())


def test_turning_to_what_it_is_does_nothing(mixed: Mixed) -> None:
    before = mixed.ids()
    assert mixed.turn("versatile") == 0
    assert mixed.ids() == before


def test_there_and_back_again(mixed: Mixed) -> None:
    before, ids = mixed.by_path(), mixed.ids()
    mixed.turn("at_expertise")
    mixed.turn("versatile")
    assert apart(mixed.by_path(), before) < 1e-3
    assert mixed.ids() == ids
    folders = {path.name for path in (mixed.path / "vectors").iterdir()}
    assert folders == set(ids)
    mixed.healthy()


def test_files_that_come_after_a_turn_follow_its_factors_whatever_is_configured(
    mixed: Mixed, make_mixed: Callable[..., Mixed], make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    mixed.turn("at_expertise")
    make["text"](mixed.media / "late.txt", "A late guest")
    make["sound"](mixed.media / "late.wav", 2, 9)
    with caplog.at_level(logging.WARNING):
        mixed.run()
    told = [line for line in caplog.messages if "'unisearch turn'" in line]
    assert len(told) == 1

    assert apart(mixed.by_path(), make_mixed("at_expertise").by_path()) < 5e-4
    assert len(mixed.rows(parts=True)) == 8


def test_an_engine_that_is_open_answers_with_the_new_factors(
    mixed: Mixed, make_mixed: Callable[..., Mixed]
) -> None:
    anew = make_mixed("at_expertise")
    with Engine(open_rooms(mixed.settings)) as engine:
        engine.search(WORDS[0], names=False)
        mixed.turn("at_expertise")
        hits = engine.search(WORDS[0], names=False)
    found = {Path(hit.path.decode()).name: hit.similarity for hit in hits}
    assert found == pytest.approx(dict(anew.answers(WORDS[0])), abs=2e-3)


def test_what_is_forgotten_and_what_comes_while_factors_turn_is_right(
    mixed: Mixed, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make["text"](mixed.media / "late.txt", "A late guest")
    turns = 0
    with Indexer(settings=mixed.settings) as indexer:

        def meanwhile(now: Progress) -> None:
            nonlocal turns
            if turns == 0 and "0 of" not in now.doing:
                turns = 1
                handed = indexer.beside([bytes(mixed.media)])
                assert handed is not None
            turns += 1

        (mixed.media / "1.txt").unlink()
        indexer.turn("at_expertise", progress=meanwhile)
        indexer.run([mixed.media])
    assert turns
    assert "1.txt" not in mixed.by_path()
    assert len(mixed.rows(parts=True)) == 6
    mixed.settings = mixed.settings.model_copy(
        update={"spaces": mixed.settings.spaces.model_copy(update={"factors": "at_expertise"})}
    )
    mixed.healthy()


def test_forgotten_rows_stay_forgotten_after_a_turn(mixed: Mixed) -> None:
    with Indexer(settings=mixed.settings) as indexer:
        indexer.forget(mixed.media / "1.wav")
        indexer.forget(mixed.media / "1.png")
        indexer.turn("at_expertise")
    assert {"1.wav", "1.png"}.isdisjoint(mixed.by_path())
    assert len(mixed.rows(parts=True)) == 5
    with Indexer(settings=mixed.settings) as indexer:
        indexer.forget(mixed.media / "2.txt", now=True)
    assert len(mixed.rows(parts=True)) == 4


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from indexer import Indexer
    from tests.indexer.test_turn import Mixed
    from unisearch.catalog.write import Writing
    import indexer.turn as turn
    import indexer.steps as steps
    import unisearch.index.rows as rows

    library, media, models, where = sys.argv[1:]

    def dying(original, before=False):
        def call(*given, **named):
            if before:
                os.kill(os.getpid(), signal.SIGKILL)
            original(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        return call

    if where == "append":
        rows.append = dying(rows.append)
    elif where == "link":
        turn._link = dying(turn._link)
    elif where == "rename":
        Writing.rename_space = dying(Writing.rename_space)
    elif where == "switch":
        Writing.switch_epoch = dying(Writing.switch_epoch)
    else:
        plain = turn.drop_files
        def dropped(library, spaces):
            [name] = spaces
            if "0.5,text=0.1" in name:
                os.kill(os.getpid(), signal.SIGKILL)
            plain(library, spaces)
        turn.drop_files = dropped
    Mixed(Path(library), Path(media), Path(models), "versatile").turn("at_expertise")
"""


@pytest.mark.parametrize("where", ["append", "link", "rename", "switch", "drop"])
def test_a_kill_leaves_the_old_factors_or_the_new_ones(
    mixed: Mixed, models: Path, where: str
) -> None:
    before = mixed.by_path()
    arguments = [str(mixed.path), str(mixed.media), str(models), where]
    code = textwrap.dedent(KILLED)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, timeout=60, cwd=root
    )
    assert done.returncode == -9

    after = mixed.by_path()
    [space] = [one for one, state in mixed.ids().items() if state == "active"]
    assert space.endswith("text=0.5" if where == "drop" else "text=0.1")
    assert (apart(before, after) == 0) == (where != "drop")
    assert len(mixed.answers(WORDS[0])) == 9
    repair(mixed.settings)
    assert {path.name for path in (mixed.path / "vectors").iterdir() if [*path.glob("*/*")]} == set(
        mixed.ids()
    )
    mixed.turn({"text": 0.2, "audio": 0.2})
    assert mixed.by_path().keys() == before.keys()


def test_parts_are_no_space_of_their_own(mixed: Mixed, tmp_path: Path) -> None:
    with open_rooms(mixed.settings) as rooms:
        assert export(rooms, tmp_path / "out.npz", "npz", MODALITIES) == 9
    with Indexer(settings=mixed.settings) as indexer, pytest.raises(UnisearchError, match="only"):
        indexer.drop_space("ib_pp")
    mixed.healthy()


def test_compaction_keeps_vectors_and_parts_in_step(mixed: Mixed) -> None:
    with Indexer(settings=mixed.settings) as indexer:
        indexer.forget(mixed.media / "0.txt")
    with open_rooms(mixed.settings, write=True) as rooms:
        with rooms.catalog.view() as view:
            partitions = view.all_partitions()
        for row in partitions:
            compact(rooms, row, force="@" not in row.space)
    assert mixed.turn("at_expertise") == 5
    assert len(mixed.rows(parts=True)) == 5
    assert len(mixed.rows()) == 8


def test_damaged_parts_are_never_turned_into_vectors_and_repair_brings_them_back(
    mixed: Mixed,
) -> None:
    before = mixed.by_path()
    with open_rooms(mixed.settings) as rooms, rooms.catalog.view() as view:
        parts = next(row for row in view.all_partitions() if "@" not in row.space)
    file = RowFiles(mixed.path / "vectors", parts.space, parts.modality, parts.dim)
    path = file.vectors_path(parts.epoch)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])

    with pytest.raises(UnisearchError, match="differs from its checksum"):
        mixed.turn("at_expertise")

    assert apart(mixed.by_path(), before) == 0
    repair(mixed.settings)
    mixed.run()
    mixed.healthy()
    mixed.turn("at_expertise")
    assert mixed.by_path().keys() == before.keys()


@pytest.mark.parametrize(
    ("factors", "why"),
    [
        ({"text": 1.5}, "from 0 to 1"),
        ({"image": 0.5}, "no factor of image"),
        ("strong", "unknown preset"),
    ],
)
def test_factors_that_cannot_be_are_refused(mixed: Mixed, factors: Any, why: str) -> None:
    with pytest.raises((UsageError, UnisearchError), match=why):
        mixed.turn(factors)
