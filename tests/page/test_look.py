"""What the page asks of the service, without a browser."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from indexer import Indexer
from tests.coroutines import finished
from tests.indexer.conftest import picture, text
from tests.mixed import Mixed, blend, built, make_mixed, mixed
from unisearch.api.page import look
from unisearch.api.page.cards import Found
from unisearch.api.page.home import Home, outcome
from unisearch.api.page.question import Part, Question
from unisearch.api.page.status import Watch, seen
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.engine import inspect
from unisearch.errors import LibraryError

__all__ = ["blend", "built", "make_mixed", "mixed"]


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

    answer = finished(look.answer(service, question))

    assert [one.name for one in answer.found] == ["two.TXT"]


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


def test_a_library_that_is_away_for_a_while_is_one_line_of_the_status(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, there = Watch(), inspect.status

    def away(_: object) -> None:
        raise LibraryError("/media/disk: not there now")

    monkeypatch.setattr(inspect, "status", away)
    said = seen(watch, service)
    monkeypatch.setattr(inspect, "status", there)
    again = seen(watch, service)

    assert said == "/media/disk: not there now"
    assert isinstance(again, tuple)
    assert again[0]["modalities"]["text"]["items"] == 2


def test_experts_are_offered_where_a_space_has_some_and_count_once(
    mixed: Mixed,
) -> None:
    question = Question(into={"audio"})
    question.set_words("a dog")

    with closing(Service(mixed.settings)) as of_experts:
        offered = look.factors(of_experts)
        scores = {}
        for factors in (None, *offered):
            question.factors = factors
            answer = finished(look.answer(of_experts, question))
            scores[factors] = {one.name: one.hit["similarity"] for one in answer.found}
            assert answer.approximate == []
        by_expert = of_experts.engine.search("a dog", into="audio", factors="at_expertise")

    assert [*offered] == ["versatile", "at_expertise", "audio=0,text=0", "audio=1,text=1"]
    assert scores[None] == pytest.approx(scores["versatile"], abs=1e-3)  # as it is stored
    assert scores["at_expertise"] == pytest.approx(
        {Path(os.fsdecode(hit.path)).name: hit.similarity for hit in by_expert}, abs=1e-3
    )
    for other in ("at_expertise", "audio=1,text=1"):
        assert scores[other] != pytest.approx(scores[None], abs=1e-3)


def test_more_of_a_question_is_not_shown_among_the_answers_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[list[Found]] = []
    page = Home.__new__(Home)
    page.service, page.question = cast(Any, None), Question()
    page.found, page.asked = [], 1
    page.show = lambda found, line: shown.append(found)  # type: ignore[method-assign, misc, assignment]
    old = Found({"modality": "text"}, {})

    async def answer(*_: object) -> look.Answered:
        page.asked += len(shown)  # the second time something else is asked meanwhile
        return look.Answered([old], False, [])

    monkeypatch.setattr(look, "answer", answer)
    for _ in range(2):
        finished(page.more("text"))

    assert shown == [[old]]


def test_the_outcome_says_what_fits_and_what_may_be_missing() -> None:
    weak, fits = (Found({"weak": weak}, {}) for weak in (True, False))

    assert outcome(look.Answered([], True, [])) == ""
    assert outcome(look.Answered([fits, weak], False, [])) == "1 match"
    assert outcome(look.Answered([weak], True, [])).startswith("Nothing fits.")
    missing = outcome(look.Answered([fits, fits], False, ["audio", "text"]))
    assert missing == "2 matches (some may be missing of: Sounds, Texts)"


def test_the_endings_that_may_be_chosen_are_those_of_the_library(service: Service) -> None:
    assert look.endings(service) == ["png", "txt"]
    assert look.factors(service) == {}  # it has no space of experts


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
