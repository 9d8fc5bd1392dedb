"""A server on a port of this machine, in a thread of the test: for what needs a real line."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from unisearch.api.serve import Server, listen
from unisearch.api.service import Service
from unisearch.config import Settings

#: No test waits longer for anything.
PATIENCE_S = 90.0


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[Service, int]]:
    """(service, port), until this ends."""
    service = Service(settings)
    listener = listen("127.0.0.1", 0)
    server = Server(service, page=False)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield service, listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the server does not end"


@contextmanager
def listening(port: int, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """The events (name, data) of a stream; comments are left out."""
    url = f"http://127.0.0.1:{port}{path}"
    with httpx.stream("GET", url, timeout=PATIENCE_S) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def talk(port: int, sent: bytes, timeout_s: float = PATIENCE_S) -> bytes:
    """What comes back for these bytes, until the server closes or is silent for so long."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as line:
        try:
            line.sendall(sent)
            while chunk := line.recv(65_536):
                came += chunk
        except (TimeoutError, ConnectionError):
            pass
    return came
