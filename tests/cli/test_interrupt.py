"""Ctrl-C is one line and code 130 whenever it comes, above all while things are imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unisearch.cli.interrupt import LINE

CHECKOUT = Path(__file__).resolve().parents[2]

#: Is the command, and presses Ctrl-C when the module of that name is looked for.
PRESSED = """
import runpy, signal, sys

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            signal.raise_signal(signal.SIGINT)

wanted = sys.argv.pop(1)
sys.meta_path.insert(0, Press())
runpy.run_module("unisearch", run_name="__main__", alter_sys=True)
"""


def python(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The finished interpreter."""
    environment = {**os.environ, "UNISEARCH_SPACE": "toy", "UNISEARCH_LIBRARY": str(cwd / "lib")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("module", "verb"),
    [
        ("typer", ["--help"]),
        ("unisearch.cli.door", ["--version"]),
        ("unisearch.cli.search", ["search", "dog"]),
        ("pydantic", ["status"]),
        ("numpy", ["index", "."]),
        ("torch._C", ["embed", "a.txt", "--out", "a.npy"]),
        ("torch.nn", ["embed", "a.txt", "--out", "a.npy"]),
    ],
)
def test_ctrl_c_while_something_is_imported_is_one_line(
    module: str, verb: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a red fox")

    done = python(PRESSED, module, *verb, cwd=tmp_path)

    assert done.stderr == LINE + "\n"
    assert done.stdout == ""
    assert done.returncode == 130


def test_what_comes_before_ctrl_c_is_minded_loads_nothing_else(tmp_path: Path) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {os.fspath(CHECKOUT)!r}); before = set(sys.modules)\n"
        "import unisearch.cli.interrupt\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == [
        "__future__", "unisearch", "unisearch.cli", "unisearch.cli.interrupt"
    ]  # fmt: skip


def test_ctrl_c_inside_a_destructor_is_not_lost(tmp_path: Path) -> None:
    code = (
        "import signal\n"
        "from unisearch.cli import interrupt\n"
        "class Pressed:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "interrupt.install()\n"
        "Pressed()\n"
        "print('went on')"
    )

    done = python(code, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE + "\n")


def test_an_error_in_a_destructor_is_told_as_ever(tmp_path: Path) -> None:
    code = (
        "from unisearch.cli import interrupt\n"
        "class Broken:\n"
        "    def __del__(self): raise ValueError('broken')\n"
        "interrupt.install()\n"
        "Broken()\n"
        "print('went on')"
    )

    done = python(code, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert "ValueError: broken" in done.stderr


def test_ctrl_c_after_the_last_word_changes_nothing(tmp_path: Path) -> None:
    code = (
        "import atexit, runpy, signal, sys\n"
        "atexit.register(signal.raise_signal, signal.SIGINT)\n"
        "runpy.run_module('unisearch', run_name='__main__', alter_sys=True)"
    )

    done = python(code, "--version", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
