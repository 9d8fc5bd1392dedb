"""unisearch spaces: what the verbs print and do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.indexer.conftest import model, picture, text
from tests.second import second
from unisearch.cli.main import run

__all__ = ["second"]
pytestmark = pytest.mark.usefixtures("second")


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def unisearch(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """The command line on a library of three files in the space toy."""
    config = tmp_path / "settings.yaml"
    config.write_text(json.dumps({"space": "toy", "library": str(tmp_path / "library")}))
    text(tmp_path / "media" / "note.txt", "The lighthouse stands on a rock")
    picture(tmp_path / "media" / "beach.png", 1)
    model(tmp_path / "media" / "rock.obj", 2)

    def command(*arguments: str) -> Said:
        code = run([*arguments, "--config", str(config)])
        said = capfdbinary.readouterr()
        return Said(code, said.out.decode(), said.err.decode())

    assert command("index", str(tmp_path / "media")).code == 0
    return command


def test_a_space_is_added_listed_and_dropped(unisearch: Command) -> None:
    added = unisearch("spaces", "add", "pictures", "--json")
    listed = unisearch("spaces", "list", "--json").json
    [toy, pictures] = listed["spaces"]
    dropped = unisearch("spaces", "drop", "pictures", "--json")

    assert added.json == {"id": "pictures-1", "state": "active", "built": 1.0, "lacks": {}}
    assert added.err.splitlines() == ["pictures: 2 vectors to embed", "pictures-1: active"]
    assert (toy["id"], toy["state"], toy["vectors"], toy["here"]) == ("toy-1", "active", 3, "yes")
    assert toy["bytes"] > 0
    assert (pictures["state"], pictures["vectors"]) == ("active", 2)
    assert pictures["modalities"] == ["text", "image", "video"]
    assert pictures["backgrounds"]["image"] == "reference, synthetic"
    known = {one["name"]: (one["held"], one["weights"]) for one in listed["known"]}
    assert (known["toy"], known["starter"]) == ((True, True), (False, True))
    assert dropped.json == {"space": "pictures", "vectors": 2}
    assert len(unisearch("spaces", "list", "--json").json["spaces"]) == 1


def test_the_list_says_in_words_how_it_stands(
    unisearch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unisearch("spaces", "switch", "second")

    said = unisearch("spaces", "list").out

    rows = [" ".join(line.split()) for line in said.splitlines()]
    assert any(row.startswith("toy-1 left text, image, audio, 3d, video 3 ") for row in rows)
    assert any(row.startswith("second-1 active text, image") for row in rows)
    known = next(line for line in said.splitlines() if line.startswith("known here"))
    assert "not in this library: starter" in known
    assert "pictures" in known
    assert "clip (no weights)" in said


def test_switching_may_drop_the_others_and_says_when_questions_cannot_be_asked(
    unisearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unisearch.spaces.toy.ToySpace.id", "toy-2")
    asked = unisearch("search", "lighthouse")

    switched = unisearch("spaces", "switch", "toy", "--drop-old")

    assert asked.code == 1
    assert (
        "'toy-1'; the weights that are here are of 'toy-2': 'unisearch spaces switch" in asked.err
    )
    assert switched.code == 0
    assert switched.err.splitlines()[0] == (
        "unisearch: the weights of 'toy-1' are not here any more: until 'toy-2' is complete nothing"
        " can be asked of it"
    )
    assert [one["id"] for one in unisearch("spaces", "list", "--json").json["spaces"]] == ["toy-2"]
    assert unisearch("search", "lighthouse", "--paths").out.splitlines()[0].endswith("note.txt")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add", "secnd"], 2, "unknown space 'secnd'; did you mean 'second'?"),
        (["drop", "toy"], 1, "'toy-1' is the library's only active space: switch to another one"),
        (["drop", "second"], 1, "the library has no space 'second'; it holds toy-1"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    unisearch: Command, arguments: list[str], code: int, message: str
) -> None:
    said = unisearch("spaces", *arguments)

    assert said.code == code
    assert len(said.err.splitlines()) == 1
    assert message in said.err


def test_a_run_of_another_configured_space_stays_with_that_of_the_library(
    unisearch: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNISEARCH_SPACE", "second")
    text(tmp_path / "media" / "new.txt", "New words")

    said = unisearch("index", str(tmp_path / "media"), "--json")

    assert said.json["counts"]["added"] == 1
    hints = [line for line in said.err.splitlines() if "is of the space 'toy', not of" in line]
    assert len(hints) == 1
    assert "'unisearch spaces switch second' embeds it again" in hints[0]
    [held] = unisearch("spaces", "list", "--json").json["spaces"]
    assert (held["id"], held["vectors"]) == ("toy-1", 4)


def test_files_that_no_space_covers_are_one_line_of_the_report(
    unisearch: Command, tmp_path: Path
) -> None:
    unisearch("spaces", "switch", "pictures", "--drop-old")
    for number in range(2):
        model(tmp_path / "media" / f"rock {number}.obj", 3 + number)

    said = unisearch("index", str(tmp_path / "media"))

    assert "2 files of a kind that no space here covers (3d)" in said.out
    assert said.code == 0


def test_vectors_of_one_space_are_exported(unisearch: Command, tmp_path: Path) -> None:
    unisearch("spaces", "add", "pictures")

    said = unisearch("export", str(tmp_path / "out.npz"), "--space", "pictures")

    assert said.code == 0
    assert "2 vectors" in said.err
