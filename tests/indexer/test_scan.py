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


def test_an_ignore_file_speaks_as_gitignore_does_for_its_folder_and_those_below(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "a.txt", "a.tmp", "keep.tmp", "build/x.txt", "in/build/x.txt", "in/a.tmp")
    touch(tmp_path, "in/deep/only.txt", "deep/only.txt", "deep/other.txt", "# x")
    (tmp_path / ".unisearchignore").write_text("# ours\n*.tmp\n!keep.tmp\n/build/\n\n\\# x\r\n")
    (tmp_path / "in" / ".unisearchignore").write_text("deep/only.*\n!a.tmp\n")

    scan = Scan(bytes(tmp_path))

    assert names(scan) == [
        *(b"a.txt", b"keep.tmp", b"deep/only.txt", b"deep/other.txt"),
        *(b"in/a.tmp", b"in/build/x.txt"),
    ]
    assert scan.left_out == 4  # a.tmp, build, '# x', in/deep/only.txt


def test_what_lies_in_a_folder_that_is_left_out_cannot_be_taken_in_again(tmp_path: Path) -> None:
    touch(tmp_path, "out/a.txt", "half/a.txt", "half/b.txt")
    (tmp_path / ".unisearchignore").write_text("out\n!out/a.txt\nhalf/*\n!half/a.txt\n")

    assert names(Scan(bytes(tmp_path))) == [b"half/a.txt"]


def test_a_walk_of_a_folder_inside_keeps_to_the_ignore_files_above_it(tmp_path: Path) -> None:
    touch(tmp_path, "in/deep/a.tmp", "in/deep/b.tmp", "in/deep/a.txt")
    (tmp_path / ".unisearchignore").write_text("*.tmp\n")
    (tmp_path / "in" / ".unisearchignore").write_text("!b.tmp\n")
    inner = bytes(tmp_path / "in" / "deep")

    assert names(Scan(inner, top=bytes(tmp_path))) == [b"a.txt", b"b.tmp"]
    assert names(Scan(inner)) == [b"a.tmp", b"a.txt", b"b.tmp"]


def test_bad_patterns_and_odd_names_cost_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (b"\xff1.txt", b"\xfe1.txt", b"a\nb.txt"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).touch()
    (tmp_path / ".unisearchignore").write_bytes(b"\xef\xbb\xbf!\n\xff*\nb.txt\n")

    assert names(Scan(bytes(tmp_path))) == [b"a\nb.txt", b"\xfe1.txt"]
    assert "line 1 is no pattern" in caplog.text


def test_a_pipe_or_a_folder_of_that_name_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a/1", "b/1", "b/.unisearchignore/x")
    os.mkfifo(tmp_path / "a" / ".unisearchignore")

    assert names(Scan(bytes(tmp_path))) == [b"a/1", b"b/1"]


def test_a_folder_whose_ignore_file_cannot_be_read_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it says must not be taken in, nor may anything be forgotten."""
    touch(tmp_path, "a/1", "b/1")
    (tmp_path / "a" / ".unisearchignore").write_text("1\n")

    def refused(path: bytes) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("indexer.ignore._lines", refused)
    scan = Scan(bytes(tmp_path))

    assert names(scan) == [b"b/1"]
    assert list(scan.unlisted) == [bytes(tmp_path / "a")]
    assert not scan.covers(bytes(tmp_path / "a" / "1"))


@pytest.mark.parametrize(
    "path",
    ["a.txt", "x.tmp", "in/x.tmp", ".a/b.txt", "out/deep/b.txt", "CVS/x", "in/no.txt", "q/z"],
)
def test_a_single_path_is_judged_as_the_walk_judges_it(tmp_path: Path, path: str) -> None:
    touch(tmp_path, path)
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / ".unisearchignore").write_text("*.tmp\nout/\n")
    (tmp_path / "in" / ".unisearchignore").write_text("!x.tmp\n")
    scan = Scan(bytes(tmp_path), ignore=("no.*",), skip=frozenset((bytes(tmp_path / "q"),)))

    assert scan.wants(bytes(tmp_path / path)) == (os.fsencode(path) in names(scan))
