"""The command on a library of its own, and a small library of real files."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Command, Done, Ready, run
from unisearch.cli import main
from unisearch.world.library import KINDS, make_library

CONCEPTS = ("dog", "car", "piano")


@pytest.fixture
def unisearch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Command:
    """The command in tmp_path, with the toy space and a library in tmp_path/library.

    It runs in this process, where torch is already loaded; with `process=True` in its own.
    """

    def command(*arguments: str | bytes | Path, process: bool = False, **more: Any) -> Done:
        given = {"space": "toy", "library": os.fspath(tmp_path / "library"), **more}
        stdin = given.pop("stdin", b"")
        if process:
            return run(*arguments, cwd=tmp_path, stdin=stdin, **given)
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setenv("COLUMNS", "200")
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            for name, value in given.items():
                patch.setenv(f"UNISEARCH_{name.upper()}", value)
            capfdbinary.readouterr()
            code = main.run([os.fsdecode(argument) for argument in arguments])
            out, err = capfdbinary.readouterr()
        return Done(code, out, err.decode("utf-8", "backslashreplace"))

    return command


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """Every kind of file for a few concepts, indexed with the toy space."""
    folder = tmp_path_factory.mktemp("ready")
    make_library(folder / "media", concepts=CONCEPTS, kinds=KINDS)
    library = folder / "library"
    done = run(
        "index", "media", "--json", "--library", library, cwd=folder, space="toy",
        library=os.fspath(folder / "not-this-one"),
    )  # fmt: skip
    assert not (folder / "not-this-one").exists()
    return Ready(folder / "media", library, done.json())


@pytest.fixture
def ask(unisearch: Command, ready: Ready) -> Command:
    """The command on the ready library."""

    def command(*arguments: str | bytes | Path, **more: Any) -> Done:
        return unisearch(*arguments, **{"library": os.fspath(ready.library), **more})

    return command
