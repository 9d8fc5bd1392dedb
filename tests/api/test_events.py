"""Streams of events, and saved searches."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from starlette.requests import ClientDisconnect

from indexer import Indexer
from tests.api.live import PATIENCE_S, listening, serving
from tests.api.test_jobs import until
from tests.coroutines import finished
from tests.indexer.conftest import text
from unisearch.api import events, live
from unisearch.api.saved import SavedSearches, left_out
from unisearch.api.schemas import SearchIn
from unisearch.api.service import Service
from unisearch.cli.main import run
from unisearch.config import Settings
from unisearch.errors import LibraryError, LibraryMissing
from unisearch.health.strays import unknown
from unisearch.index import durable
from unisearch.wiring import open_rooms

WORDS = "A lighthouse stands on a rock"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def own(folder: Path) -> Settings:
    text(folder / "media" / "first.txt", WORDS)
    settings = Settings(library=folder / "library", space="toy")
    Indexer(settings=settings).run([folder / "media"])
    return settings


@pytest.fixture(scope="module")
def served(own: Settings) -> Iterator[tuple[Service, int]]:
    with serving(own) as (service, port):
        assert service.ready.wait(PATIENCE_S)
        yield service, port


@pytest.fixture
def base(served: tuple[Service, int]) -> str:
    return f"http://127.0.0.1:{served[1]}/v1"


def answer_to(method: str, url: str, body: Any = None) -> httpx.Response:
    """The server's answer, for which a test waits longer than a client would."""
    return httpx.request(method, url, json=body, timeout=PATIENCE_S)


def save(base: str, words: str = "lighthouse", **more: Any) -> dict[str, Any]:
    question = {"terms": [{"text": words}], "into": ["text"], **more}
    answer = answer_to("POST", f"{base}/saved", {"name": words, "question": question})
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def test_who_listens_hears_how_the_library_is_and_what_jobs_do(
    served: tuple[Service, int], base: str, folder: Path
) -> None:
    with listening(served[1], "/v1/events") as stream:
        name, status = next(stream)
        assert (name, status["ready"]) == ("status", True)
        text(folder / "media" / "new.txt", "A dog barks")

        job = answer_to("POST", f"{base}/index", {}).json()["job"]

        states = []
        for name, data in stream:
            if name == "job" and data["job"] == job:
                states.append(data["state"])
            if name == "status" and data["items"]["text"] > status["items"]["text"]:
                break
    assert set(states) <= {"waiting", "running", "done"}
    assert states == sorted(states, key=["waiting", "running", "done"].index)


