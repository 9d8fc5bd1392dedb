"""A server on a port of this machine, and an engine in process over the same library."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

import unisearch
from indexer import Indexer
from tests.indexer.conftest import model, picture, sound, text
from unisearch.api.app import create_app
from unisearch.api.serve import listen
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.remote.engine import RemoteEngine
from unisearch.wiring import open_rooms

HOSTILE = "<script>alert(1)</script>&\"'.txt".replace("/", "∕")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of the toy space with files of each kind, one of a hostile name."""
    folder = tmp_path_factory.mktemp("remote")
    media = folder / "media"
    text(media / "note.txt", "The lighthouse stands on a rock")
    text(media / HOSTILE, "A lighthouse says <img src=x onerror=alert(2)>")
    picture(media / "photos" / "beach.png", 1)
    sound(media / "sounds" / "waves.wav", 2, 1)
    model(media / "rock.obj", 2)
    settings = Settings(library=folder / "library", space="toy")
    Indexer(settings=settings).run([media])
    return settings


@pytest.fixture(scope="session")
def media(settings: Settings) -> Path:
    return settings.library.parent / "media"


@pytest.fixture(scope="session")
def address(settings: Settings) -> Iterator[str]:
    """Where the library is served."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(Service(settings)), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until = time.monotonic() + 120
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(120)
    assert not thread.is_alive()


@pytest.fixture
def remote(address: str) -> Iterator[RemoteEngine]:
    with unisearch.connect(address) as engine:
        yield engine


@pytest.fixture
def local(settings: Settings) -> Iterator[Engine]:
    with Engine(open_rooms(settings)) as engine:
        yield engine
