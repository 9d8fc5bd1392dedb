from __future__ import annotations

from pathlib import Path

import pytest

from unisearch.errors import LibraryDamaged
from unisearch.index.durable import append


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
