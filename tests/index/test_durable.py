from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from unisearch.errors import LibraryDamaged, LibraryError
from unisearch.index import durable
from unisearch.index.durable import append, cut, unlink, write_atomically


class Full(durable.Disk):
    """A disk on which nothing more fits after so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, handle: int, offset: int, data: bytes | memoryview) -> None:
        fits = memoryview(data)[: self.room]
        super().write(handle, offset, fits)
        self.room -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_cut_shortens_a_file_and_never_makes_it_longer(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"abcdef")

    assert cut(path, 4) is True
    assert cut(path, 9) is False
    assert cut(tmp_path / "missing", 0) is False

    assert path.read_bytes() == b"abcd"


def test_a_whole_file_is_written_at_once_and_in_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "index" / "toy" / "1.faiss"

    write_atomically(path, lambda file: [file.write(bytes([part]) * 700_000) for part in range(3)])
    write_atomically(path, lambda file: file.write(b"second"))

    assert path.read_bytes() == b"second"
    assert names(path.parent) == ["1.faiss"]


def test_a_file_that_could_not_be_written_whole_leaves_the_old_one_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "1.faiss"
    path.write_bytes(b"old")
    monkeypatch.setattr(durable, "disk", Full(room=100))

    with pytest.raises(LibraryError) as told:
        write_atomically(path, lambda file: file.write(bytes(5_000_000)))

    assert str(told.value) == (
        f"{tmp_path}: no space left on device: free some space and run it again"
    )
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["1.faiss"]


def test_what_the_writing_itself_raises_passes_through(tmp_path: Path) -> None:
    def broken(file: object) -> None:
        raise ValueError("no such index")

    with pytest.raises(ValueError, match="no such index"):
        write_atomically(tmp_path / "1.faiss", broken)

    assert names(tmp_path) == []


def test_leftovers_of_an_interrupted_write_are_told_by_their_names(tmp_path: Path) -> None:
    seen: list[Path] = []

    def look(file: object) -> None:
        seen.extend(tmp_path.iterdir())

    write_atomically(tmp_path / "1.faiss", look)

    assert [durable.is_temporary(path) for path in seen] == [True]
    assert not durable.is_temporary(tmp_path / "1.faiss")
    assert not durable.is_temporary(tmp_path / ".hidden.tmp")


def test_unlink_takes_missing_files_too(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")

    unlink([tmp_path / "a", tmp_path / "b", tmp_path / "nowhere" / "c"])

    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_any_more_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "here").touch()

    assert durable.listed(tmp_path) == [tmp_path / "here"]
    assert durable.listed(tmp_path / "gone") == durable.listed(tmp_path / "here") == []
