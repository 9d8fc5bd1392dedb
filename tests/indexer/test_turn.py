"""The factors of a mixed space are turned from stored parts, without embedding anything again."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import Indexer
from indexer.building import Building
from indexer.compaction import compact
from indexer.handover import Job
from indexer.journal import Journal
from indexer.repair import repair
from indexer.steps import begin, needs_of
from indexer.upkeep import Upkeep
from tests.mixed import WORDS, MakeMixed, Mixed, apart, blend, built, make_mixed, mixed
from unisearch.cli.main import run
from unisearch.engine.engine import Engine
from unisearch.engine.export import export
from unisearch.errors import UnisearchError, UsageError
from unisearch.factors import mix
from unisearch.index.rows import RowFiles
from unisearch.records import MODALITIES
from unisearch.spaces.mixed import MixedSpace
from unisearch.wiring import Rooms, open_rooms

__all__ = ["blend", "built", "make_mixed", "mixed"]
Make = dict[str, Callable[..., Path]]


@pytest.mark.parametrize("factors", ["at_expertise", {"text": 0.35, "audio": 0.0}])
def test_turned_vectors_are_those_of_indexing_anew_and_nothing_is_embedded(
    mixed: Mixed, make_mixed: MakeMixed, monkeypatch: pytest.MonkeyPatch, factors: Any
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
    mixed: Mixed, tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    mixed.own_media(tmp_path / "media")
    mixed.turn("at_expertise")
    make["text"](mixed.media / "late.txt", "A late guest")
    make["sound"](mixed.media / "late.wav", 2, 9)
    with caplog.at_level(logging.WARNING):
        mixed.run()
    told = [line for line in caplog.messages if "'unisearch spaces turn'" in line]
    assert len(told) == 1

    anew = Mixed(tmp_path / "anew", mixed.media, "at_expertise")
    anew.run()
    assert apart(mixed.by_path(), anew.by_path()) < 5e-4
    assert len(mixed.rows(parts=True)) == 8


def test_an_engine_that_is_open_answers_with_the_new_factors(
    mixed: Mixed, make_mixed: MakeMixed
) -> None:
    anew = make_mixed("at_expertise")
    with Engine(open_rooms(mixed.settings)) as engine:
        engine.search(WORDS[0], names=False)
        mixed.turn("at_expertise")
        hits = engine.search(WORDS[0], names=False)
    found = {Path(hit.path.decode()).name: hit.similarity for hit in hits}
    assert found == pytest.approx(dict(anew.answers(WORDS[0])), abs=2e-3)


def forget(mixed: Mixed, rooms: Rooms) -> Job:
    (mixed.media / "1.txt").unlink()
    return Job("forget", (bytes(mixed.media / "1.txt"),))


def index(mixed: Mixed, rooms: Rooms) -> Job:
    (mixed.media / "late.txt").write_text("A late guest.\n", "utf-8")
    return Job("index", (bytes(mixed.media),), needs=needs_of(mixed.settings))


def compacted(mixed: Mixed, rooms: Rooms) -> None:
    with rooms.catalog.view() as view:
        partitions = view.all_partitions()
    assert any(compact(rooms, row, force="@" not in row.space) for row in partitions)


#: What others do between two steps.
OTHERS: dict[str, Sequence[Callable[[Mixed, Rooms], Job | None]]] = {
    "index": [index],
    "forget": [forget],
    "forget, compact, index": [forget, compacted, index],
}


@pytest.mark.parametrize("after", [1, 2, 3, 4])
@pytest.mark.parametrize("others", OTHERS)
def test_whatever_others_do_between_two_steps_the_turned_vectors_are_right(
    mixed: Mixed, tmp_path: Path, after: int, others: str
) -> None:
    mixed.own_media(tmp_path / "media")
    names = set(mixed.by_path()) | ({"late.txt"} if "index" in others else set())

    with open_rooms(mixed.settings, write=True) as rooms:
        journal, upkeep = Journal(), Upkeep(rooms)
        building, told = Building(rooms, journal), []
        job = Job("turn", factors="audio=0.8,text=0.5")
        turn = begin(rooms, upkeep, building, job, journal, hook=lambda now: told.append(now.doing))
        for _ in range(after):
            assert not turn.step()
        for action in OTHERS[others]:
            other = action(mixed, rooms)
            steps = other and begin(rooms, upkeep, building, other, journal)
            while steps and not steps.step():
                pass
        before_switch = len(told)
        while not turn.step():
            pass
        upkeep.stop()

    assert before_switch == after
    assert all(line.startswith("turning to audio=0.8,text=0.5: ") for line in told)
    names -= {"1.txt"} if "forget" in others else set()
    parts, now = mixed.by_path(parts=True), mixed.by_path()
    assert now.keys() == names
    assert parts.keys() == {name for name in names if not name.endswith(".png")}
    wanted = {name: mix(0.8 if "wav" in name else 0.5, row[None])[0] for name, row in parts.items()}
    assert apart({name: now[name] for name in parts}, wanted) < 5e-4
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


#: Where a turn is killed. It is begun anew for each from one process that has all modules loaded.
WHERE = ("append", "link", "rename", "switch", "drop")
KILLED = """
    import os, signal, sys
    from pathlib import Path
    from tests.mixed import ENTRY, Mixed
    from unisearch.spaces.table import SPACES
    from unisearch.catalog.write import Writing
    import indexer.turn as turn
    import unisearch.index.rows as rows

    SPACES["blend"] = ENTRY
    media, where, *libraries = sys.argv[1:]

    def dying(original):
        def call(*given, **named):
            original(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        return call

    def turn_and_die(library, where):
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
        Mixed(Path(library), Path(media)).turn("at_expertise")
        os._exit(0)

    for where, library in zip(where.split(), libraries, strict=True):
        child = os.fork()
        if not child:
            turn_and_die(library, where)
        _, status = os.waitpid(child, 0)
        print(where, os.waitstatus_to_exitcode(status))
"""


@pytest.fixture(scope="module")
def killed(built: Mixed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Libraries whose turn was killed, by where that was."""
    folder = tmp_path_factory.mktemp("killed")
    libraries = {where: built.copied(folder / where).path for where in WHERE}
    arguments = [str(built.media), " ".join(WHERE), *map(str, libraries.values())]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), *arguments],
        check=True, timeout=120, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split("\n")[:-1] == [f"{where} -9" for where in WHERE], done.stderr
    return libraries


@pytest.mark.parametrize("where", WHERE)
def test_a_kill_leaves_the_old_factors_or_the_new_ones(
    mixed: Mixed, killed: dict[str, Path], where: str
) -> None:
    before = mixed.by_path()
    mixed = Mixed(killed[where], mixed.media)

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
        indexer.drop_space("blend")
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


def test_the_command_turns_and_says_what_it_did(
    mixed: Mixed, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(mixed.settings.model_dump_json())

    assert run(["spaces", "turn", "--factors", "text=0.3", "--json", "--config", str(config)]) == 0
    said = capfd.readouterr()
    assert run(["spaces", "turn", "--factors", "text=0.3", "--config", str(config)]) == 0
    again = capfd.readouterr()
    assert run(["turn", "--factors", "text=0.3"]) == 2

    assert json.loads(said.out) == {"factors": {"text": 0.3}, "vectors": 6}
    assert said.err.splitlines()[-1] == "text=0.3: 6 vectors turned"
    assert again.err.splitlines()[-1] == "text=0.3: nothing to change"
    assert any(one.endswith("@audio=0.5,text=0.3") for one in mixed.ids())
