"""File names may hold anything that the disk allows; programs get them back byte for byte."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from tests.e2e.commands import Command

ODD_NAMES = [
    b"with space.txt",
    "\u00fcber \u7279.txt".encode(),
    b"two\nlines.txt",
    b"not utf-8 \xff\xfe.txt",
    b"-dash.txt",
    b"--library.txt",
    b"quote ' and \".txt",
    b"esc\x1b[31m.txt",
    b"[bold]markup[_bold].txt",
]


def write_odd_files(folder: Path) -> list[bytes]:
    """A text of its own under each of the names; their paths."""
    folder.mkdir()
    paths = [os.fsencode(folder) + b"/" + name for name in ODD_NAMES]
    for number, path in enumerate(paths):
        Path(os.fsdecode(path)).write_text(f"fox number {number}")
    return paths


def test_odd_names_come_back_byte_for_byte(unisearch: Command, tmp_path: Path) -> None:
    paths = write_odd_files(tmp_path / "media")

    counts = unisearch("index", "media", "--json").json()["counts"]
    listed = unisearch("search", "fox", "-k", "50", "--paths", "-0").out.split(b"\0")
    rows = unisearch("search", "fox", "-k", "50", "--json").json()["hits"]

    assert counts["added"] == len(paths)
    assert sorted(listed) == sorted([*paths, b""])
    exact = [
        base64.b64decode(row["path_b64"]) if "path_b64" in row else row["path"].encode()
        for row in rows
    ]
    assert sorted(exact) == sorted(paths)


def test_odd_names_are_shown_on_one_line_without_effect_on_the_terminal(
    unisearch: Command, tmp_path: Path
) -> None:
    write_odd_files(tmp_path / "media")
    unisearch("index", "media")

    table = unisearch("search", "fox", "-k", "50").out.decode()

    assert "two\\nlines.txt" in table
    assert "not utf-8 \\xff\\xfe.txt" in table
    assert "[bold]markup[_bold].txt" in table
    assert "\x1b" not in table


def test_odd_names_are_queries_too(unisearch: Command, tmp_path: Path) -> None:
    paths = write_odd_files(tmp_path / "media")
    unisearch("index", "media")

    for path, process in ((paths[2], False), (paths[3], True), (paths[7], False)):
        done = unisearch("search", "--paths", "-0", "-k", "1", "--", path, process=process)
        assert done.out == path + b"\0", done.err


def test_a_name_with_a_dash_in_front_is_a_file_behind_a_double_dash(
    unisearch: Command, tmp_path: Path
) -> None:
    (tmp_path / "-dash.txt").write_text("a red fox")

    indexed = unisearch("index", "--", "-dash.txt")
    found = unisearch("search", "--paths", "--", "-dash.txt")
    tagged = unisearch("tag", "./-dash.txt", "+sly")

    assert (indexed.code, found.code, tagged.code) == (0, 0, 0)
    assert found.out == os.fsencode(tmp_path / "-dash.txt") + b"\n"
