"""What is exported is what the library holds, byte for byte."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
import pytest

from tests.indexer.conftest import Library, picture, sound, text
from unisearch.engine import live
from unisearch.engine.export import export
from unisearch.errors import LibraryDamaged, MissingExtra, RowsGone, UnisearchError
from unisearch.index import durable
from unisearch.records import MODALITIES
from unisearch.wiring import open_rooms

ODD = b"caf\xe9 \n\xff.txt"  # no UTF-8


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A text under an odd name, two equal pictures, and a sound of several windows."""
    library = Library(tmp_path)
    text(library.media / "plain.txt", "A lighthouse")
    (library.media / os.fsdecode(ODD)).write_text("A train in the snow.")
    picture(library.media / "a.png", 1)
    picture(library.media / "copy.png", 1)
    sound(library.media / "deep" / "waves.wav", 22, 2)
    library.run()
    (library.media / "plain.txt").unlink()
    library.run()
    return library


def write(library: Library, out: Path, kind: str = "npz", into: tuple[str, ...] = ()) -> int:
    with open_rooms(library.settings) as rooms:
        return export(rooms, out, kind, into or MODALITIES)  # type: ignore[arg-type]


def test_every_live_row_is_in_the_npz(library: Library, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"

    count = write(library, out)

    rows = library.live_rows()
    found = np.load(out)
    assert count == len(rows) == len(found["key"])
    assert {name: len(found[name]) for name in found} == dict.fromkeys(found, count)
    assert found["vector"].dtype == np.float16
    for key, vector in zip(found["key"].tolist(), found["vector"], strict=True):
        assert np.array_equal(rows[key], vector)
    by_path = {path.rsplit(b"/", 1)[1] for path in found["path"].tolist()}
    assert by_path == {ODD, b"a.png", b"waves.wav"}
    image = found["modality"] == b"image"
    assert found["copies"][image].tolist() == [1]
    assert np.isnan(found["start_s"][image]).all()
    assert found["start_s"][found["modality"] == b"audio"].tolist()[:2] == [0, 5]
    assert set(found["space"].tolist()) == {b"toy-1"}


def test_the_same_rows_are_in_the_parquet(library: Library, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install 'unisearch[parquet]'")

    count = write(library, tmp_path / "out.parquet", "parquet")

    found = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    rows = library.live_rows()
    assert count == len(found["key"]) == len(rows)
    for key, vector in zip(found["key"], found["vector"], strict=True):
        assert np.array_equal(rows[key].astype(np.float32), np.array(vector, np.float32))
    assert any(path.endswith(ODD) for path in found["path_bytes"])
    assert all("\n" not in path for path in found["path"])
    assert None in found["start_s"]


def test_only_some_kinds_are_exported(library: Library, tmp_path: Path) -> None:
    assert write(library, tmp_path / "out.npz", into=("image",)) == 1
    assert np.load(tmp_path / "out.npz")["modality"].tolist() == [b"image"]

    with pytest.raises(UnisearchError, match="nothing to export"):
        write(library, tmp_path / "none.npz", into=("3d",))


def test_damaged_rows_are_not_exported_and_no_file_is_left(
    library: Library, tmp_path: Path
) -> None:
    [file] = library.path.glob("vectors/*/image/*.f16")
    file.write_bytes(bytes(len(file.read_bytes())))
    folder = tmp_path / "out"
    folder.mkdir()

    with pytest.raises(LibraryDamaged, match="differs from its checksum"):
        write(library, folder / "out.npz")

    assert list(folder.iterdir()) == []


def test_rows_that_are_compacted_away_meanwhile_are_exported(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rows, held = tmp_path / "out.npz", library.live_rows(), live._held
    looks = []

    def compacted_first(*given: Any) -> live.Held:
        looks.append(given)
        if len(looks) == 1:
            raise RowsGone("compacted between the view and the opening")
        return held(*given)

    def compacted_later(path: Path, write: Callable[[BinaryIO], object]) -> None:
        for file in (library.path / "vectors").rglob("*.*"):
            file.unlink()
        durable.write_atomically(path, write)

    monkeypatch.setattr(live, "_held", compacted_first)
    later = SimpleNamespace(write_atomically=compacted_later)
    monkeypatch.setattr("unisearch.engine.export.durable", later)

    assert write(library, out) == len(rows)
    assert sorted(np.load(out)["key"].tolist()) == sorted(rows)


def test_a_missing_package_is_named_with_its_extra(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(MissingExtra, match=r"unisearch\[parquet\]"):
        write(library, tmp_path / "out.parquet", "parquet")


def test_a_library_of_dead_rows_gives_an_empty_file(library: Library, tmp_path: Path) -> None:
    for path in library.media.glob("*.png"):
        path.unlink()
    library.run()

    assert write(library, tmp_path / "out.npz", into=("image",)) == 0
    assert np.load(tmp_path / "out.npz")["vector"].shape == (0, 64)


def test_many_parts_and_names_of_many_lengths_become_one_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unisearch.engine.export._CHUNK", 64)
    library = Library(tmp_path)
    for number in range(40):
        text(library.media / f"{'n' * number}{number}.txt", f"Sentence number {number}")
    library.run()

    write(library, tmp_path / "out.npz")

    names = [path.rsplit(b"/", 1)[1] for path in np.load(tmp_path / "out.npz")["path"].tolist()]
    assert sorted(names) == sorted(b"n" * n + f"{n}.txt".encode() for n in range(40))
