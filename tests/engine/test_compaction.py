"""A question that is under way while the library is compacted gets its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import Indexer
from indexer.compaction import compact
from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.errors import RowsGone
from unisearch.records import Sample
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms

Meanwhile = Callable[[Callable[[], None]], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A library of four texts, one of which is forgotten; a clean-up is worth it."""
    settings = Settings(library=tmp_path / "library", space="toy")
    for name in ("red", "green", "blue", "grey"):
        (tmp_path / f"{name}.txt").write_text(f"a {name} fox")
    Indexer(settings=settings).run([tmp_path / f"{name}.txt" for name in ("red", "green", "blue")])
    Indexer(settings=settings).forget(tmp_path / "red.txt")
    return settings


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Does something while the question is encoded: after its view began, before it searches."""

    def arrange(do: Callable[[], None]) -> None:
        original = ToySpace.encode

        def encode(space: ToySpace, samples: Sequence[Sample]) -> NDArray[np.float32]:
            vectors = original(space, samples)
            do()
            return vectors

        monkeypatch.setattr(ToySpace, "encode", encode)

    return arrange


def test_rows_that_moved_to_another_epoch_are_looked_up_again(
    settings: Settings, meanwhile: Meanwhile
) -> None:
    def compacted() -> None:
        with open_rooms(settings, write=True) as rooms:
            with rooms.catalog.view() as view:
                [partition] = view.all_partitions()
            compact(rooms, partition, force=True)

    meanwhile(compacted)

    with Engine(open_rooms(settings)) as engine:
        hits = engine.search("fox")

    assert sorted(Path(hit.path.decode()).name for hit in hits) == ["blue.txt", "green.txt"]
    assert not (settings.library / "vectors" / "toy-1" / "text" / "0.f16").exists()


def test_rows_that_are_gone_for_good_are_damage(settings: Settings, meanwhile: Meanwhile) -> None:
    meanwhile(lambda: (settings.library / "vectors/toy-1/text/0.f16").unlink(missing_ok=True))

    with Engine(open_rooms(settings)) as engine, pytest.raises(RowsGone, match="3 rows are lost"):
        engine.search("fox")
