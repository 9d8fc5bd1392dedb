from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer import Indexer, Report
from indexer.pools import Pools
from tests.workers import HandClock
from unisearch.catalog.rows import ItemRow
from unisearch.config import Settings
from unisearch.wiring import open_rooms, row_files


def text(path: Path, words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{words}.\n", "utf-8")
    return path


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 24, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def sound(path: Path, seconds: float, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-9_000, 9_000, int(seconds * 8_000), np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(noise.tobytes())
    return path


def model(path: Path, size: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = f"v 0 0 0\nv {size} 0 0\nv 0 {size} 0\nv 0 0 1\n"
    path.write_text(corners + "f 1 2 3\nf 1 2 4\nf 2 3 4\nf 1 3 4\n")
    return path


class Library:
    """A library of the toy space, its folder of media, and questions about both."""

    def __init__(self, folder: Path) -> None:
        self.media = folder / "media"
        self.media.mkdir()
        self.path = folder / "library"
        self.settings = Settings(library=self.path, space="toy")

    def run(self, *paths: Path, **options: Any) -> Report:
        return Indexer(settings=self.settings).run(paths or [self.media], **options)

    def finish(self) -> None:
        """Draw what runs left to later."""
        Indexer(settings=self.settings).finish()

    def fill(self) -> None:
        """One file of each modality."""
        text(self.media / "note.txt", "The lighthouse stands on a rock")
        picture(self.media / "photos" / "beach.png", 1)
        sound(self.media / "sounds" / "waves.wav", 2, 1)
        model(self.media / "rock.obj", 2)

    def item(self, name: str) -> ItemRow:
        """The item at that place below the media folder."""
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            row = view.item_at(bytes(self.media / name))
        assert row is not None, name
        return row

    def items(self) -> list[ItemRow]:
        """All items, by id."""
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            return view.items()

    def roots(self) -> list[bytes]:
        """The indexed places, by path."""
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            return [root.path for root in view.roots()]

    def names(self) -> list[str]:
        return sorted(item.path.decode().rsplit("/", 1)[1] for item in self.items())

    def live_rows(self) -> dict[int, np.ndarray]:
        """The vectors of all segments by id, after checking that nothing contradicts."""
        rows: dict[int, np.ndarray] = {}
        with open_rooms(self.settings) as rooms, rooms.catalog.view() as view:
            assert view.problems() == []
            for partition in view.all_partitions():
                files = row_files(self.path, partition)
                extent = (partition.epoch, partition.count)
                assert files.verify(*extent, view.blocks("toy-1", partition.modality)) == []
                stored = files.open(*extent)
                dead = view.partitions("toy-1")[partition.modality].dead
                live = np.delete(np.arange(partition.count), dead)
                keys = [int(key) for key in stored.keys[live]]
                assert keys == list(view.segments(modalities=[partition.modality]))
                rows.update(zip(keys, np.array(stored.vectors[live]), strict=True))
            assert sorted(rows) == list(view.segments())
        return rows


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The clock of all pools that are made from now on."""
    clock = HandClock()
    monkeypatch.setattr("indexer.pool._Clock", lambda: clock)
    monkeypatch.setattr("indexer.holder.Pools", Pools)  # not those that stay
    return clock


@pytest.fixture
def make() -> dict[str, Callable[..., Path]]:
    """Makers of small files by kind."""
    return {"text": text, "picture": picture, "sound": sound, "model": model}


@pytest.fixture
def nothing_embedded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, embedding anything is an error."""

    def forbid() -> None:
        def embed(*ignored: object) -> None:
            raise KeyError("something was embedded")

        monkeypatch.setattr("indexer.flow.decode", embed)

    return forbid
