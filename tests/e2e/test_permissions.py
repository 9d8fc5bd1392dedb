"""What the system does not let a normal user see, in one line each, with the rest intact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unprivileged import unisearch


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """A folder with two good texts and, beside them, one of each thing that is out of reach."""
    folder = tmp_path / "media"
    for place in ("", "closed", "blind", "listed"):
        (folder / place).mkdir()
        (folder / place / f"{place or 'open'}.txt").write_text(f"a fox in {place}")
    (folder / "locked.txt").write_text("a secret fox")
    (folder / "z.txt").write_text("a fox at the end")
    yield folder
    for place in ("closed", "blind", "listed"):
        (folder / place).chmod(0o755)


def lock(folder: Path) -> None:
    (folder / "locked.txt").chmod(0)
    (folder / "closed").chmod(0)
    (folder / "blind").chmod(0o111)  # entered, but not listed
    (folder / "listed").chmod(0o444)  # listed, but not entered


FAILED = {
    "locked.txt": "no permission to read the file",
    "closed": "cannot be looked at: Permission denied",
    "blind": "cannot be looked at: Permission denied",
    "listed/listed.txt": "cannot be looked at: Permission denied",
}


def check_all_are_listed(told: dict[str, Any], media: Path) -> None:
    """Each of the locked files, with its reason."""
    assert {
        str(Path(failure["path"]).relative_to(media)): failure["message"]
        for failure in told["failed"]
    } == FAILED
    assert {failure["kind"] for failure in told["failed"]} == {"permission"}


def test_what_may_not_be_read_is_listed_and_the_rest_is_indexed(
    media: Path, tmp_path: Path
) -> None:
    lock(media)

    done = unisearch("index", media, "--json", space="toy", library=tmp_path / "library")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"]["added"] == 2
    check_all_are_listed(told, media)
    assert "Traceback" not in done.stderr


def test_a_file_that_is_named_and_may_not_be_read_is_listed_like_one_in_a_folder(
    media: Path, tmp_path: Path
) -> None:
    lock(media)
    settings = {"space": "toy", "library": tmp_path / "library"}
    locked = ["locked.txt", "closed", "blind", "listed/listed.txt"]
    named = [media / name for name in locked]

    foreseen = unisearch("index", *named[1:], "--dry-run", "--json", **settings)
    alone = [unisearch("index", path, "--json", **settings) for path in named]
    beside = unisearch("index", *named, media / "z.txt", "--json", **settings)

    assert foreseen.returncode == 1
    assert len(json.loads(foreseen.stdout)["failed"]) == 3
    assert [done.returncode for done in alone] == [1] * 4
    assert {done.stderr for done in alone} == {"unisearch: no file could be read of 1 file\n"}
    assert beside.returncode == 0, beside.stderr
    told = json.loads(beside.stdout)
    assert told["counts"]["added"] == 1
    check_all_are_listed(told, media)


def test_what_is_known_and_locked_later_keeps_its_items(media: Path, tmp_path: Path) -> None:
    settings = {"space": "toy", "library": tmp_path / "library"}
    assert unisearch("index", media, **settings).returncode == 0
    lock(media)

    done = unisearch("index", media, "--json", **settings)
    found = unisearch("search", "fox", "--paths", "-k", "9", **settings)

    told = json.loads(done.stdout)
    assert told["counts"] == {"added": 0, "updated": 0, "moved": 0, "removed": 0, "unchanged": 2}
    names = {Path(path).name for path in found.stdout.splitlines()}
    assert names == {"open.txt", "z.txt", "closed.txt", "blind.txt", "listed.txt"}


def test_a_locked_file_is_no_question(media: Path, tmp_path: Path) -> None:
    settings = {"space": "toy", "library": tmp_path / "library"}
    assert unisearch("index", media, **settings).returncode == 0
    lock(media)

    done = unisearch("search", media / "locked.txt", **settings)

    hidden = unisearch("search", media / "closed" / "closed.txt", **settings)

    assert (done.returncode, hidden.returncode) == (1, 1)
    assert done.stderr.count("\n") == 1
    assert "no permission" in done.stderr
    assert hidden.stderr == (
        f"unisearch: {media / 'closed' / 'closed.txt'}: cannot be looked at: permission denied\n"
    )


@pytest.mark.parametrize("verb", [["search", "fox"], ["status"], ["index", "pyproject.toml"]])
@pytest.mark.parametrize("place", ["", "inside"])
def test_a_library_out_of_reach_is_one_line(verb: list[str], place: str, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)

    done = unisearch(*verb, space="toy", library=closed / place)

    closed.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"unisearch: {closed / place}: cannot be opened: Permission denied\n"


def test_settings_out_of_reach_are_one_line_or_not_looked_for(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)

    asked = unisearch("status", "--config", closed / "mine.yaml")
    home = unisearch("status", home=closed, xdg_config_home=closed, library=tmp_path / "none")

    closed.chmod(0o755)
    assert (asked.returncode, home.returncode) == (1, 1)
    assert asked.stderr == f"unisearch: {closed / 'mine.yaml'}: cannot be read: Permission denied\n"
    assert "no library there" in home.stderr
