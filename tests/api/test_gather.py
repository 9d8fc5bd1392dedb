"""Questions of several clients at the same time, answered together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from tests.api.live import PATIENCE_S, serving
from tests.coroutines import finished
from unisearch.api.gather import MOST, Gather, goes_along
from unisearch.config import Settings
from unisearch.engine.answer import Answer
from unisearch.engine.engine import Engine
from unisearch.engine.questions import Question
from unisearch.engine.terms import Term, Vector
from unisearch.errors import UsageError
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms

FIRST = Question([Term("the first one")])
WORDS = [Question([Term(f"lighthouse {number}")]) for number in range(5)]


class Held:
    """An engine's ask_many, which begins with the first question and waits to be let go."""

    def __init__(self, engine: Engine) -> None:
        self.turns: list[int] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._engine = engine

    def ask_many(self, questions: Sequence[Question]) -> list[Answer]:
        self.turns.append(len(questions))
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        return self._engine.ask_many(questions)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine(open_rooms(settings)) as engine:
        engine.ask(FIRST.terms)
        yield engine


@contextmanager
def gathering(engine: Engine) -> Iterator[tuple[Gather, Held]]:
    held = Held(engine)
    gather = Gather(held.ask_many)
    try:
        yield gather, held
    finally:
        held.go_on.set()
        gather.close()


async def waiting(gather: Gather, held: Held, questions: Sequence[Question]) -> list[Any]:
    """Tasks of these questions, which wait while the first one is being answered."""
    tasks = [asyncio.create_task(gather.answered(FIRST))]
    assert await asyncio.to_thread(held.begun.wait, PATIENCE_S)
    tasks += [asyncio.create_task(gather.answered(question)) for question in questions]
    await asyncio.sleep(0)  # each begins, and puts its question
    return tasks


def test_those_that_wait_pass_the_network_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    encode = ToySpace.encode

    def encoding(self: ToySpace, samples: Any) -> Any:
        passes.append(len(samples))
        return encode(self, samples)

    monkeypatch.setattr(ToySpace, "encode", encoding)

    async def ask(gather: Gather, held: Held) -> list[Answer]:
        tasks = await waiting(gather, held, WORDS)
        held.go_on.set()
        return list(await asyncio.gather(*tasks))

    with gathering(engine) as (gather, held):
        together = finished(ask(gather, held))

    assert held.turns == [1, len(WORDS)]
    assert passes == [1, len(WORDS)]
    for question, answer in zip([FIRST, *WORDS], together, strict=True):
        alone = engine.ask(question.terms)
        assert (answer.query, answer.hits) == (alone.query, alone.hits)


def test_one_that_comes_alone_waits_for_nobody(engine: Engine) -> None:
    with gathering(engine) as (gather, held):
        held.go_on.set()

        answers = [gather.ask(question) for question in WORDS]

    assert held.turns == [1] * len(WORDS)
    assert all(answer.hits for answer in answers)


def test_a_question_without_meaning_spoils_no_other(engine: Engine) -> None:
    bad = Question([Term("dog", -1.0)])

    async def ask(gather: Gather, held: Held) -> list[Any]:
        tasks = await waiting(gather, held, [WORDS[0], bad, WORDS[1]])
        held.go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with gathering(engine) as (gather, held):
        _, one, error, other = finished(ask(gather, held))

    assert isinstance(error, UsageError)
    assert one.hits == engine.ask(WORDS[0].terms).hits
    assert other.hits == engine.ask(WORDS[1].terms).hits


def test_a_question_that_was_given_up_is_not_answered(engine: Engine) -> None:
    async def ask(gather: Gather, held: Held) -> list[Any]:
        tasks = await waiting(gather, held, WORDS)
        tasks[2].cancel()
        await asyncio.wait([tasks[2]])
        held.go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with gathering(engine) as (gather, held):
        found = finished(ask(gather, held))

    assert held.turns == [1, len(WORDS) - 1]
    assert [isinstance(one, asyncio.CancelledError) for one in found] == [
        place == 2 for place in range(len(WORDS) + 1)
    ]


def test_a_question_that_is_given_up_while_it_is_answered_spoils_no_other(engine: Engine) -> None:
    async def ask(gather: Gather, held: Held) -> Answer:
        tasks = await waiting(gather, held, WORDS[:1])
        tasks[0].cancel()
        await asyncio.wait([tasks[0]])
        held.go_on.set()
        answer: Answer = await tasks[1]
        return answer

    with gathering(engine) as (gather, held):
        assert finished(ask(gather, held)).hits

    assert held.turns == [1, 1]


def test_more_than_a_turn_takes_go_in_several(engine: Engine) -> None:
    async def ask(gather: Gather, held: Held) -> None:
        tasks = await waiting(gather, held, [WORDS[0]] * (MOST + 3))
        held.go_on.set()
        await asyncio.gather(*tasks)

    with gathering(engine) as (gather, held):
        finished(ask(gather, held))

    assert held.turns == [1, MOST, 3]


def test_what_waits_at_the_end_is_told_so(engine: Engine) -> None:
    held = Held(engine)
    gather = Gather(held.ask_many)

    async def ask() -> list[Any]:
        tasks = await waiting(gather, held, WORDS[:1])
        closing = asyncio.create_task(asyncio.to_thread(gather.close))
        while not gather.ends:
            await asyncio.sleep(0)
        held.go_on.set()
        await closing
        return await asyncio.gather(*tasks, gather.answered(WORDS[1]), return_exceptions=True)

    first, second, third = finished(ask())

    assert first.hits
    for error in (second, third):
        assert isinstance(error, HTTPException)
        assert error.status_code == 503


def test_what_takes_long_goes_its_own_way(engine: Engine) -> None:
    with gathering(engine) as (gather, held), ThreadPoolExecutor(1) as pool:
        first = pool.submit(gather.ask, FIRST)
        assert held.begun.wait(PATIENCE_S)
        held.go_on.set()
        assert gather.ask(Question(FIRST.terms, where="size > 0")).hits
        assert first.result(PATIENCE_S).hits

    assert held.turns == [1, 1]


def test_files_filters_and_factors_are_not_shared() -> None:
    vector = Term(Vector([1.0], "image"))
    assert goes_along(Question([Term("dog"), Term(7), vector], into=["image"], k=3))
    assert not goes_along(Question([Term("dog"), Term(Path("dog.png"))]))
    assert not goes_along(Question([Term(b"content")]))
    assert not goes_along(Question([Term("dog")], where="size > 0"))
    assert not goes_along(Question([Term("dog")], under=Path("photos")))
    assert not goes_along(Question([Term("dog")], factors={"high": 0.5}))
    assert not goes_along(Question([Term("dog")], factors="versatile"))


def test_clients_at_the_same_time_get_their_own_answers(settings: Settings) -> None:
    server = settings.server.model_copy(update={"requests_per_minute": 0})
    with (
        serving(settings.model_copy(update={"server": server})) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client,
    ):

        def hits(number: int) -> Any:
            question = {"terms": [{"text": f"lighthouse {number % 7}"}], "k": 1 + number % 3}
            answer = client.post("/v1/search", json=question)
            assert answer.status_code == 200, answer.text
            return answer.json()["query"], answer.json()["hits"]

        alone = {number: hits(number) for number in range(21)}
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(hits, range(84)))

    assert [told == alone[number % 21] for number, told in enumerate(together)] == [True] * 84
