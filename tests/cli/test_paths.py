"""Paths on the command line: none is empty, and nothing is written into a library."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from unisearch.cli.main import run
from unisearch.cli.paths import check_place
from unisearch.errors import UnisearchError

WITH_PATHS = """
index ''
index media ''
index '' --dry-run
forget ''
forget '' --now
relocate '' media
relocate media ''
roots remove ''
tag '' +word
search dog --under ''
embed '' --out x.npy
embed media --out ''
embed --files-from '' --out x.npy
export ''
demo ''
import-pointcloud '' x.ply
import-pointcloud x.npy ''
train starter --corpus ''
train starter --corpus media --out ''
train starter --corpus media --cache ''
evaluate --corpus ''
evaluate --cache ''
status --library ''
status --library=
--config '' status
"""


@pytest.mark.parametrize("line", WITH_PATHS.strip().splitlines())
def test_an_empty_path_is_a_mistake_and_never_the_current_folder(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNISEARCH_LIBRARY", "library")
    (tmp_path / "media").mkdir()

    code = run(shlex.split(line))

    assert (code, *capsys.readouterr()) == (2, "", "unisearch: an empty path\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "media"]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with something of a library in it, and links to it."""
    folder = tmp_path / "library"
    (folder / "vectors").mkdir(parents=True)
    (folder / "catalog.db").write_text("everything")
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "link.npz").symlink_to(folder / "catalog.db")
    (folder / "out.npz").symlink_to(tmp_path / "elsewhere.npz")
    (tmp_path / "loop.npz").symlink_to("loop.npz")
    return folder


@pytest.mark.parametrize(
    "name",
    ["library/catalog.db", "library/new.npz", "library/vectors/new.npz", "library",
     "linked/new.npz", "link.npz", "library/out.npz", "library/../library/new.npz"],
)  # fmt: skip
@pytest.mark.parametrize("named", ["library", "linked"])
def test_nothing_is_written_into_the_library(
    library: Path, tmp_path: Path, named: str, name: str
) -> None:
    with pytest.raises(UnisearchError, match="belongs to the library"):
        check_place(tmp_path / name, tmp_path / named, force=True)


@pytest.mark.parametrize("name", ["new.npz", "library.npz", "library2", "loop.npz"])
def test_beside_the_library_there_is_room(library: Path, tmp_path: Path, name: str) -> None:
    check_place(tmp_path / name, library, force=True)


@pytest.mark.parametrize(
    "line",
    [
        "export library/catalog.db --format npz --force",
        "export library/new.npz",
        "embed a.txt --out library/new.npy",
        "import-pointcloud a.txt library/new.ply",
    ],
)
def test_a_verb_that_writes_files_writes_none_into_the_library(
    line: str,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNISEARCH_LIBRARY", "library")
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    (tmp_path / "a.txt").write_text("a red fox")
    before = sorted(library.rglob("*"))

    code = run(shlex.split(line))

    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "belongs to the library" in err
    assert sorted(library.rglob("*")) == before
    assert (library / "catalog.db").read_text() == "everything"
