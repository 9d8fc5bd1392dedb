"""Status says how each partition is searched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.store import Store
from unisearch.engine.indexes import told
from unisearch.engine.inspect import status
from unisearch.wiring import Rooms


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    store = Store(tmp_path / "library")
    store.add({f"a{seed}": seed for seed in range(1, 200)})
    store.snapshot()
    store.add({f"b{seed}": seed for seed in range(201, 211)})
    store.remove(["a4"])
    yield store.rooms
    store.close()


def test_status_says_how_each_kind_is_searched_and_how_well(rooms: Rooms) -> None:
    found = {part["modality"]: part for part in status(rooms)["partitions"]}

    image, audio = found["image"], found["audio"]
    assert (image["dead"], audio["dead"]) == (1, 0)
    assert image["index"] == {"kind": "exact"}
    index = audio["index"]
    assert index["kind"] == "snapshot"
    assert index["rows"] + index["tail"] == audio["rows"]
    assert index["tail"] > 0
    assert index["recall"]["audio"] >= 0.8
    assert index["recall"]["text"] is None
    assert index["recall"]["image"] is None


def test_an_index_is_told_in_words(rooms: Rooms) -> None:
    [index] = [one["index"] for one in status(rooms)["partitions"] if one["modality"] == "audio"]

    said = told(index)

    extent = f"snapshot of {index['rows']:,} + {index['tail']:,} rows"
    assert re.match(re.escape(extent) + r"; recall audio [01]\.\d{3};", said)
    assert said.endswith("untuned: text, image")
    assert told({"kind": "exact"}) == "exact"
