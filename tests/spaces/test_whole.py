"""Each published space from official files to answers: pulled, indexed with, asked, asked again.

Weights are tiny and random, in the official formats, on a server of this machine that looks like
the hub; media are made, and with UNISEARCH_MEDIA those of that folder are added for one space.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest

from indexer import Indexer, Report
from tests.models.hub import Hub
from tests.models.official import publish, put_official
from tests.parity.sets import MEDIA
from tests.spaces.asking import Answers, Case, answers, put_cases, refusal
from tests.spaces.tiny import put_references
from unisearch.engine.engine import Engine
from unisearch.errors import Unreadable
from unisearch.media.pointcloud import convert
from unisearch.media.read import modality_of
from unisearch.models import install as installing
from unisearch.models.bring import bring
from unisearch.models.convert import convert_here
from unisearch.models.known import KNOWN
from unisearch.models.pull import pull
from unisearch.records import MODALITIES
from unisearch.spaces.table import models_of
from unisearch.wiring import open_rooms, open_space
from unisearch.world.library import KINDS, make_library

#: Of Molecule-Space the smallest and the one that holds all its parts; the contract test runs all.
PUBLISHED = (
    *("clip", "siglip2", "clap", "ulip2", "exmcr", "cmcr-clap-clip", "cmcr-ulip-clip"),
    *("imagebind", "ib_pp", "internvl_ib_ft_pp", "msclip_b32"),
    # Its package is one that CI cannot install (docs/decisions/0001).
    *(("openclip",) if find_spec("open_clip") else ()),
)
#: Has every tower kind of the older spaces, and covers all that the media from outside are.
WIDEST = "exmcr"
OUTSIDE = [path for path in sorted(Path(MEDIA).iterdir()) if modality_of(path)] if MEDIA else []
#: What can be asked with; a video is asked with as its pictures are.
ASKING = tuple(kind for kind in MODALITIES if kind != "video")


class Whole:
    """A library of one space with all media, what its first run reported, and what it answers."""

    def __init__(self, name: str, folder: Path, media: list[Path]) -> None:
        self.files = media
        models, library = folder / "models", folder / f"library {name}"
        case = Case(name, str(library), str(models), {}, ())
        space = open_space(case.settings, name)
        assert space.references is not None
        space.references.mkdir(exist_ok=True)
        put_references(space, space.references)
        self.covered = [one for one in MODALITIES if one in space.modalities]
        questions = {kind: str(self.of(kind)[0]) for kind in ASKING if kind in self.covered}
        self.case = Case(name, str(library), str(models), questions, tuple(self.covered))
        with Indexer(settings=case.settings) as indexer:
            self.report: Report = indexer.run([*{path.parent for path in media}])
        with Engine(open_rooms(case.settings)) as engine:
            self.answers = answers(engine, self.case)
            self.told = {
                (asked, target): refusal(engine, self.of(asked)[0], target)
                for asked, target in product(ASKING, ASKING)
                if not {asked, target} <= {*self.covered}
            }

    def of(self, kind: str) -> list[Path]:
        """The files of a kind."""
        return [path for path in self.files if modality_of(path) == kind]

    def wanted(self) -> Counter[str]:
        """Files that the space sees, by kind: videos where it sees and hears."""
        whole = [kind for kind in self.covered if kind != "video" or "audio" in self.covered]
        return Counter({kind: len(self.of(kind)) for kind in whole})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def bring_model(folder: Path) -> Iterator[Callable[[str], None]]:
    """Brings a model: from the hub, or from files where it has no lasting address; each once."""
    with Hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            installing, "convert", convert_here
        )  # a process for each has tests of its own
        patch.setenv("no_proxy", "127.0.0.1")

        @cache
        def brought(name: str) -> None:
            official = folder / "official" / name
            put_official(name, official)
            if all(source.place for source in KNOWN[name].sources):
                patch.setitem(KNOWN, name, publish(hub, name, official))
                pull(
                    name, folder / "models", hub=hub.url, accepted=True,
                    say=lambda line: None, progress=lambda file, done, total: None,
                )  # fmt: skip
            else:
                bring(name, folder / "models", [official], accepted=True, say=lambda line: None)

        yield brought


@pytest.fixture(scope="module")
def media(folder: Path) -> list[Path]:
    """Two things as model, picture, sound, text and video."""
    return make_library(folder / "media", concepts=["dog", "car"], kinds=KINDS)


@pytest.fixture(scope="module")
def make(
    folder: Path, media: list[Path], bring_model: Callable[[str], None]
) -> Callable[[str], Whole]:
    """The library of a space, made once."""

    @cache
    def made(name: str) -> Whole:
        for model in models_of(name):
            bring_model(model)
        more = OUTSIDE if name == WIDEST else []
        return Whole(
            name, folder, [*media, *(_readable(path, folder / "outside") for path in more)]
        )

    return made


def _readable(path: Path, folder: Path) -> Path:
    """The file; a published cloud, which is a pickle, as what `import-pointcloud` makes of it."""
    if path.suffix == ".npy":
        folder.mkdir(exist_ok=True)
        with suppress(Unreadable):  # an array of numbers is read as it is
            convert(path, folder / f"{path.stem}.ply")
            return folder / f"{path.stem}.ply"
    return path


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

    assert len(whole.answers) == len(whole.case.questions) * len(whole.covered)
    for pair, hits in whole.answers.items():
        asked, target = pair.split(" -> ")
        # A video may answer by what is heard in it, too.
        others = {path.name for path in whole.of("video")} if target == "audio" else set()
        assert {name for name, *_ in hits} - others == {path.name for path in whole.of(target)}
        if target in wanted:
            assert len(hits) in (wanted[target], wanted[target] + len(others)), pair
        assert all(-1.001 <= similarity <= 1.001 for *_, similarity in hits)
        if asked == target:
            name, _, similarity = hits[0]
            assert name == Path(whole.case.questions[asked]).name
            assert similarity == pytest.approx(1.0, abs=1e-3)


def test_a_pair_that_the_space_does_not_cover_is_told(whole: Whole) -> None:
    name, sees = whole.case.space, ", ".join(whole.covered)
    for (asked, target), line in whole.told.items():
        if asked in whole.covered:
            assert line == (
                f"no space of this library finds {target} by {asked}: '{name}' sees {sees}"
            )
        else:
            assert line == f"{whole.of(asked)[0]}: unsupported: the space has no {asked}"


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
