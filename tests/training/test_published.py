"""Published tables, computed again: the arithmetic, and that other weights are told apart."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.indexer.conftest import sound
from tests.training.plain import MixedPlain, PlainSpace
from unisearch.cli.main import run
from unisearch.errors import UnknownName, UsageError
from unisearch.records import ReadOptions
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.training import published
from unisearch.training.published import Recipe, compare, recipe_of, recipes, softmax
from unisearch.world.library import make_library

OPTIONS = ReadOptions(points=300, audio_rate_hz=8_000)


class Named(PlainSpace):
    """The plain space under the name of a published one."""

    name = "exmcr"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, sounds and a cloud of numbers each, with the names of the READMEs."""
    folder = tmp_path_factory.mktemp("media")
    made = make_library(folder / "made", concepts=["chair", "dog", "train"], kinds=["pictures"])
    for seed, (thing, picture) in enumerate(zip(("toilet", "BBQ", "train"), made, strict=True)):
        shutil.copy(picture, folder / f"{thing}.jpeg")
        sound(folder / f"{thing}.wav", 1, seed)
        points = np.random.default_rng(seed).standard_normal((300, 3)) * [1, 1 + seed, 1]
        np.save(folder / f"{thing}.npy", points.astype(np.float32))
    return folder


def of(space: str, values: list[list[float]]) -> Recipe:
    """A recipe of one table, of texts against texts: its figures can be worked out by hand."""
    table = {"space": space, "asked": "text", "target": "text", "values": values}
    return replace(recipe_of("exmcr-readme"), tables=(table,))


def test_shares_are_those_of_ten_times_the_cosine() -> None:
    shares = softmax(10.0 * np.array([[1.0, 0.9, 0.5]]))

    raised = np.exp([10.0, 9.0, 5.0])
    assert shares[0] == pytest.approx(raised / raised.sum())


@pytest.mark.parametrize("name", sorted(recipes()))
def test_what_is_printed_are_rows_of_shares(name: str) -> None:
    recipe = recipe_of(name)

    for table in recipe.tables:
        values = np.array(table["values"])
        assert values.shape == (3, 3)
        assert values.sum(axis=1) == pytest.approx(1.0, abs=2e-4)
        assert {table["asked"], table["target"]} <= {"text", *recipe.files}


def test_an_unknown_recipe_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match="did you mean 'exmcr-readme'"):
        recipe_of("exmcr-readm")


def test_the_greatest_difference_of_a_table_is_told(tmp_path: Path) -> None:
    texts = Named({}).encode(
        [published.TextSample(text) for text in ("a toilet", "BBQ", "a train")]
    )
    right = softmax(10.0 * texts.astype(np.float64) @ texts.T.astype(np.float64))
    moved = right.copy()
    moved[0, :2] += 0.02, -0.02

    [same] = compare(Named({}), of("exmcr", right.tolist()), tmp_path, OPTIONS, print)
    [other] = compare(Named({}), of("exmcr", moved.tolist()), tmp_path, OPTIONS, print)

    assert same.difference < 1e-6
    assert same.agrees
    assert other.difference == pytest.approx(0.02, abs=1e-6)
    assert not other.agrees


def test_every_pair_of_the_readme_is_compared(media: Path) -> None:
    found = compare(Named({}), recipe_of("exmcr-readme"), media, OPTIONS, print)

    pairs = [(one.asked, one.target) for one in found]
    assert pairs == [
        ("image", "text"), ("audio", "text"), ("3d", "image"), ("audio", "image"), ("3d", "text"),
        ("audio", "3d"),
    ]  # fmt: skip
    assert all(one.ours.sum(axis=1) == pytest.approx(1.0) for one in found)
    assert [one.tolerance for one in found] == [0.005, 0.005, 0.01, 0.005, 0.01, 0.01]


def test_the_published_pickles_are_read_as_they_lie(shared: Path) -> None:
    found = compare(Named({}), recipe_of("exmcr-readme"), shared / "media", OPTIONS, print)

    assert len(found) == 6


def test_the_figures_are_those_of_the_readme(shared: Path) -> None:
    kept = json.loads((shared / "parity" / "exmcr" / "readme_tables.json").read_text())

    for table in recipe_of("exmcr-readme").tables:
        names = [{"3d": "3D"}.get(table[side], table[side]) for side in ("asked", "target")]
        assert table["values"] == kept["tables"]["exmcr"]["_".join(names)]


def test_both_settings_of_a_mixture_are_compared(media: Path) -> None:
    space = MixedPlain()

    found = compare(space, recipe_of("freebind-readme"), media, OPTIONS, print)

    kept = {(one.setting, one.asked, one.target): one.ours for one in found}
    assert len(kept) == 6
    assert not np.allclose(
        kept["versatile", "audio", "text"], kept["at_expertise", "audio", "text"]
    )
    assert space.factors == {"text": 0.3, "audio": 0.3}


def test_a_space_without_a_table_and_a_missing_file_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has tables of exmcr, not of 'plain'"):
        compare(PlainSpace({}), recipe_of("exmcr-readme"), tmp_path, OPTIONS, print)

    with pytest.raises(UsageError, match=r"toilet\.npy: no such file; exmcr-readme needs it"):
        compare(Named({}), recipe_of("exmcr-readme"), tmp_path, OPTIONS, print)


def test_the_command_fails_where_the_weights_are_others(
    media: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SPACES, "exmcr", SpaceEntry("tests.training.test_published:Named"))

    code = run(["evaluate", "exmcr", str(media), "--recipe", "exmcr-readme"])

    out, err = capsys.readouterr()
    assert code == 1
    assert "audio → 3d" in out
    assert "0.9860 0.0038 0.0102" in out
    assert "differ from the published ones by more than the tolerance" in err

    assert run(["evaluate", "exmcr", str(media), "--recipe", "exmcr-readme", "--json"]) == 1
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert {one["agrees"] for one in tables} == {False}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["toy", "--recipe", "exmcr-readme"], "--recipe needs DIR"),
        (["toy", "--template", "a {}"], "--template needs DIR"),
        (["toy", ".", "--corpus", "."], "leave out DIR, or them"),
        (["toy", ".", "--recipe", "exmcr-readme", "--template", "{}"], "leave out --template"),
        (["toy", ".", "--recipe", "exmcr"], "unknown recipe 'exmcr'; did you mean 'exmcr-readme'?"),
        (["toy", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_options_that_say_nothing_together_are_usage_errors(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments]) == 2
    assert told in capsys.readouterr().err
