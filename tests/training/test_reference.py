"""A space that brings no background gets one, made once of the sample world."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from indexer import Indexer
from tests.training.plain import MixedPlain, PlainSpace
from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.engine.inspect import status
from unisearch.errors import UnisearchError, WeightsError
from unisearch.records import MODALITIES, Modality
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.training import reference
from unisearch.training.reference import make_reference, varied
from unisearch.wiring import open_rooms


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backgrounds of a few rows, where their making is not what is asked about."""
    monkeypatch.setattr(reference, "ROWS", 24)
    monkeypatch.setattr(reference, "PICTURE_SIDE", 32)


def plain(folder: Path) -> PlainSpace:
    """The space, told where its background lies."""
    space = PlainSpace({})
    space.references = folder
    return space


def nothing(line: str) -> None:
    """Progress that nobody reads."""


class Slow(PlainSpace):
    """It sees shapes as by eight pictures."""

    def passes(self, modality: Modality) -> int:
        return 8 if modality == "3d" else 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PlainSpace:
    """The slow space with a background of full size, of small pictures."""
    space = Slow({})
    space.references = tmp_path_factory.mktemp("references")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "PICTURE_SIDE", 32)
        make_reference(space, space.references, nothing)
    return space


@pytest.mark.parametrize("modality", MODALITIES)
def test_it_is_varied_and_of_unit_length(made: PlainSpace, modality: str) -> None:
    rows = made.reference(modality)

    assert rows.shape == (128 if modality == "3d" else 512, made.dim)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert len(np.unique(rows.round(3), axis=0)) > 0.9 * len(rows)


def test_a_video_is_compared_with_pictures(made: PlainSpace) -> None:
    assert np.array_equal(made.reference("video"), made.reference("image"))


@pytest.mark.usefixtures("_few")
def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    once = make_reference(PlainSpace({}), tmp_path / "once", nothing)
    again = make_reference(PlainSpace({}), tmp_path / "again", nothing)

    assert once.name == again.name == f"{PlainSpace({}).id}.safetensors"
    assert once.read_bytes() == again.read_bytes()


def test_a_space_without_one_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no background yet.*unisearch models verify plain"):
        plain(tmp_path).reference("text")


@pytest.mark.usefixtures("_few")
def test_a_damaged_one_is_named_and_not_used(tmp_path: Path) -> None:
    space = plain(tmp_path)
    file = make_reference(space, tmp_path, nothing)
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(WeightsError, match=f"{file}: the background cannot be read.*make it again"):
        space.reference("text")


@pytest.mark.usefixtures("_few")
def test_work_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if "audio" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_reference(PlainSpace({}), tmp_path / "references", stop)

    assert not (tmp_path / "references").exists()


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "references").write_text("a file")
    told: list[str] = []

    with pytest.raises(UnisearchError, match="references: is no folder"):
        make_reference(PlainSpace({}), tmp_path / "references", told.append)

    assert told == []


@pytest.mark.usefixtures("_few")
def test_one_background_serves_a_mixture_with_all_of_its_factors(tmp_path: Path) -> None:
    first, other = MixedPlain(text=0.1), MixedPlain(text=0.7)
    first.references = other.references = tmp_path
    make_reference(first, tmp_path, nothing)
    samples = list(islice(varied("text", 8_000, 300), 24))

    for space in (first, other):
        assert space.reference("text") == pytest.approx(space.encode(samples), abs=1e-6)
        assert space.reference("image").shape == (24, space.dim)
    assert first.id != other.id
    assert not np.allclose(first.reference("text"), other.reference("text"))


@pytest.mark.usefixtures("_few")
def test_indexing_makes_it_once_and_searching_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, "plain", SpaceEntry("tests.training.plain:PlainSpace"))
    settings = Settings(library=tmp_path / "library", models=tmp_path / "models", space="plain")
    note = tmp_path / "note.txt"
    note.write_text("the lighthouse stands on a rock")
    told: list[str] = []

    for words in ("the lighthouse stands on a rock", "the harbour sleeps"):
        note.write_text(words)
        Indexer(settings=settings).run([note], progress=lambda now: told.append(now.doing))

    lines = [line for line in told if "background" in line]
    assert lines[0] == "making the background of plain once: text 0 of 24"
    assert len(lines) == len(set(lines)) == 8  # four modalities, two chunks each, one time
    [file] = (tmp_path / "models" / "references").iterdir()
    assert file.name == f"{PlainSpace({}).id}.safetensors"
    with Engine(open_rooms(settings)) as engine:
        [hit] = engine.search("the harbour sleeps")
        [partition] = status(engine.rooms)["partitions"]
    assert partition["background"].endswith("and reference, synthetic")
    assert hit.path == bytes(note)
