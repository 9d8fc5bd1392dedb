"""A fresh user's five minutes: the demo, the page, three searches, a folder of one's own, again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.conftest import picture
from tests.page.conftest import WAIT_MS, launched, serving

TIMEOUT_S = 240


@pytest.fixture
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


def call(folder: Path, *arguments: str | Path) -> str:
    """The output of a command that went well."""
    done = subprocess.run(
        [sys.executable, "-m", "unisearch", *arguments], cwd=folder, check=False, timeout=TIMEOUT_S,
        env={**os.environ, "HOME": os.fspath(folder)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(browser: Any, address: str, words: str, kind: str) -> str:
    """The name of the best card of that kind that the page shows for words."""
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.get_by_label("Search words").fill(words)
    page.get_by_role("button", name="Search").click()
    name = str(page.locator(f".card.kind-{kind} .name").first.inner_text())
    page.close()
    return name


def test_a_fresh_user_has_answers_in_five_minutes(tmp_path: Path, browser: Any) -> None:
    told = call(tmp_path, "demo")
    library = tmp_path / "unisearch-demo" / "library"
    assert "A 3D model: which sounds fit it?" in told

    asked = (("a dog barking", "audio"), ("a steam locomotive", "3d"), ("a church", "image"))
    with serving(library, tmp_path) as address:
        before = [found(browser, address, *question) for question in asked]

        mine = picture(tmp_path / "mine" / "holiday in Lisbon.png", seed=1)
        call(tmp_path, "index", "mine", "--library", library)
        new = found(browser, address, "holiday in Lisbon", "image")

    with serving(library, tmp_path) as address:
        after = [found(browser, address, *question) for question in asked]
        again = found(browser, address, "holiday in Lisbon", "image")

    assert after == before
    assert "locomotive" in before[1]
    assert new == again == mine.name
