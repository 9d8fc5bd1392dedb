"""The page of a library whose vectors are mixed of two parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mixed import Mixed, blend, built, make_mixed, mixed
from tests.page.conftest import serving
from tests.page.test_pages import grave

__all__ = ["blend", "built", "make_mixed", "mixed"]

#: The command, which knows the space of tests/blend.py.
PROGRAM = (
    "import sys; from tests.mixed import ENTRY; from unisearch.spaces.table import SPACES;"
    " from unisearch.cli.main import run; SPACES['blend'] = ENTRY; sys.exit(run(sys.argv[1:]))"
)


SCORES = "[...document.querySelectorAll('.score')].map(one => one.innerText).join()"


@pytest.fixture
def experts(mixed: Mixed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of such a library."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    with serving(mixed.path, tmp_path, program=("-c", PROGRAM), space="blend") as address:
        yield address


# The server comes before the visit, and so it ends after it: no page asks one that is gone.
def test_a_question_is_asked_by_the_factors_that_were_chosen(
    experts: str, visit: Callable[..., Any]
) -> None:
    page = visit(f"{experts}/?q=a+dog", width=375)
    page.wait_for_selector(".card.kind-audio")
    assert grave(page) == []
    before = page.evaluate(SCORES)

    page.get_by_label("Experts").select_option("experts alone")

    page.wait_for_function(f"before => {SCORES} !== before", arg=before)
    chosen = page.get_by_label("Experts").evaluate("one => one.selectedOptions[0].innerText")
    offered = page.get_by_label("Experts").inner_text()
    cards = page.locator(".card.kind-audio .score").count()
    assert chosen == "experts alone"
    assert re.split(r"\s*\n\s*", offered) == [
        "as stored", "good at everything", "best at sounds", "without experts", "experts alone",
    ]  # fmt: skip
    assert cards == 3


def test_a_library_without_experts_offers_none(visit: Callable[..., Any], address: str) -> None:
    page = visit(address)
    page.wait_for_selector(".empty")

    assert page.get_by_label("Experts").count() == 0
    assert page.get_by_label("Duration").count() == 1
