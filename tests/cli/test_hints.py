"""What a question may have been meant to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from unisearch.cli.hints import hints


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a folder, a file without a suffix, and a picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chair").mkdir()
    (tmp_path / "notes").touch()
    (tmp_path / "cat.png").touch()


@pytest.mark.parametrize("argument", ["11:cow", "2.55:cow", "100:a red cow", "2,5:kuh", ".5:cow"])
def test_a_weight_that_is_none_is_told(argument: str) -> None:
    [line] = hints([argument])

    assert line.startswith(f"'{argument}' is taken for words: a weight is at most 10")
    assert "one decimal" in line


@pytest.mark.parametrize(
    "argument",
    ["16:9", "10:30", "2:cow", "2.5:cow", "cow", "a cow", "text:11:cow", "item:3", "no:thing", "",
     "cat.png", "2:cat.png", "file:notes", "text:chair", "x" * 5_000, "a\0b"],
)  # fmt: skip
def test_of_what_is_clear_nothing_is_said(argument: str) -> None:
    assert list(hints([argument])) == []


@pytest.mark.parametrize("argument", ["chair", "2:chair"])
def test_a_word_that_names_a_folder_here_is_told(argument: str) -> None:
    [line] = hints(["a", argument])

    assert line.startswith("'chair' is taken for words; it also names a folder here: ")
    assert "--under" in line


def test_a_word_that_is_asked_for_and_against_is_told_once() -> None:
    assert len(list(hints(["chair", "chair"]))) == 1


def test_a_word_that_names_a_file_here_is_told() -> None:
    [line] = hints(["notes"])

    assert line.endswith("it also names a file here: file:notes asks with that")
