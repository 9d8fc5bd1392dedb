from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unisearch.errors import LibraryDamaged
from unisearch.index.durable import append, make_folder, replace


def test_append_drops_what_lies_behind_the_offset(tmp_path: Path) -> None:
    path = tmp_path / "rows"

    assert append(path, 0, b"abcdef") is True
    assert append(path, 3, b"XY") is False

    assert path.read_bytes() == b"abcXY"


def test_append_never_fills_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"ab")

    with pytest.raises(LibraryDamaged, match="2 bytes of 3"):
        append(path, 3, b"XY")

    assert path.read_bytes() == b"ab"


def test_a_failed_replace_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    path = tmp_path / "a" / "b" / "file"
    replace(path, [b"old ", b"content"])

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace(path, chunks())

    assert path.read_bytes() == b"old content"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
