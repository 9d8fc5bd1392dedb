"""The front of the command line: what help loads, where options may stand, what codes mean."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unisearch.cli import main as door
from unisearch.cli.change import item_of, split_tags
from unisearch.cli.main import EPILOG, VERBS, hoist, run, verb
from unisearch.errors import UsageError
from unisearch.registry import load

HEAVY = ("torch", "numpy", "rich", "sqlalchemy", "pydantic", "yaml", "structlog", "alembic", "PIL")


def loaded_by(*arguments: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """The finished command, and the top-level names of every module it imported."""
    code = (
        "import sys\n"
        "from unisearch.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_the_command_line_library_and_nothing_else(option: str) -> None:
    done, modules = loaded_by(option)

    assert done.returncode == 0
    assert "unisearch" in done.stdout
    assert modules.isdisjoint(HEAVY), modules & set(HEAVY)


@pytest.mark.parametrize("name", VERBS)
def test_help_of_a_verb_imports_nothing_of_what_the_verb_needs(name: str) -> None:
    done, modules = loaded_by(name, "--help")

    assert done.returncode == 0
    assert f"unisearch {name}" in done.stdout
    # typer itself takes pydantic as soon as a verb has options.
    assert modules & set(HEAVY) <= {"pydantic"}


def test_help_lists_every_verb_with_a_line() -> None:
    done, _ = loaded_by("--help")

    for name in VERBS:
        [line] = [line for line in done.stdout.splitlines() if line.strip().startswith(name + " ")]
        assert len(line.split()) > 3, line


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_can_be_loaded_and_explains_itself(name: str) -> None:
    assert load("verb", VERBS, name)

    made = verb(name)

    assert made.name == name
    assert made.help


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("search x --library L", "--library L search x"),
        ("--library=L search x", "--library=L search x"),
        ("search --config=C x --debug", "--config=C --debug search x"),
        ("search x -- --library L", "search x -- --library L"),
        ("search x --library", "--library search x"),
    ],
)
def test_options_of_all_verbs_may_stand_anywhere_before_a_double_dash(
    given: str, wanted: str
) -> None:
    assert hoist(given.split()) == wanted.split()


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["serach", "x"], 2, "unknown verb 'serach'; did you mean 'search'?"),
        (["frobnicate"], 2, "unknown verb 'frobnicate'; known: "),
        (["eval"], 2, "did you mean 'evaluate'?"),
        (["search", "--frobnicate"], 2, "--frobnicate"),
        (["search"], 2, "at least one term"),
        (["search", "--not", "dog"], 2, "at least one term"),
        (["search", "dog", "--into", "imge"], 2, "did you mean 'image'?"),
        (["search", "dog", "-k", "0"], 2, "-k"),
        (["search", "dog", "--json", "--paths"], 2, "choose one"),
        (["search", "dog", "-0"], 2, "-0 needs --paths"),
        (["search", "dog", "-0", "--json"], 2, "-0 needs --paths"),
        (["search", "dog", "--into", ""], 2, "no modality is named; known: 3d, audio, image"),
        (["search", "dog", "--into", "pictures"], 2, "known: 3d, audio, image, text, video"),
        (["search", "dog", "--min-score", "nan"], 2, "the least score is nan"),
        (["search", "dog", "--where", 'name:""'], 2, "'' is not a name"),
        (["search", "--", "-1:dog"], 2, "a weight is from 0.1 to 10"),
        (["export", "x.npz", "--into", ""], 2, "no modality is named"),
        (["search", "no/such/file.png"], 1, "no such file"),
        (["search", "11.5:dog", "item:x"], 2, "item: takes a number, as `search --json` shows"),
        (["search", "0:dog"], 2, "above 0"),
        (["tag", "cat.png"], 2, "tag takes items and words"),
        (["embed", "x.png", "--out", "x.txt"], 2, ".npy"),
        (["embed", "--out", "x.npy"], 2, "no files"),
        (["import-pointcloud", "nope.npy", "x.ply"], 1, "nope.npy: no such file"),
        (["index"], 2, "PATH"),
        (["status"], 1, "no library there"),
        (["doctor"], 1, "no library there"),
        (["forget", "x"], 1, "no library there"),
        (["status", "--config", "none.yaml"], 1, "no such configuration file"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_a_code(
    arguments: list[str],
    code: int,
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNISEARCH_LIBRARY", str(tmp_path / "library"))

    got = run(arguments)

    out, err = capsys.readouterr()
    assert got == code
    assert out == ""
    assert err.startswith("unisearch: ")
    assert err.count("\n") == 1
    assert part in err
    assert not (tmp_path / "library").exists()


def boom(error: BaseException) -> object:
    """Stands in for a verb that raises."""

    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


def test_a_bug_is_one_line_and_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "app", boom(ZeroDivisionError("by zero\nindeed")))

    code = run(["status"])
    short = capsys.readouterr().err
    run(["status", "--debug"])
    long = capsys.readouterr().err

    assert code == 1
    assert short == (
        "unisearch: unexpected ZeroDivisionError: by zero indeed (--debug shows where)\n"
    )
    assert "Traceback" in long
    assert "test_main.py" in long


def test_ctrl_c_is_one_line_and_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "app", boom(KeyboardInterrupt()))

    code = run(["status"])

    assert code == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    # `sleep` makes sure that the other end is closed before the first byte is written.
    script = f"(sleep 0.3; {sys.executable} -m unisearch --help) | true; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout == "0\n"
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", ["--help", "--version", "search --help"])
def test_results_that_do_not_fit_on_the_disk_are_one_line(arguments: str) -> None:
    command = [sys.executable, "-m", "unisearch", *arguments.split()]

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == (
        "unisearch: stdout: no space left on device: free some space and run it again\n"
    )


def test_a_full_disk_of_which_nobody_knows_more_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "app", boom(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x")))

    code = run(["status"])

    assert code == 1
    assert capsys.readouterr().err == (
        "unisearch: /x: no space left on device: free some space and run it again\n"
    )


def test_words_with_signs_are_tags_and_the_rest_are_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "7").touch()

    items, add, remove = split_tags(["item:3", "12", "7", "./-x", "+pet", "-draft"])

    assert items == [3, 12, Path("7"), Path("-x")]
    assert (add, remove) == (["pet"], ["draft"])
    assert item_of("item:7") == 7


@pytest.mark.parametrize("argument", ["--pet", "+", "-"])
def test_what_is_neither_item_nor_tag_is_refused(argument: str) -> None:
    with pytest.raises(UsageError, match="neither"):
        split_tags(["item:3", argument])


def test_a_minus_word_reaches_tag_although_it_looks_like_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["tag", "item:1", "-draft", "--library", os.fspath(tmp_path / "none")])

    assert code == 1
    assert "no library there" in capsys.readouterr().err


def test_the_help_of_a_verb_names_the_options_of_all_verbs() -> None:
    done, _ = loaded_by("status", "--help")

    assert " ".join(EPILOG.split()) in " ".join(done.stdout.split())
