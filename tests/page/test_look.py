"""What the page asks of the service, without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexer import Indexer
from tests.indexer.conftest import picture, text
from unisearch.api.page import look
from unisearch.api.page.question import Question
from unisearch.api.page.status import Watch
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.engine import inspect


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    text(tmp_path / "media" / "one.txt", "A lighthouse stands on a rock")
    text(tmp_path / "media" / "two.TXT", "Another lighthouse on another rock")
    picture(tmp_path / "media" / "three.png", 1)
    settings = Settings(library=tmp_path / "library", space="toy")
    Indexer(settings=settings).run([tmp_path / "media"])
    with closing(Service(settings)) as service:
        yield service


def test_a_hit_that_is_dropped_while_it_is_looked_up_is_left_out(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, gone = look.ask, tmp_path / "media" / "one.txt"

    def drop_after(*asked: object) -> object:
        told = ask(*asked)  # type: ignore[arg-type]
        Indexer(settings=service.settings).forget(gone)
        return told

    monkeypatch.setattr(look, "ask", drop_after)
    question = Question(into={"text"})
    question.set_words("lighthouse")

    found, _ = asyncio.run(look.answer(service, question))

    assert [one.name for one in found] == ["two.TXT"]


def test_the_endings_that_may_be_chosen_are_those_of_the_library(service: Service) -> None:
    assert look.endings(service) == ["png", "txt"]


def test_a_library_is_not_counted_again_for_every_look_at_the_page(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def slow(rooms: object) -> dict[str, int]:
        looks.append(rooms)
        return {"bytes": len(looks)}

    monkeypatch.setattr(inspect, "status", slow)
    watch = Watch(clock=iter([0.0, 2.0, 21.9, 22.0, 22.0, 22.0, 22.0]).__next__)

    seen = [watch.seen(service)[0]["bytes"] for _ in range(4)]

    assert seen == [1, 1, 2, 3]  # rested 20 s after 2 s of looking; after no time not at all
