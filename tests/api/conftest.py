from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer import Indexer
from tests.indexer.conftest import model, picture, sound, text
from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.config import Settings

BASE = "http://localhost"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of the toy space with one file of each kind."""
    folder = tmp_path_factory.mktemp("served")
    media = folder / "media"
    text(media / "note.txt", "The lighthouse stands on a rock")
    picture(media / "photos" / "beach.png", 1)
    sound(media / "sounds" / "waves.wav", 2, 1)
    model(media / "rock.obj", 2)
    settings = Settings(library=folder / "library", space="toy")
    Indexer(settings=settings).run([media])
    return settings


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(Service(settings)), base_url=BASE) as client:
        yield client


@pytest.fixture
def media(settings: Settings) -> Path:
    return settings.library.parent / "media"
