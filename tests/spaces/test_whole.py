"""Each published space from its files to answers: loaded, indexed into, searched, opened again.

Weights are tiny and random, in the official formats; media are made, and with UNISEARCH_MEDIA those
of that folder are added.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from indexer import Indexer, Report
from tests.parity.sets import MEDIA
from tests.spaces.asking import Answers, Case, answers, put_cases
from tests.spaces.tiny import TINY, tiny_space
from unisearch.errors import Unreadable
from unisearch.media.pointcloud import convert
from unisearch.media.read import modality_of
from unisearch.records import MODALITIES
from unisearch.spaces.table import SPACES
from unisearch.world.library import KINDS, make_library

#: What needs a package that CI cannot install (docs/decisions/0001) is run where it is.
PUBLISHED = [
    name
    for name, entry in SPACES.items()
    if entry.models and TINY.keys() >= set(entry.models)
    and (name != "openclip" or find_spec("open_clip"))
]  # fmt: skip
OUTSIDE = [path for path in sorted(Path(MEDIA).iterdir()) if path.is_file()] if MEDIA else []


class Whole:
    """A library of one space with all media, and what its first run reported."""

    def __init__(self, name: str, folder: Path, media: list[Path]) -> None:
        space = tiny_space(name, folder / "models")
        self.files = media
        self.covered = [one for one in MODALITIES if one in space.modalities]
        questions = {kind: str(self.of(kind)[0]) for kind in self.covered if kind != "video"}
        models, library = folder / "models", folder / f"library {name}"
        self.case = Case(name, str(library), str(models), questions, tuple(self.wanted()))
        self.report = self._run()
        self.answers = answers(self.case)

    def of(self, kind: str) -> list[Path]:
        """The files of a kind."""
        return [path for path in self.files if modality_of(path) == kind]

    def wanted(self) -> Counter[str]:
        """Files that the space sees, by kind: videos where it sees and hears."""
        whole = [kind for kind in self.covered if kind != "video" or "audio" in self.covered]
        return Counter({kind: len(self.of(kind)) for kind in whole})

    def _run(self) -> Report:
        with Indexer(settings=self.case.settings) as indexer:
            return indexer.run([*{path.parent for path in self.files}])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def media(folder: Path) -> list[Path]:
    """Two things as model, picture, sound, text and video; and the files from outside."""
    made = make_library(folder / "media", concepts=["dog", "car"], kinds=KINDS)
    return [*made, *(_readable(path, folder / "media") for path in OUTSIDE if modality_of(path))]


def _readable(path: Path, folder: Path) -> Path:
    """The file; a published cloud, which is a pickle, as what `import-pointcloud` makes of it."""
    if path.suffix == ".npy":
        with suppress(Unreadable):  # an array of numbers is read as it is
            convert(path, folder / f"{path.stem}.ply")
            return folder / f"{path.stem}.ply"
    return path


@pytest.fixture(scope="module")
def make(folder: Path, media: list[Path]) -> Callable[[str], Whole]:
    """The library of a space, made once."""
    return cache(lambda name: Whole(name, folder, media))


@pytest.fixture(params=PUBLISHED)
def whole(request: pytest.FixtureRequest, make: Callable[[str], Whole]) -> Whole:
    return make(str(request.param))


def test_every_file_that_the_space_covers_is_indexed(whole: Whole) -> None:
    wanted = whole.wanted()

    seen = {kind: whole.report.by_modality.get(kind, 0) for kind in wanted}  # type: ignore[call-overload]
    assert seen == dict(wanted)
    covered = {os.fsencode(path) for kind in wanted for path in whole.of(kind)}
    assert not covered & {failure.path for failure in whole.report.failed}


def test_each_kind_finds_each_kind(whole: Whole) -> None:
    wanted = whole.wanted()

    assert len(whole.answers) == len(whole.case.questions) * len(wanted)
    for pair, hits in whole.answers.items():
        asked, target = pair.split(" -> ")
        # A video may answer by what is heard in it, too.
        others = {path.name for path in whole.of("video")} if target == "audio" else set()
        assert {name for name, *_ in hits} - others == {path.name for path in whole.of(target)}
        assert len(hits) in (wanted[target], wanted[target] + len(others)), pair
        assert {modality for _, modality, _ in hits} == {target}
        assert all(-1.001 <= similarity <= 1.001 for *_, similarity in hits)
        if asked == target:
            name, _, similarity = hits[0]
            assert name == Path(whole.case.questions[asked]).name
            assert similarity == pytest.approx(1.0, abs=1e-3)


def test_a_new_process_gives_the_same_answers(make: Callable[[str], Whole], folder: Path) -> None:
    wholes = {name: make(name) for name in PUBLISHED}
    plan, out = folder / "cases.json", folder / "answers.json"
    put_cases([whole.case for whole in wholes.values()], plan)

    command = [sys.executable, "-m", "tests.spaces.asking", plan, out]
    subprocess.run(command, check=True, timeout=300, cwd=Path(__file__).parents[2])

    again: dict[str, Answers] = json.loads(out.read_text("utf-8"))
    assert again.keys() == wholes.keys()
    for name, whole in wholes.items():
        assert again[name].keys() == whole.answers.keys()
        for pair, hits in whole.answers.items():
            for before, after in zip(hits, again[name][pair], strict=True):
                assert (before[0], before[1]) == (after[0], after[1]), (name, pair)
                assert before[2] == pytest.approx(after[2], abs=1e-4)
