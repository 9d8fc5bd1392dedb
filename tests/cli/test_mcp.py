"""Assistants search over pipes, in JSON-RPC."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from indexer import Indexer
from tests.indexer.conftest import picture, text
from unisearch.cli import mcp
from unisearch.cli.tools import LocalTools
from unisearch.config import Settings

TIMEOUT_S = 120


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("assistant")
    text(folder / "media" / "note.txt", "The lighthouse stands on a rock")
    picture(folder / "media" / "beach.png", 1)
    settings = Settings(library=folder / "library", space="toy")
    Indexer(settings=settings).run([folder / "media"])
    return settings


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[mcp.Server]:
    tools = LocalTools(settings)
    yield mcp.Server(tools)
    tools.close()


def request(method: str, number: Any = 1, **params: Any) -> dict[str, Any]:
    """A request of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(server: mcp.Server, name: str, **arguments: Any) -> Any:
    """The result of a tool."""
    asked = request("tools/call", name=name, arguments=arguments)
    answer = server.answer(json.dumps(asked).encode())
    assert answer is not None
    return answer["result"]


def talk(messages: Sequence[Any], *options: str, cwd: Path) -> list[Any]:
    """What `unisearch mcp` answers to messages on a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "unisearch", "mcp", *options],
        input=b"".join(json.dumps(message).encode() + b"\n" for message in messages),
        cwd=cwd, env={**os.environ, "UNISEARCH_SPACE": "toy"}, capture_output=True, check=False,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_conversation_over_pipes(settings: Settings, tmp_path: Path) -> None:
    answers = talk(
        [
            request("initialize", 0, protocolVersion="2024-11-05", capabilities={}),
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            request("tools/list", "list"),
            request("tools/call", 2, name="search", arguments={"query": "lighthouse", "k": 1}),
            request("ping", 3),
        ],
        "--library", str(settings.library), cwd=tmp_path,
    )  # fmt: skip

    assert [answer["id"] for answer in answers] == [0, "list", 2, 3]
    hello, listed, found, pong = (answer["result"] for answer in answers)
    assert hello["protocolVersion"] == "2024-11-05"
    assert hello["serverInfo"]["name"] == "unisearch"
    assert [tool["name"] for tool in listed["tools"]] == ["search", "similar", "status"]
    assert all(tool["inputSchema"]["type"] == "object" for tool in listed["tools"])
    [hit] = found["structuredContent"]["hits"]
    assert hit["path"].endswith("note.txt")
    assert json.loads(found["content"][0]["text"]) == found["structuredContent"]
    assert pong == {}


def test_a_version_that_is_not_known_is_answered_with_ours(server: mcp.Server) -> None:
    answer = server.answer(json.dumps(request("initialize", protocolVersion="1999-01-01")).encode())

    assert answer is not None
    assert answer["result"]["protocolVersion"] == mcp.VERSIONS[0]


def test_what_is_like_an_item_and_what_there_is(server: mcp.Server) -> None:
    status = call(server, "status")["structuredContent"]
    similar = call(server, "similar", item=1, k=5)["structuredContent"]

    assert status["modalities"]["text"]["items"] == 1
    assert [hit["item"] for hit in similar["hits"]] == [2]


def test_a_search_takes_kinds_filters_and_what_should_be_absent(server: mcp.Server) -> None:
    found = call(server, "search", query="beach", without="noise", into=["image"], where="size<9MB")

    assert [term["weight"] for term in found["structuredContent"]["query"]] == [1.0, -1.0]
    assert [hit["modality"] for hit in found["structuredContent"]["hits"]] == ["image"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("search", {}, "'query' is missing"),
        ("search", {"query": " "}, "words are"),
        ("search", {"query": "x" * 5_000}, "words are"),
        ("search", {"query": "a", "k": 0}, "at least 1"),
        ("search", {"query": "a", "k": 51}, "at most 50"),
        ("search", {"query": "a", "k": True}, "how many hits"),
        ("search", {"query": "a", "into": ["smell"]}, "unknown modality"),
        ("search", {"query": "a", "into": "image"}, "a list"),
        ("search", {"query": "a", "where": "sise<1"}, "unknown field"),
        ("search", {"query": "a", "path": "/etc/passwd"}, "unknown argument 'path'"),
        ("search", {"query": "a", "factors": "strong"}, "unknown preset of factors"),
        ("search", {"query": "a", "factors": {"text": 1}}, "how much of its experts"),
        ("similar", {"item": 1, "factors": "versatile"}, "no space with factors"),
        ("similar", {"item": 99}, "no such item"),
        ("similar", {"item": "1"}, "the number of an item"),
        ("status", {"all": True}, "unknown argument"),
    ],
)
def test_a_mistake_is_told_to_the_assistant_in_one_line(
    name: str, arguments: dict[str, Any], said: str, server: mcp.Server
) -> None:
    result = call(server, name, **arguments)

    assert result["isError"] is True
    [content] = result["content"]
    assert said in content["text"]
    assert "\n" not in content["text"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"nonsense", mcp.NOT_JSON),
        (b"\xff\xfe", mcp.NOT_JSON),
        (b"[" * 100_000, mcp.NOT_JSON),
        (b"[]", mcp.NO_REQUEST),
        (b'{"id": 1, "method": "ping"}', mcp.NO_REQUEST),
        (b'{"jsonrpc": "2.0", "id": [], "method": "ping"}', mcp.NO_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', mcp.NO_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/read"}', mcp.NO_METHOD),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "close"}}',
         mcp.BAD_PARAMS),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(line: bytes, code: int, server: mcp.Server) -> None:
    answer = server.answer(line)

    assert answer is not None
    assert answer["error"]["code"] == code


@pytest.mark.parametrize(
    "message", [{"method": "notifications/cancelled"}, {"id": 4, "result": {}}, {"method": "ping"}]
)
def test_notifications_and_answers_are_not_answered(
    message: dict[str, Any], server: mcp.Server
) -> None:
    answer = server.answer(json.dumps({"jsonrpc": "2.0", **message}).encode())

    assert answer is None


def test_a_line_that_is_too_long_is_passed_over(
    server: mcp.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "MOST_LINE_BYTES", 100)
    out = io.BytesIO()

    mcp.serve(
        io.BytesIO(b"x" * 450 + b"\n\n" + json.dumps(request("ping", 7)).encode()), out, server
    )

    long, pong = map(json.loads, out.getvalue().splitlines())
    assert long["error"]["code"] == mcp.NO_REQUEST
    assert pong == {"jsonrpc": "2.0", "id": 7, "result": {}}
