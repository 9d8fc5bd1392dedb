"""A fresh user's five minutes: the demo, the page, three searches, a folder of one's own, again.

The demo makes fewer things here; tests/test_package.py has it make them all, from the wheel.
"""

from __future__ import annotations

import io
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.conftest import picture
from tests.page.conftest import HEARS, WAIT_MS, serving
from unisearch.cli import main
from unisearch.world import library as world

CONCEPTS = ("helicopter", "dog", "church", "train", "bell", "car")


def found(browser: Any, address: str, words: str, kind: str) -> str:
    """The name of the best card of that kind that the page shows for words."""
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.wait_for_function(HEARS)
    page.get_by_label("Search words").fill(words)
    page.get_by_role("button", name="Search").click()
    name = str(page.locator(f".card.kind-{kind} .name").first.text_content())
    page.close()
    return name


def test_a_fresh_user_has_answers_in_five_minutes(
    tmp_path: Path,
    chromium: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    few = partial(world.make_library, concepts=CONCEPTS)
    monkeypatch.setattr(world, "make_library", few)
    assert main.run(["demo"]) == 0
    library = tmp_path / "unisearch-demo" / "library"
    demo = capfd.readouterr()
    assert "A 3D model: which sounds fit it?" in demo.out

    assert main.run(["demo"]) == 0
    once_more = capfd.readouterr()
    assert once_more.out == demo.out
    assert ("Made" in demo.err, "Made" in once_more.err) == (True, False)
    assert "0 new files" in once_more.err

    asked = (("a dog barking", "audio"), ("a steam locomotive", "3d"), ("a church", "image"))
    with serving(library, tmp_path) as address:
        before = [found(chromium, address, *question) for question in asked]

        mine = picture(tmp_path / "mine" / "holiday in Lisbon.png", seed=1)
        assert main.run(["index", "mine", "--library", str(library)]) == 0
        new = found(chromium, address, "holiday in Lisbon", "image")

    with serving(library, tmp_path) as address:
        after = [found(chromium, address, *question) for question in asked]
        again = found(chromium, address, "holiday in Lisbon", "image")

    assert after == before
    assert any(name in before[1] for name in ("locomotive", "train"))
    assert new == again == mine.name
