from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.scan import Scan


def names(scan: Scan) -> list[bytes]:
    return [os.path.relpath(found.path, scan.place) for found in scan]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_files_come_in_the_order_of_their_names_folder_by_folder(tmp_path: Path) -> None:
    touch(tmp_path, "b.txt", "a.txt", "d/1", "c/2", "c/1", "c/e/1")

    assert names(Scan(bytes(tmp_path))) == [b"a.txt", b"b.txt", b"c/1", b"c/2", b"c/e/1", b"d/1"]


def test_hidden_files_and_folders_of_systems_and_tools_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "kept", ".hidden", "._kept", ".git/x", "node_modules/x", "a/__pycache__/x")
    touch(tmp_path, "$RECYCLE.BIN/x", "System Volume Information/x", ".Trash-1000/x")

    assert names(Scan(bytes(tmp_path))) == [b"kept"]


def test_links_and_special_files_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "in/file", "out/file")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out" / "file")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "pipe")

    assert names(Scan(bytes(tmp_path / "in"))) == [b"file"]


def test_a_hidden_folder_is_walked_when_it_was_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, ".config/file")

    assert names(Scan(bytes(tmp_path / ".config"))) == [b"file"]


def test_ignored_globs_fit_names_and_paths_below_the_place(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.tmp", "a/x.txt", "b/x.txt", "cache/x.txt", "b/cache.txt")

    found = names(Scan(bytes(tmp_path), ignore=("*.tmp", "cache", "b/x*")))

    assert found == [b"a/x.txt", b"b/cache.txt"]


def test_a_skipped_folder_is_not_entered(tmp_path: Path) -> None:
    touch(tmp_path, "a/1", "b/1")

    scan = Scan(bytes(tmp_path), skip=frozenset((bytes(tmp_path / "a"),)))

    assert names(scan) == [b"b/1"]


def test_a_place_that_the_system_does_not_show_is_noted_and_the_walk_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems do not tell a folder from a file without looking at it."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("words")
    original = os.scandir

    class Entry:
        def __init__(self, entry: os.DirEntry[bytes]) -> None:
            self.name, self.path = entry.name, entry.path
            self.is_file, self.stat = entry.is_file, entry.stat

        def is_dir(self, follow_symlinks: bool) -> bool:
            if self.name == b"b":
                raise PermissionError(13, "Permission denied")
            return False

    @contextmanager
    def scandir(folder: bytes) -> Iterator[list[Entry]]:
        with original(folder) as entries:
            yield [Entry(entry) for entry in entries]

    monkeypatch.setattr("indexer.scan.os.scandir", scandir)
    scan = Scan(bytes(tmp_path))

    assert names(scan) == [b"a", b"c"]
    assert list(scan.unlisted) == [bytes(tmp_path / "b")]


def test_folders_deeper_than_a_path_may_be_long_are_walked_as_far_as_that(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):  # 25 x 200 characters are more than the system takes in a path
        os.mkdir("d" * 200, dir_fd=handle)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=handle)
        os.close(os.open("a.txt", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
        os.close(handle)
        handle = inner
    os.close(handle)

    scan = Scan(bytes(tmp_path))
    found = list(scan)

    assert 10 < len(found) < 25
    [error, *_] = scan.unlisted.values()  # one more where the folder ends just at the limit
    assert error.errno == errno.ENAMETOOLONG
