"""Questions over HTTP, and their answers."""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from unisearch.api import content
from unisearch.api import items as api_items
from unisearch.config import Settings


def test_words_find_the_text_that_holds_them(client: TestClient, media: Path) -> None:
    question = {"terms": [{"text": "lighthouse"}], "into": ["text"]}

    answer = client.post("/v1/search", json=question)

    assert answer.status_code == 200
    [hit] = answer.json()["hits"]
    assert hit["path"] == str(media / "note.txt")
    assert hit["matched"] in ("name", "both")


def test_an_uploaded_file_finds_itself(client: TestClient, media: Path) -> None:
    content = (media / "photos" / "beach.png").read_bytes()

    answer = client.post("/v1/search/files", files={"files": ("../../x.png", content)})

    assert answer.status_code == 200, answer.text
    first = answer.json()["hits"][0]
    assert first["path"] == str(media / "photos" / "beach.png")
    assert first["similarity"] > 0.999
    assert answer.json()["query"][0]["term"] == "file:0"


def test_a_term_weighs_an_upload_by_its_place(client: TestClient, media: Path) -> None:
    question = {"terms": [{"file": 0, "weight": 2.0}, {"text": "rock", "weight": -1}]}
    content = (media / "rock.obj").read_bytes()

    answer = client.post(
        "/v1/search/files",
        files={"files": ("rock.obj", content)},
        data={"question": json.dumps(question)},
    )

    assert [term["weight"] for term in answer.json()["query"]] == [2.0, -1.0]


def test_pages_follow_each_other(client: TestClient) -> None:
    question = {"terms": [{"text": "lighthouse"}], "k": 2}

    first = client.post("/v1/search", json=question).json()
    rest = client.post("/v1/search", json=question | {"offset": first["next_offset"]}).json()

    assert [hit["rank"] for hit in first["hits"] + rest["hits"]] == [1, 2, 3, 4]
    assert sum(first["counts"].values()) == 2


def test_a_question_without_terms_is_a_problem(client: TestClient) -> None:
    answer = client.post("/v1/search", json={"terms": []})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("nothing to search for")


def test_the_range_of_a_file_is_served_as_it_was_asked_for(client: TestClient, media: Path) -> None:
    items = client.get("/v1/items").json()["items"]
    sound = next(item for item in items if item["path"].endswith("waves.wav"))

    part = client.get(f"/v1/items/{sound['item']}/content", headers={"Range": "bytes=4-11"})

    assert part.status_code == 206
    assert part.content == (media / "sounds" / "waves.wav").read_bytes()[4:12]
    assert part.headers["content-type"] in ("audio/x-wav", "audio/wav")
    assert part.headers["x-content-type-options"] == "nosniff"


def test_a_batch_is_answered_as_its_questions_are_alone(client: TestClient) -> None:
    items = [item["item"] for item in client.get("/v1/items").json()["items"]]
    questions: list[dict[str, Any]] = [
        {"terms": [{"text": "lighthouse"}]},
        {"terms": [{"text": "lighthouse"}], "into": ["text"], "k": 1},
        {"terms": [{"text": "lighthouse"}], "where": "size > 100"},
        {"terms": [{"text": "rock"}, {"text": "waves", "weight": -0.5}]},
        {"terms": [{"item": items[0]}], "names": False},
    ]

    batch = client.post("/v1/search/batch", json={"questions": questions})

    assert batch.status_code == 200, batch.text
    alone = [client.post("/v1/search", json=question).json() for question in questions]
    for one, other in zip(batch.json()["answers"], alone, strict=True):
        del one["took_ms"], other["took_ms"]
        assert one == other


