"""A whole training in small: from a corpus to weights that load, and on from where it stopped."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unisearch.models.find import verify
from unisearch.records import MODALITIES, TextSample
from unisearch.spaces.table import load_space
from unisearch.training.corpus import read_corpus
from unisearch.training.evaluate import evaluate_starter
from unisearch.training.parts import load_part
from unisearch.training.pool import Sizes
from unisearch.training.split import split_corpus
from unisearch.training.starter import Plan, train
from unisearch.training.stock import label_ids, load_stock

CONCEPTS = ("dog", "bell")
PLAN = Plan(60.0, steps=3, batch_scale=0.12, examine=False, sizes=Sizes(3, 3, 3, CONCEPTS))


@pytest.fixture(scope="module")
def trained(
    corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, list[str]]:
    """The folder of weights, the cache and what was said on the way."""
    folder, said = tmp_path_factory.mktemp("trained"), []
    torch.manual_seed(0)
    out = train(
        corpus_folder, folder / "starter", folder / "cache", PLAN, resume=True, progress=said.append
    )
    return out, folder / "cache", said


def test_the_weights_are_whole_and_load(trained: tuple[Path, Path, list[str]]) -> None:
    out, _, _ = trained

    verify(out)
    space = load_space("starter", {"starter": out})
    rows = space.encode([TextSample("a dog"), TextSample("a bell")])

    assert rows.shape == (2, space.dim)
    assert np.isfinite(rows).all()
    assert all(space.reference(modality).shape[1] == space.dim for modality in MODALITIES)


def test_the_manifest_says_where_the_weights_come_from(
    trained: tuple[Path, Path, list[str]],
) -> None:
    out, _, _ = trained

    manifest = json.loads((out / "manifest.json").read_text())

    assert manifest["training"]["steps"] == 3
    assert manifest["data"]["kept_aside"]["recordings"] == 2
    assert manifest["data"]["trained"]["recordings"] == 3


def test_every_recording_is_attributed_and_those_kept_aside_are_told_apart(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path
) -> None:
    out, _, _ = trained
    corpus = read_corpus(corpus_folder)
    split = split_corpus(corpus)

    text = (out / "ATTRIBUTION.md").read_text("utf-8")

    used, _, aside = text.partition("## Recordings kept aside")
    for item in corpus.of("recordings"):
        kept = item.key in split.aside
        assert (item.credit[2] in aside) == kept
        assert (item.credit[2] in used) != kept
    assert "An Author" in text


def test_nothing_kept_aside_enters_the_pool(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path
) -> None:
    _, cache, _ = trained
    split = split_corpus(read_corpus(corpus_folder))

    keys = {key for path in (cache / "pool").glob("*.npz")
            for rows in load_part(path)[1].values() for key in rows}  # fmt: skip

    assert len(keys) > 20
    assert not keys & split.aside


def test_the_table_of_labels_comes_from_the_things(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path
) -> None:
    _, cache, _ = trained
    corpus = read_corpus(corpus_folder)

    stock = load_stock(corpus, split_corpus(corpus), sorted((cache / "pool").glob("*.npz")))

    assert stock.ids == label_ids(stock.things)
    assert sorted(stock.ids.values()) == list(range(len(stock.ids)))
    assert all(label in stock.ids for thing in stock.things for label in thing.labels)


def test_a_stopped_run_goes_on_where_it_was(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path, tmp_path: Path
) -> None:
    _, cache, _ = trained
    said: list[str] = []

    out = train(corpus_folder, tmp_path / "more", cache, replace(PLAN, steps=5), resume=True,
                progress=said.append)  # fmt: skip

    assert "resumed at step 3" in said
    assert not any("parts made" in line for line in said)
    assert json.loads((out / "manifest.json").read_text())["training"]["steps"] == 5


def test_a_run_of_another_seed_starts_anew(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path, tmp_path: Path
) -> None:
    _, cache, _ = trained
    said: list[str] = []
    own = tmp_path / "cache"
    shutil.copytree(cache, own)

    out = train(corpus_folder, tmp_path / "other", own, replace(PLAN, seed=7), resume=True,
                progress=said.append)  # fmt: skip

    assert any("another corpus or seed" in line for line in said)
    assert json.loads((out / "manifest.json").read_text())["training"]["seed"] == 7


def test_evaluation_works_without_a_corpus(
    trained: tuple[Path, Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _, _ = trained
    monkeypatch.setattr("unisearch.training.exam.INSTANCES", 1)

    evaluation = evaluate_starter(
        load_space("starter", {"starter": out}), None, progress=lambda line: None
    )

    assert len(evaluation.rows) == 12
    assert all(row.world and 0 < row.chance_10 <= 1 for row in evaluation.rows)
    assert json.loads(json.dumps(evaluation.to_json()))["world"].keys() == {
        "mean", "worst", "without_pictures",
    }  # fmt: skip


def test_evaluation_asks_about_what_was_kept_aside(
    trained: tuple[Path, Path, list[str]], corpus_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _, _ = trained
    monkeypatch.setattr("unisearch.training.exam.INSTANCES", 1)

    evaluation = evaluate_starter(
        load_space("starter", {"starter": out}), corpus_folder, progress=lambda line: None
    )

    asked = {row.task: row.queries for row in evaluation.rows if not row.world}
    assert asked["furniture icon → 3D"] == 1
    assert asked["word → recording"] == 2
    titles, rows = evaluation.table()
    assert all(len(cells) == len(titles) for cells in rows)
