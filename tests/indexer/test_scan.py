from __future__ import annotations

import os
from pathlib import Path

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