def test_a_silent_line_shows_that_it_lives(
    served: tuple[Service, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.0)
    monkeypatch.setattr(events, "LOOK_S", 0.05)
    url = f"http://127.0.0.1:{served[1]}/v1/events"

    with httpx.stream("GET", url, timeout=PATIENCE_S) as answer:
        comments = (line for line in answer.iter_lines() if line == ": alive")
        assert [next(comments) for _ in range(4)]


def test_a_client_that_goes_is_forgotten_and_too_many_are_refused(
    served: tuple[Service, int], base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, port = served
    until(lambda: not service.bus.listeners)
    monkeypatch.setattr(events, "MOST_STREAMS", 1)
    with listening(port, "/v1/events") as stream:
        next(stream)

        refused = answer_to("GET", f"{base}/events")

        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
    until(lambda: not service.bus.listeners)


def test_a_place_is_taken_from_the_first_moment_and_given_back_by_who_goes_before_the_first_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bus = events.Bus()
    monkeypatch.setattr(events, "MOST_STREAMS", 1)

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def nobody(_: Any) -> None:
        raise OSError("the client is gone")

    async def ask() -> tuple[int, int]:
        first = events.stream(bus, lambda _: one_event())  # nothing of it was sent yet
        with pytest.raises(HTTPException, match="1 streams are open"):
            events.stream(bus, lambda _: one_event())
        with suppress(OSError, ClientDisconnect):
            await first({"type": "http", "asgi": {"spec_version": "2.3"}}, gone, nobody)
        left = bus.listeners
        events.stream(bus, lambda _: one_event())
        return left, bus.listeners

    assert finished(ask()) == (0, 1)


async def one_event() -> AsyncIterator[bytes]:
    yield events.event("status", {})


def test_a_saved_search_tells_only_what_is_new_and_each_match_once(
    served: tuple[Service, int], base: str, own: Settings, folder: Path
) -> None:
    saved = save(base)
    assert saved["told"] >= 1  # what is there already is no news
    path = f"/v1/saved/{saved['id']}/events"

    with listening(served[1], path) as stream:
        new = text(folder / "media" / "second.txt", "Another lighthouse on another rock")
        Indexer(settings=own).run([folder / "media"])
        name, hit = next(stream)
    assert (name, hit["path"], hit["weak"]) == ("match", str(new), False)

    until(lambda: SavedSearches(own.library).get(saved["id"]).told >= {hit["item"]})  # type: ignore[union-attr]
    until(lambda: not served[0].bus.listeners)  # it would be told the next one
    third = text(folder / "media" / "third.txt", "The third lighthouse")
    Indexer(settings=own).run([folder / "media"])  # nobody listens
    with listening(served[1], path) as stream:
        assert next(stream)[1]["path"] == str(third)


def test_a_removed_search_ends_its_stream_and_its_file(
    served: tuple[Service, int], base: str, own: Settings
) -> None:
    saved = save(base, "rock")
    assert saved["id"] in [one["id"] for one in answer_to("GET", f"{base}/saved").json()]

    with listening(served[1], f"/v1/saved/{saved['id']}/events") as stream:
        assert answer_to("DELETE", f"{base}/saved/{saved['id']}").status_code == 204
        assert list(stream) == [("end", {"id": saved["id"]})]

    assert not (own.library / "saved" / f"{saved['id']}.json").exists()
    assert answer_to("DELETE", f"{base}/saved/{saved['id']}").status_code == 404


def test_a_saved_search_holds_no_files(base: str) -> None:
    question = {"terms": [{"file": 0}]}

    answer = answer_to("POST", f"{base}/saved", {"name": "x", "question": question})

    assert answer.status_code == 422


def test_saved_searches_outlive_the_server_and_the_doctor_knows_them(tmp_path: Path) -> None:
    asked = SearchIn.model_validate({"terms": [{"text": "dog"}], "where": "size > 1"})
    one = SavedSearches(tmp_path).add("dogs", asked, [3, 1])
    SavedSearches(tmp_path).tell(one.id, [7])
    SavedSearches(tmp_path).add("other", asked, [])

    again = SavedSearches(tmp_path)

    kept = again.get(one.id)
    assert kept is not None
    assert (kept.name, kept.question, kept.told) == ("dogs", asked, {1, 3, 7})
    assert len(again.all()) == 2
    assert unknown(tmp_path) == []


def test_a_write_that_fails_keeps_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = SavedSearches(tmp_path)
    one = searches.add("dogs", SearchIn.model_validate({"terms": [{"text": "dog"}]}), [1])

    class Full(durable.Disk):
        def sync(self, handle: int) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "disk", Full())
    with pytest.raises(Exception, match="no space left"):
        searches.tell(one.id, [2])

    assert searches.get(one.id) == one
    assert SavedSearches(tmp_path).get(one.id) == one


def test_a_damaged_file_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    searches = SavedSearches(tmp_path)
    one = searches.add("dogs", SearchIn.model_validate({"terms": [{"text": "dog"}]}), [1])
    (tmp_path / "saved" / "0000000000000000.json").write_text('{"version":1,"told":[')

    assert [kept.id for kept in SavedSearches(tmp_path).all()] == [one.id]
    assert "0000000000000000.json" in caplog.text


def test_what_a_killed_server_left_is_cleared_away_and_what_another_writes_is_not(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    left, new, renamed = (folder / f".{name}.json.1.tmp" for name in "abc")
    for path in (left, new):
        path.write_bytes(b"{")
    os.utime(left, (0, 0))
    renamed.symlink_to(folder / "gone")  # as between the listing of the folder and the look

    assert SavedSearches(tmp_path).all() == []
    assert set(folder.iterdir()) == {new, renamed}


def test_a_search_that_is_dropped_while_the_doctor_looks_is_no_finding(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    # As between the listing of the folder and the reading of the file.
    (folder / "0123456789abcdef.json").symlink_to(folder / "gone")

    assert left_out(tmp_path) == []


def test_servers_of_one_library_undo_nothing_of_each_other(tmp_path: Path) -> None:
    question = SearchIn.model_validate({"terms": [{"text": "lighthouse"}]})
    first = SavedSearches(tmp_path)
    kept, dropped = (first.add(name, question, [1]).id for name in ("kept", "dropped"))
    second = SavedSearches(tmp_path)

    second.tell(kept, [2])
    second.remove(dropped)
    for id in (kept, dropped):
        first.tell(id, [3])

    assert first.get(dropped) is None
    [one] = SavedSearches(tmp_path).all()
    assert (one.id, one.told) == (kept, {1, 2, 3})


def test_no_other_server_changes_a_search_while_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = SearchIn.model_validate({"terms": [{"text": "rock"}]})
    searches = SavedSearches(tmp_path)
    one = searches.add("rock", question, [])
    locked: list[bool] = []

    def noting(call: Callable[..., None]) -> Callable[..., None]:
        def noted(*arguments: Any) -> None:
            with (tmp_path / "saved" / ".lock").open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    locked.append(True)
                else:
                    locked.append(False)
            call(*arguments)

        return noted

    monkeypatch.setattr(durable, "write_atomically", noting(durable.write_atomically))
    monkeypatch.setattr(durable, "unlink", noting(durable.unlink))

    searches.tell(one.id, [1])
    searches.remove(one.id)

    assert locked == [True, True]
    assert SavedSearches(tmp_path).all() == []


def test_a_search_whose_file_cannot_be_removed_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise LibraryError("read-only")

    saved = SavedSearches(tmp_path)
    one = saved.add("rock", SearchIn.model_validate({"terms": [{"text": "rock"}]}), [])
    monkeypatch.setattr(durable, "unlink", refuse)

    with pytest.raises(LibraryError):
        saved.remove(one.id)

    assert saved.all() == [one]


def test_a_library_that_is_away_for_a_moment_ends_no_stream(
    served: tuple[Service, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    signs, left = live.signs, [LibraryMissing("it is being moved")]

    def looked(service: Service) -> Any:
        if left:
            raise left.pop()
        return signs(service)

    monkeypatch.setattr(live, "signs", looked)
    monkeypatch.setattr(events, "LOOK_S", 0.05)

    with listening(served[1], "/v1/events") as stream:
        name, status = next(stream)

    assert (name, status["ready"]) == ("status", True)


def test_the_doctor_names_saved_searches_that_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_rooms(Settings(library=tmp_path, space="toy"), write=True):
        pass
    asked = SearchIn.model_validate({"terms": [{"text": "dog"}]})
    whole, cut, moved = [SavedSearches(tmp_path).add("dogs", asked, []).id for _ in range(3)]
    folder = tmp_path / "saved"
    (folder / f"{cut}.json").write_bytes((folder / f"{cut}.json").read_bytes()[:-9])
    (folder / f"{moved}.json").rename(folder / "0000000000000000.json")

    code = run(["--library", str(tmp_path), "doctor", "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    mended = run(["--library", str(tmp_path), "repair"])

    told = [one["message"] for one in found if one["subject"] == "saved search"]
    assert (code, mended) == (1, 1)
    assert ["renamed" in told[0], f"{cut}.json: damaged" in told[1]] == [True, True]
    assert len(told) == 2
    assert "save the search again" in capsys.readouterr().out
    assert len(list(folder.iterdir())) == 3  # nothing of a user's is removed unasked
    assert whole in {path.stem for path in folder.iterdir()}