def test_a_batch_with_a_question_without_meaning_is_a_problem(client: TestClient) -> None:
    good = {"terms": [{"text": "lighthouse"}]}

    assert client.post("/v1/search/batch", json={"questions": []}).status_code == 422
    assert client.post("/v1/search/batch", json={"questions": [good] * 65}).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({}, 400, "questions.1: nothing to search for"),
        ({"terms": [{"item": 99}]}, 400, "questions.1: item:99: the library has no such item"),
        ({"terms": [{"file": 0}]}, 400, "questions.1: file 0: 0 came along"),
        ({"root": 99}, 404, "questions.1: root 99: the library has no such folder"),
        ({"terms": [{"text": ""}]}, 422, "body.questions.1.terms.0.text: "),
        ({"where": "sise<1"}, 400, "questions.1: filter, character 1: unknown field 'sise'"),
        ({"factors": "strong"}, 400, "questions.1: unknown preset of factors"),
        ({"factors": "versatile"}, 400, "questions.1: questions that are asked together"),
    ],
)
def test_the_problem_of_a_batch_says_which_question_is_wrong(
    client: TestClient, wrong: dict[str, Any], status: int, said: str
) -> None:
    good = {"terms": [{"text": "lighthouse"}]}
    wrong = {**good, **wrong} if wrong else {}

    answer = client.post("/v1/search/batch", json={"questions": [good, wrong]})

    assert answer.status_code == status
    assert answer.json()["detail"].startswith(said)


@pytest.mark.parametrize(
    ("path", "options", "status", "said"),
    [
        ("/v1/search", {"content": b'{"terms": []}'}, 422, "Content-Type: application/json"),
        ("/v1/search", {"json": {"terms": [{"text": " \n"}]}}, 422, "terms.0.text"),
        ("/v1/search", {"json": {"terms": [{"file": 0}]}}, 400, "/v1/search/files"),
        ("/v1/search/files", {"files": {"files": ("a", b"\0\1\2 what")}}, 415, "no format"),
        ("/v1/search/files", {"files": {"files": ("a", b"")}}, 422, "empty"),
        ("/v1/searching", {}, 404, "/v1/openapi.json"),
        ("/v1", {}, 404, "/v1/openapi.json"),
        ("/v1/search/", {}, 404, "/v1/openapi.json"),
        ("/v1/status", {}, 405, "POST is not answered here"),
    ],
)
def test_a_problem_says_what_to_send_instead(
    client: TestClient, path: str, options: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post(path, **options)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


def test_the_numbers_of_a_route_bear_its_whole_name(client: TestClient) -> None:
    client.get("/v1/items/1")

    assert 'unisearch_requests_total{route="/v1/items/{item}",status="200"}' in (
        client.get("/metrics").text
    )


def test_a_client_that_goes_before_the_first_byte_leaves_no_file_open(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    item = client.get("/v1/items").json()["items"][0]["item"]
    opened, closed = [], []
    open_below, close = content.open_below, os.close

    def opening(root: bytes, path: bytes) -> int:
        opened.append(open_below(root, path))
        return opened[-1]

    def closing(handle: int) -> None:
        closed.append(handle)
        close(handle)

    async def gone(_: Any) -> None:
        raise OSError("the client is gone")

    monkeypatch.setattr(content, "open_below", opening)
    response = content.content(service.item(item), None)
    monkeypatch.setattr(os, "close", closing)
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}

    with ThreadPoolExecutor(1) as threads, pytest.raises(ClientDisconnect):
        threads.submit(asyncio.run, response(scope, gone, gone)).result(60)  # type: ignore[arg-type]

    assert closed.count(*opened) == 1


def test_a_preview_that_is_removed_while_it_is_asked_for_is_there_or_not(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = client.get("/v1/items").json()["items"]
    sound = next(item["item"] for item in items if item["path"].endswith("waves.wav"))
    [there] = [one for one in settings.library.rglob("*.webp") if one.stat().st_size][:1]

    class Removes(dict[str, str]):
        """The indexer removes all previews at the moment at which their type is looked up."""

        def __getitem__(self, kind: str) -> str:
            for path in kept:
                path.unlink(missing_ok=True)
            return super().__getitem__(kind)

    kept = {path: path.read_bytes() for path in there.parent.parent.rglob("*.webp")}
    monkeypatch.setattr(api_items, "PREVIEW_TYPES", Removes(api_items.PREVIEW_TYPES))
    answers = [client.get(f"/v1/items/{sound}/preview") for _ in range(2)]
    for path, data in kept.items():
        path.write_bytes(data)

    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[0].content in kept.values()
