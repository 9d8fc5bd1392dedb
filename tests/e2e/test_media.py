"""Photographs, recordings and real point clouds, asked by each other with the real space."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from tests.e2e.commands import Command, run
from unisearch import open as open_library
from unisearch.config import load_settings

pytestmark = pytest.mark.slow

CAPTIONS = {"dog": "A dog barks.", "car": "A car drives past.", "bird": "Birds sing in a tree."}
CLOUDS = ("BBQ", "toilet", "train")
QUERIES = {"text": "dog.txt", "image": "dog_image.jpg", "audio": "dog_audio.wav", "3d": "BBQ.ply"}


@dataclass(frozen=True)
class Eighteen:
    """The folder of 12 pictures and sounds, 3 clouds and 3 captions, and its library."""

    media: Path
    library: Path
    report: dict[str, Any]


@pytest.fixture
def search(unisearch: Command, eighteen: Eighteen) -> Callable[..., dict[str, Any]]:
    """The answer of the search command on that library."""

    def answer(*arguments: str | Path) -> dict[str, Any]:
        done = unisearch(
            "search", *arguments, "--json", space="starter", library=os.fspath(eighteen.library)
        )
        found: dict[str, Any] = done.json()
        return found

    return answer


@pytest.fixture(scope="module")
def eighteen(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Eighteen:
    """Everything is made and indexed by the commands, as a user would."""
    folder = tmp_path_factory.mktemp("eighteen")
    media = folder / "media"
    media.mkdir()
    for path in (shared / "media").iterdir():
        if path.suffix in (".jpg", ".jpeg", ".wav"):
            shutil.copyfile(path, media / path.name)
    for name in CLOUDS:
        source = shared / "media" / f"{name}.npy"
        made = run("import-pointcloud", source, media / f"{name}.ply", cwd=folder)
        assert made.code == 0, made.err
    for name, text in CAPTIONS.items():
        (media / f"{name}.txt").write_text(text)
    library = folder / "library"
    report = run("index", media, "--json", "--library", library, cwd=folder).json()
    return Eighteen(media, library, report)


def test_all_eighteen_files_are_items(eighteen: Eighteen) -> None:
    assert eighteen.report["counts"]["added"] == 18
    assert eighteen.report["failed"] == []


@pytest.mark.parametrize("asked", QUERIES)
def test_each_kind_asked_into_each_other_answers_with_that_kind_only(
    eighteen: Eighteen, search: Callable[..., dict[str, Any]], asked: str
) -> None:
    for wanted in QUERIES:
        answer = search(eighteen.media / QUERIES[asked], "--into", wanted)

        assert answer["query"][0]["modality"] == asked
        assert {hit["modality"] for hit in answer["hits"]} == {wanted}
        scores = [hit["score"] for hit in answer["hits"]]
        assert scores == sorted(scores, reverse=True)
        paths = {hit["path"] for hit in answer["hits"]}
        assert len(paths) == {"text": 3, "image": 6, "audio": 6, "3d": 3}[wanted]


def test_the_same_answers_come_from_python(
    eighteen: Eighteen, search: Callable[..., dict[str, Any]]
) -> None:
    with open_library(eighteen.library) as engine:
        for asked, wanted in itertools.product(QUERIES, QUERIES):
            hits = engine.search(eighteen.media / QUERIES[asked], into=wanted)

            assert {hit.modality for hit in hits} == {wanted}
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert hits == sorted(hits, key=lambda hit: -hit.score)
        python = [os.fsdecode(hit.path) for hit in engine.search("a dog", k=18)]

    assert python == [hit["path"] for hit in search("a dog", "-k", "18")["hits"]]


def test_pickled_clouds_are_refused_with_the_way_out_and_the_readme_is_a_text(
    shared: Path, tmp_path: Path
) -> None:
    settings = load_settings(library=tmp_path / "library")

    with Indexer(settings=settings) as indexer:
        report = indexer.run([shared / "media"])

    assert report.by_modality == {"text": 1, "image": 6, "audio": 6}
    assert {Path(os.fsdecode(failure.path)).name for failure in report.failed} == {
        f"{name}.npy" for name in CLOUDS
    }
    assert {failure.kind for failure in report.failed} == {"unsupported"}
    assert all("import-pointcloud" in failure.message for failure in report.failed)
