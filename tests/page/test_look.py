"""What the page asks of the service, without a browser."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer import Indexer
from tests.coroutines import finished
from tests.indexer.conftest import picture, text
from unisearch.api.page import look
from unisearch.api.page.home import Home
from unisearch.api.page.question import Part, Question
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

    found, _ = finished(look.answer(service, question))

    assert [one.name for one in found] == ["two.TXT"]


class Given:
    """A file that is being sent; it is stored when all others were begun, too."""

    def __init__(self, content: bytes) -> None:
        self.name, self._content = "same.png", content

    async def save(self, path: Path) -> None:
        await asyncio.sleep(0)
        path.write_bytes(self._content)


def test_files_that_are_given_at_the_same_time_are_two(tmp_path: Path) -> None:
    parts: list[Part] = []

    async def put(part: Part) -> None:
        parts.append(part)

    page = Home.__new__(Home)
    page.folder = SimpleNamespace(name=str(tmp_path))  # type: ignore[assignment]
    page.numbers = itertools.count()
    page.upload = SimpleNamespace(reset=lambda: None)  # type: ignore[assignment]
    page.put = put  # type: ignore[method-assign]

    async def both() -> None:
        given: list[Any] = [SimpleNamespace(file=Given(one)) for one in (b"a", b"b")]
        await asyncio.gather(*map(page.on_file, given))

    finished(both())

    assert sorted(Path(str(part.value)).read_bytes() for part in parts) == [b"a", b"b"]


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
