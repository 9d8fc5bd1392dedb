"""A library of the space of tests/blend.py, and questions about it. Loads no torch by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer
from tests.indexer.conftest import picture, sound, text
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.engine.engine import Engine
from unisearch.spaces.table import SPACES, SpaceEntry
from unisearch.wiring import open_rooms, row_files

Rows = dict[int, NDArray[np.float32]]
MakeMixed = Callable[..., "Mixed"]

ENTRY = SpaceEntry("tests.blend:Blend", settings=("factors",))
WORDS = ("A dog barks at the moon", "Rain falls on a tin roof", "An engine starts")


class Mixed:
    """A library with texts, pictures and sounds."""

    def __init__(self, folder: Path, media: Path, factors: Any = "versatile") -> None:
        self.media, self.path = media, folder
        self.settings = Settings.model_validate(
            {
                "library": str(folder),
                "space": "blend",
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

    def copied(self, folder: Path) -> Mixed:
        """The same library once more, of the same files."""
        shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns("writer.*"))
        return Mixed(folder, self.media)

    def own_media(self, folder: Path) -> None:
        """From now on the files are copies there, which may be changed."""
        shutil.copytree(self.media, folder)
        Indexer(settings=self.settings).relocate(self.media, folder)
        self.media = folder

    def ids(self) -> dict[str, str]:
        """The states of all spaces, and of parts, by id."""
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            return {row.id: row.state for row in view.spaces_and_parts()}

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

    def by_path(self, parts: bool = False) -> dict[str, NDArray[np.float32]]:
        rows = self.rows(parts)
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            hits = view.hits(list(rows))
        return {Path(hit.path.decode()).name: rows[key] for key, hit in hits.items()}

    def healthy(self) -> None:
        with open_rooms(self.settings) as rooms:
            assert [one for one in doctor(rooms) if one.level != "ok"] == []

    def answers(self, *question: Any, **options: Any) -> list[tuple[str, float]]:
        with Engine(open_rooms(self.settings)) as engine:
            hits = engine.search(*question, names=False, **options)
        return [(Path(hit.path.decode()).name, hit.similarity) for hit in hits]


def apart(one: Mapping[Any, NDArray[np.float32]], two: Mapping[Any, NDArray[np.float32]]) -> float:
    assert one.keys() == two.keys()
    return max(float(np.abs(one[key] - two[key]).max()) for key in one)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """Indexed once, to be copied: nine files by 'versatile'."""
    folder = tmp_path_factory.mktemp("mixed")
    for number, words in enumerate(WORDS):
        text(folder / "media" / f"{number}.txt", words)
        sound(folder / "media" / f"{number}.wav", 1, number)
        picture(folder / "media" / f"{number}.png", number)
    library = Mixed(folder / "library", folder / "media")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SPACES, "blend", ENTRY)
        library.run()
    return library


@pytest.fixture
def blend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The space is in the table during a test."""
    monkeypatch.setitem(SPACES, "blend", ENTRY)


@pytest.fixture
def make_mixed(blend: None, built: Mixed, tmp_path: Path) -> MakeMixed:
    """Libraries by some factors, of the same files: indexed, but for those that are copies."""

    def made(factors: Any = "versatile") -> Mixed:
        if factors == "versatile":
            return built.copied(tmp_path / "library")
        mixed = Mixed(tmp_path / "library by others", built.media, factors)
        mixed.run()
        return mixed

    return made


@pytest.fixture
def mixed(make_mixed: MakeMixed) -> Mixed:
    return make_mixed()
