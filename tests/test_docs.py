"""The documentation says what the code does: written pages, and the README's example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unisearch.cli.main import VERBS
from unisearch.cli.pages import pages

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"


@pytest.mark.parametrize("name", ["commands.md", "settings.md", "errors.md", "unisearch.1"])
def test_a_written_page_is_what_the_code_says_now(name: str) -> None:
    stored = (CHECKOUT / "docs" / name).read_text("utf-8")

    assert stored == pages()[name], "run `make docs`"


def test_the_page_of_commands_has_every_verb() -> None:
    text = pages()["commands.md"]

    for name in VERBS:
        assert f"## unisearch {name}" in text
    assert "`--not TERM`" in text
    assert "## unisearch roots remove" in text


def test_the_manual_page_is_shown_by_man_without_a_warning() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not on this machine")

    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", CHECKOUT / "docs" / "unisearch.1"],
        env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(".\x08", "", done.stdout)
    assert "--no-server" in text
    assert "'duration<5 and not tag:loud'" in " ".join(text.split())
    for name in VERBS:
        assert re.search(rf"^ +{name}\b", text, re.MULTILINE), name


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8"))

    assert links
    for link in links:
        assert (CHECKOUT / link).exists(), link


def test_the_first_example_of_the_readme_runs(tmp_path: Path) -> None:
    [example, *_] = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "dog.txt").write_text("A dog barks at the door.\n")
    (folder / "rain.txt").write_text("Rain falls on the roof.\n")
    environment = {**os.environ, "UNISEARCH_SPACE": "toy"}

    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "dog.txt" in done.stdout
