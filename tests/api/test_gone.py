"""Files and previews that go, or are cut, between a look and the sending of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.api.live import PATIENCE_S, serving
from unisearch.api import content
from unisearch.api.content import CutShort, Span
from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.engine.hit_media import LocalMedia
from unisearch.previews import places
from unisearch.wiring import PREVIEWS_FOLDER, open_rooms


def item_of(client: TestClient | httpx.Client, name: str) -> int:
    items = client.get("/v1/items").json()["items"]
    return next(int(item["item"]) for item in items if item["path"].endswith(name))


def test_a_preview_that_goes_after_it_was_seen_is_a_problem(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/items/{item_of(client, 'beach.png')}/preview"
    there = client.get(path)
    monkeypatch.setattr(places, "place", lambda folder, digest, kind: folder / "gone" / "x.webp")

    gone = client.get(path)

    assert (there.status_code, there.headers["content-type"]) == (200, "image/webp")
    assert there.content[8:12] == b"WEBP"
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")
    assert "has no preview 'still'" in gone.json()["detail"]


def test_a_file_that_is_cut_while_it_is_sent_ends_its_line_and_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut: list[Path] = []

    def reading(handle: int, span: Span) -> Iterator[bytes]:
        for path in cut:
            path.write_bytes(path.read_bytes()[:100])
        yield from read(handle, span)

    read = content.read
    monkeypatch.setattr(content, "read", reading)
    waves = settings.library.parent / "media" / "sounds" / "waves.wav"
    whole = waves.read_bytes()
    with serving(settings) as (_, port), httpx.Client(timeout=PATIENCE_S) as client:
        client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        path = f"/v1/items/{item_of(client, 'waves.wav')}/content"
        assert client.get(path).content == whole
        cut.append(waves)
        try:
            with caplog.at_level(logging.WARNING), pytest.raises(httpx.RemoteProtocolError):
                client.get(path)
        finally:
            cut.clear()
            waves.write_bytes(whole)
        after = client.get(path).content

    assert after == whole
    assert not [record for record in caplog.records if record.exc_info]
    [told] = [line for line in caplog.messages if "waves.wav" in line]
    assert f"changed while it was sent: it has 100 of {len(whole):,} bytes now" in told


def test_a_drive_that_fails_while_a_file_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    handle = (tmp_path / "file").open("wb+")
    monkeypatch.setattr(content.os, "pread", broken)
    with pytest.raises(CutShort, match="input/output error"):
        next(content.read(content.os.dup(handle.fileno()), Span(0, 9, 9)))
    handle.close()


def test_a_notebook_shows_nothing_of_what_is_gone(settings: Settings, media: Path) -> None:
    with Engine(open_rooms(settings)) as engine:
        [hit] = engine.search(media / "sounds" / "waves.wav", into="audio")
        shown = LocalMedia(engine.rooms)
        size = (media / "sounds" / "waves.wav").stat().st_size

        assert shown.sound(hit, size) == (media / "sounds" / "waves.wav").read_bytes()
        assert shown.sound(hit, size - 1) is None
        assert shown.sound(replace(hit, path=b"/gone/waves.wav"), size) is None
        assert shown.picture(hit) is not None
        assert shown.picture(replace(hit, item=99)) is None
        previews = settings.library / PREVIEWS_FOLDER
        for path in [*previews.glob("*/*.webp")]:
            path.rename(path.with_suffix(".away"))
        assert shown.picture(hit) is None
        for path in [*previews.glob("*/*.away")]:
            path.rename(path.with_suffix(".webp"))
