"""What a partition's scores are compared with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexer import Indexer
from unisearch.config import Settings, load_settings
from unisearch.engine import inspect
from unisearch.engine.background import ROWS, Backgrounds, mix, share_of_sample
from unisearch.engine.chance import Floats
from unisearch.engine.engine import Engine
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms


def rows(seed: int, count: int) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def shares(mixed: Floats, sample: Floats) -> float:
    """The part of the mixed rows that is from the sample."""
    return float((mixed @ sample.T > 0.99999).any(axis=1).mean())


@pytest.mark.parametrize(
    ("kinds", "share"), [(0, 0.0), (1, 0.0), (128, 0.498), (256, 1.0), (900, 1.0)]
)
def test_the_sample_counts_as_far_as_it_is_varied(kinds: int, share: float) -> None:
    sample, reference = rows(0, 300), rows(1, 700)

    mixed = mix(sample, reference, kinds)

    assert mixed.shape == (ROWS, 8)
    assert share_of_sample(kinds) == pytest.approx(share, abs=1e-3)
    assert shares(mixed, sample) == pytest.approx(share, abs=0.01)


def test_every_row_of_a_small_sample_counts_alike() -> None:
    sample, reference = rows(0, 100), rows(1, 700)

    mixed = mix(sample, reference, kinds=200)

    times = (mixed @ sample.T > 0.99999).sum(axis=0)
    assert times.min() >= 7
    assert times.max() <= 8


def test_without_a_sample_the_reference_stands_alone() -> None:
    reference = rows(1, 512)

    assert shares(mix(rows(0, 0), reference, kinds=0), reference) == 1.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A library of 40 texts."""
    media = tmp_path / "media"
    media.mkdir()
    for number in range(40):
        (media / f"{number}.txt").write_text(f"Story {number} of the {number * 7} mice.")
    settings = load_settings(library=tmp_path / "library", space="toy")
    with Indexer(settings=settings) as indexer:
        indexer.run([media])
    return settings


def test_it_is_read_once_until_it_is_drawn_anew(settings: Settings) -> None:
    known, space = Backgrounds(), ToySpace()
    with open_rooms(settings) as rooms, rooms.catalog.view() as view:
        [row] = view.backgrounds()
        first = known.of(view, space, "text", row)
        assert known.of(view, space, "text", row) is first
        assert first.pair(space, "image") is first.pair(space, "image")

        assert known.of(view, space, "text", None) is not first


def test_a_damaged_sample_is_a_warning_and_answers_go_on(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(settings.library / "catalog.db")) as raw:
        raw.execute("UPDATE backgrounds SET sample = zeroblob(length(sample))")
        raw.commit()

    with Engine(open_rooms(settings)) as engine:
        hits = [engine.search("story of the mice") for _ in range(3)]

    assert len(hits[0]) == 10
    assert caplog.text.count("differs from its checksum") == 1


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (1, "reference, synthetic"),
        (52, "library sample of 40, 52 kinds (20%), and reference, synthetic"),
        (256, "library sample of 40, 256 kinds"),
    ],
)
def test_status_says_what_it_is(settings: Settings, kinds: int, said: str) -> None:
    with closing(sqlite3.connect(settings.library / "catalog.db")) as raw:
        raw.execute("UPDATE backgrounds SET kinds = ?", (kinds,))
        raw.commit()

    with open_rooms(settings) as rooms:
        [partition] = inspect.status(rooms)["partitions"]

    assert partition["background"] == said
