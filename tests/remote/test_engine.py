"""A server's library answers as the same library in process does."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import unisearch
from unisearch import Question, Term, Vector
from unisearch.engine.answer import hit_json
from unisearch.engine.engine import Engine
from unisearch.errors import (
    LibraryError,
    ServerError,
    UnisearchError,
    UnknownName,
    Unreadable,
    UsageError,
)
from unisearch.remote.engine import AsyncMedia, RemoteEngine
from unisearch.remote.flows import PAGE
from unisearch.remote.reply import check

PIXELS = np.random.default_rng(1).integers(0, 255, (9, 12, 3), np.uint8)
CLOUD = np.random.default_rng(2).random((500, 3), np.float32)
COLORED = np.concatenate([CLOUD, np.round(CLOUD * 255) / 255], axis=1)
SOUND = np.sin(np.arange(16_000, dtype=np.float32) / 20)

PIXELS_TERM = (PIXELS, "image")
TERMS: dict[str, Callable[[Path], Any]] = {
    "words": lambda media: "lighthouse",
    "a path": lambda media: media / "photos" / "beach.png",
    "bytes": lambda media: (media / "sounds" / "waves.wav").read_bytes(),
    "a model": lambda media: media / "rock.obj",
    "an item": lambda media: 1,
    "a picture": lambda media: Image.fromarray(PIXELS),
    "a clear picture": lambda media: Image.new("RGBA", (20, 20), (200, 0, 0, 100)),
    "pixels": lambda media: (PIXELS, "image"),
    "sound": lambda media: (SOUND, "audio", 16_000),
    "points": lambda media: (CLOUD, "3d"),
    "coloured points": lambda media: (COLORED, "3d"),
    "a weighted file": lambda media: Term(media / "photos" / "beach.png", 2.5),
}


def told(hits: Any) -> list[dict[str, Any]]:
    """The hits as they are printed."""
    return [hit_json(hit) for hit in hits]


@pytest.mark.parametrize("name", TERMS)
def test_a_term_finds_what_it_finds_in_process(
    name: str, remote: RemoteEngine, local: Engine, media: Path
) -> None:
    term = TERMS[name](media)

    there, here = remote.search(term, k=4), local.search(term, k=4)

    assert here
    assert told(there) == told(here)


def test_terms_are_mixed_and_the_rest_of_the_question_counts(
    remote: RemoteEngine, local: Engine, media: Path
) -> None:
    terms = ("lighthouse", Term(media / "rock.obj", 0.5), PIXELS_TERM)
    options: dict[str, Any] = {
        "minus": [media / "sounds" / "waves.wav", "noise"],
        "into": "text,audio", "each": True, "k": 2, "where": "size<1MB", "names": False,
        "min_score": -50,
    }  # fmt: skip

    assert told(remote.search(*terms, **options)) == told(local.search(*terms, **options))


def test_a_vector_is_a_term(remote: RemoteEngine, local: Engine, media: Path) -> None:
    space = local.rooms.space
    values = np.zeros(space.dim, np.float32)
    values[3] = 1

    there = remote.search(Vector(values, "image"))

    assert told(there) == told(local.search(Vector(values, "image")))


QUESTIONS = [
    Question([Term("lighthouse")], k=2),
    Question([Term(1, 2.0), Term("noise", -0.5)], into=["text", "audio"], names=False),
    Question([Term("rock")], where="size<1MB", each=True, k=1, min_score=-50),
]


def test_several_questions_are_answered_together_as_in_process(
    remote: RemoteEngine, local: Engine, address: str
) -> None:
    async def ask() -> Any:
        async with unisearch.aconnect(address) as engine:
            return await engine.ask_many(QUESTIONS)

    there, here = remote.ask_many(QUESTIONS), local.ask_many(QUESTIONS)
    with ThreadPoolExecutor(1) as threads:
        waited = threads.submit(asyncio.run, ask()).result(60)

    assert [told(answer.hits) for answer in there] == [told(answer.hits) for answer in here]
    assert [answer.query for answer in there] == [answer.query for answer in here]
    assert [told(answer.hits) for answer in waited] == [told(answer.hits) for answer in there]


@pytest.mark.parametrize(
    "wrong",
    [Question([Term("dog", -1.0)]), Question([Term(99)]), Question([Term("a")], where="sise<1")],
)
def test_of_several_questions_the_error_names_the_wrong_one_as_in_process(
    wrong: Question, remote: RemoteEngine, local: Engine
) -> None:
    with pytest.raises(UnisearchError) as there:
        remote.ask_many([QUESTIONS[0], wrong])
    with pytest.raises(UnisearchError) as here:
        local.ask_many([QUESTIONS[0], wrong])

    assert (there.value.question, str(there.value)) == (1, str(here.value))
    assert str(there.value).startswith("questions.1: ")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Question([Term(b"content")]), "questions.1: several questions at a time hold no files"),
        (Question([Term("a")], under="/x"), "questions.1: several questions at a time name no"),
        (Question([Term("a")], into=["smell"]), "questions.1: unknown modality 'smell'"),
        (Question([Term("a")], k=201), "body.questions.1.k: "),
    ],
)
def test_what_several_questions_at_a_time_cannot_hold_is_told(
    wrong: Question, said: str, remote: RemoteEngine
) -> None:
    with pytest.raises(UsageError) as told:
        remote.ask_many([QUESTIONS[0], wrong])

    assert str(told.value).startswith(said)


def test_the_answer_names_terms_as_they_were_given(
    remote: RemoteEngine, local: Engine, media: Path
) -> None:
    terms = [Term(media / "rock.obj"), Term("lighthouse", -0.5), Term(1)]

    there, here = remote.ask(terms), local.ask(terms)

    assert there.query == here.query
    assert there.no_match == here.no_match
    assert set(there.took_ms) == set(here.took_ms)


def test_the_twin_for_asyncio_answers_the_same(
    address: str, remote: RemoteEngine, media: Path
) -> None:
    async def ask() -> Any:
        async with unisearch.aconnect(address) as engine:
            both = await asyncio.gather(
                engine.search("lighthouse", k=3), engine.search(media / "rock.obj", minus="noise")
            )
            return [*both, await engine.similar(1, k=2), (await engine.status())["ready"]]

    # In a thread: tests of the page leave an event loop running in this one.
    with ThreadPoolExecutor(1) as threads:
        words, file, similar, ready = threads.submit(asyncio.run, ask()).result(120)

    assert told(words) == told(remote.search("lighthouse", k=3))
    assert told(file) == told(remote.search(media / "rock.obj", minus="noise"))
    assert told(similar) == told(remote.similar(1, k=2))
    assert ready in (True, False)
    assert "<figure" in words._repr_html_()


def test_hits_of_the_twin_that_show_themselves_leave_no_line_open(
    address: str, remote: RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    [hit] = remote.search("lighthouse", k=1)
    made: list[httpx.Client] = []

    class Client(httpx.Client):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr(httpx, "Client", Client)
    media = AsyncMedia(address, None)

    media.picture(hit)

    assert [one.is_closed for one in made] == [True]
    assert media.sound(hit, most_bytes=0) is None


def test_items_come_with_their_bytes(remote: RemoteEngine, media: Path) -> None:
    [hit, *_] = remote.search(media / "photos" / "beach.png", into="image")

    assert remote.item(hit.item)["path"] == str(media / "photos" / "beach.png")
    assert remote.content(hit.item) == (media / "photos" / "beach.png").read_bytes()
    picture = remote.preview(hit.item)
    assert picture is not None
    assert picture[8:12] == b"WEBP"
    assert remote.preview(hit.item, "turn") is None


def test_more_than_a_page_is_fetched_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        start, end = asked["offset"], asked["offset"] + asked["k"]
        rows = [
            {"rank": n + 1, "item": n + 1, "path": f"/{n}", "modality": "text", "score": 1.0,
             "similarity": 1.0, "weak": False, "expected_by_chance": 0.0, "matched": "vector",
             "copies": 0, "segment": None, "space": "toy-1"}
            for n in range(start, min(end, 450))
        ]  # fmt: skip
        query = [{"modality": "text", "term": "a", "weight": 1.0, "space": "toy-1"}]
        following = end if end <= 450 else None
        return httpx.Response(200, json={"query": query, "hits": rows, "took_ms": {"total": 1.5},
                                         "next_offset": following})  # fmt: skip

    engine = unisearch.connect("http://here")
    engine._client = httpx.Client(base_url="http://here", transport=httpx.MockTransport(answer))

    found = engine.ask(["a"], k=430)

    assert [hit.rank for hit in found.hits] == list(range(1, 431))
    assert found.took_ms == {"total": 1.5 * -(-430 // PAGE)}


@pytest.mark.parametrize(
    ("error", "said", "question"),
    [
        (UsageError, "nothing to search for", {"terms": []}),
        (UsageError, "unknown field", {"terms": ["a"], "where": "sise<3"}),
        (UnknownName, "'images'; did you mean 'image'", {"terms": ["a"], "into": "images"}),
        (UsageError, "at least 1", {"terms": ["a"], "k": 0}),
        (UsageError, "at most 1200", {"terms": ["a"], "k": 2_000}),
        (UnisearchError, "no such item", {"terms": [999_999]}),
        (Unreadable, "3 bytes: unsupported: of no format", {"terms": [b"\0\1\2"]}),
        (UsageError, "is no term", {"terms": [object()]}),
        (UsageError, "an empty term", {"terms": [" "]}),
    ],
)  # fmt: skip
def test_a_mistake_is_the_error_that_it_is_in_process(
    error: type[Exception], said: str, question: dict[str, Any], remote: RemoteEngine
) -> None:
    with pytest.raises(error, match=said) as raised:
        remote.ask(**question)

    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    remote: RemoteEngine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing more")

    with pytest.raises(Unreadable) as raised:
        remote.search(broken)

    assert raised.value.path == str(broken)
    assert raised.value.kind == "corrupt"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_opened_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    kept = tmp_path / "kept.png"
    kept.write_bytes(b"x")
    kept.chmod(0)

    with pytest.raises(Unreadable, match="permission"):
        unisearch.connect("http://127.0.0.1:1").search(kept)


def test_a_server_that_is_not_there_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ServerError, match="unisearch serve"):
            unisearch.connect(url).search("a")


def test_an_engine_that_was_closed_says_so(address: str) -> None:
    engine = unisearch.connect(address)
    engine.close()

    with pytest.raises(ServerError, match="closed"):
        engine.search("a")


@pytest.mark.parametrize("url", ["", "localhost:8765", "ftp://here", "http://", "http://a:b:c"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="address"):
        unisearch.connect(url)


@pytest.mark.parametrize("token", ["", "a\nb", "ü"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        unisearch.connect("http://here", token)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, ServerError, "give connect"),
        (429, ServerError, "http://here: too many"),
        (503, LibraryError, "too many"),
        (500, ServerError, "too many"),
    ],
)
def test_a_refusal_says_who_refuses(status: int, error: type[Exception], said: str) -> None:
    response = httpx.Response(
        status, json={"detail": "too many requests"}, request=httpx.Request("GET", "http://here/v1"),
        headers={"content-type": "application/problem+json"},
    )  # fmt: skip

    with pytest.raises(error, match=said):
        check(response)


def test_a_token_goes_along_with_every_question() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200, json={"ready": True})

    engine = unisearch.connect("http://here/v1/", "secret")
    engine._client._transport = httpx.MockTransport(answer)

    assert engine.status() == {"ready": True}
    assert seen == ["Bearer secret"]


def test_connecting_loads_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, unisearch; unisearch.connect('http://127.0.0.1:8765');"
        "print(sorted({'torch', 'numpy', 'sqlalchemy', 'PIL'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout == "[]\n"
