"""Standard streams that the caller has closed: results are missed in one line, the rest works."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import Ready

CLOSED = "unisearch: stdout: cannot be written: bad file descriptor\n"


def shell(line: str, library: Path) -> subprocess.CompletedProcess[str]:
    """`unisearch LINE` as a shell runs it, with its redirections."""
    environment = {
        **os.environ, "UNISEARCH_SPACE": "toy", "UNISEARCH_LIBRARY": os.fspath(library),
    }  # fmt: skip
    command = f"{shlex.quote(sys.executable)} -m unisearch {line}"
    return subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["search dog", "search dog --paths", "search dog --json", "status", "--version"]
)
def test_results_for_a_closed_stdout_are_one_line_and_code_1(line: str, ready: Ready) -> None:
    done = shell(f"{line} >&-", ready.library)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", CLOSED)


def test_what_was_done_before_the_results_stays_done(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a red fox")
    library = tmp_path / "library"

    blind = shell(f"index {shlex.quote(str(tmp_path / 'a.txt'))} >&-", library)
    silent = shell("tag item:1 +seen >&-", library)
    found = shell("search fox --paths", library)

    assert (blind.returncode, blind.stderr) == (1, CLOSED)
    assert (silent.returncode, silent.stderr) == (0, "1 item changed\n")
    assert found.stdout == f"{tmp_path / 'a.txt'}\n"


def test_without_stderr_results_and_codes_are_the_same(ready: Ready) -> None:
    good = shell("search dog --paths -k 1 2>&-", ready.library)
    bad = shell("search nowhere.jpg 2>&-", ready.library)
    none = shell("status <&- >&- 2>&-", ready.library)

    assert (good.returncode, good.stdout.count("\n")) == (0, 1)
    assert [(done.returncode, done.stdout, done.stderr) for done in (bad, none)] == [
        (1, "", "")
    ] * 2


def test_a_list_from_a_closed_stdin_is_one_line(tmp_path: Path) -> None:
    done = shell(f"embed --files-from - --out {shlex.quote(str(tmp_path / 'x.npy'))} <&-", tmp_path)

    assert (done.returncode, done.stderr) == (1, "unisearch: -: Bad file descriptor\n")
