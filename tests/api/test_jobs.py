"""Index jobs over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from indexer import Indexer
from tests.api.conftest import BASE
from tests.indexer.conftest import text
from unisearch.api import jobs
from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.engine.doctor import doctor
from unisearch.records import Prepared
from unisearch.spaces.toy import ToySpace
from unisearch.wiring import open_rooms

PATIENCE_S = 60.0


@pytest.fixture
def library(tmp_path: Path) -> Settings:
    """A library of one folder with one text."""
    text(tmp_path / "media" / "first.txt", "A lighthouse stands on a rock")
    settings = Settings(library=tmp_path / "library", space="toy")
    Indexer(settings=settings).run([tmp_path / "media"])
    return settings


@pytest.fixture
def own(library: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(Service(library)), base_url=BASE) as client:
        yield client


def until(look: Callable[[], Any]) -> Any:
    """The first value that counts."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


def ended(client: TestClient, job: int) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        now: dict[str, Any] = client.get(f"/v1/index/{job}").json()
        return now if now["state"] in jobs.ENDED else None

    found: dict[str, Any] = until(look)
    return found


def test_a_job_finds_what_is_new_in_the_folders_of_the_library(
    own: TestClient, tmp_path: Path
) -> None:
    text(tmp_path / "media" / "second.txt", "A dog barks")
    (tmp_path / "media" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    begun = own.post("/v1/index", json={})

    assert begun.status_code == 202
    assert begun.headers["location"] == f"/v1/index/{begun.json()['job']}"
    job = ended(own, begun.json()["job"])
    assert (job["state"], job["counts"]["added"], job["failed"]) == ("done", 1, 1)
    assert job["failures"][0]["path"] == str(tmp_path / "media" / "broken.png")
    assert job["progress"]["total"] == {"text": 1, "image": 1}
    hits = own.post("/v1/search", json={"terms": [{"text": "barks"}], "into": ["text"]}).json()
    assert hits["hits"][0]["path"].endswith("second.txt")


def test_only_ids_of_the_librarys_folders_are_taken(own: TestClient) -> None:
    for roots in (["/etc"], [{"path": "/etc"}], "/etc", [0], [True, 1.5]):
        assert own.post("/v1/index", json={"roots": roots}).status_code == 422
    assert own.post("/v1/index", json={"paths": ["/etc"]}).status_code == 422
    assert own.post("/v1/index", json={"roots": [999]}).status_code == 404
    assert own.get("/v1/index").json() == []


def test_a_folder_that_is_not_there_is_told_and_keeps_its_items(
    own: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "media").rename(tmp_path / "unplugged")

    job = ended(own, own.post("/v1/index", json={}).json()["job"])

    assert job["state"] == "done"
    assert [(one["path"], one["kind"]) for one in job["failures"]] == [
        (str(tmp_path / "media"), "vanished")
    ]
    assert len(own.get("/v1/items").json()["items"]) == 1


def test_of_a_folder_with_single_files_only_these_are_looked_at(
    own: TestClient, library: Settings, tmp_path: Path
) -> None:
    named = text(tmp_path / "other" / "named.txt", "A named file")
    gone = text(tmp_path / "other" / "gone.txt", "A file that goes")
    Indexer(settings=library).run([named, gone])
    text(tmp_path / "other" / "private.txt", "Never asked for")
    gone.unlink()

    job = ended(own, own.post("/v1/index", json={}).json()["job"])

    assert (job["state"], job["counts"]["removed"]) == ("done", 1)
    names = {Path(item["path"]).name for item in own.get("/v1/items").json()["items"]}
    assert names == {"first.txt", "named.txt"}


def test_a_cancelled_job_stops_and_keeps_what_it_did(
    own: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        text(tmp_path / "media" / f"{number}.txt", f"Sentence number {number}")
    go_on, batches, encode = threading.Event(), iter(range(300)), ToySpace.encode_prepared

    def held(self: ToySpace, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        assert next(batches) == 0 or go_on.wait(PATIENCE_S)
        return encode(self, batch)

    monkeypatch.setattr(ToySpace, "encode_prepared", held)
    first, second = (own.post("/v1/index", json={}).json()["job"] for _ in range(2))
    until(lambda: own.get(f"/v1/index/{first}").json()["progress"])

    waiting = own.delete(f"/v1/index/{second}").json()
    own.delete(f"/v1/index/{first}")
    go_on.set()

    assert waiting["state"] == "cancelled"
    assert ended(own, first)["state"] == "cancelled"
    job = ended(own, own.post("/v1/index", json={}).json()["job"])
    assert job["state"] == "done"
    assert job["counts"]["added"] + job["counts"]["unchanged"] == 301
    assert own.delete(f"/v1/index/{first}").json()["state"] == "cancelled"


def test_so_many_jobs_may_wait(own: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)

    answer = own.post("/v1/index", json={})

    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("end", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0)])
def test_a_server_that_is_ended_in_a_job_leaves_a_right_library(
    library: Settings, tmp_path: Path, end: signal.Signals, code: int
) -> None:
    for number in range(200):
        text(tmp_path / "media" / f"{number}.txt", f"Sentence number {number}")
    command = [sys.executable, "-m", "unisearch", "--library", str(library.library), "serve"]
    environment = {**os.environ, "UNISEARCH_SPACE": "toy"}
    server = subprocess.Popen(
        [*command, "--port", "0", "--no-page"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        told = next(line for line in server.stderr if line.startswith("serving at "))
        base = told.split()[2].split("/v1")[0]
        job = httpx.post(f"{base}/v1/index", json={}, timeout=PATIENCE_S).json()["job"]

        def done() -> int:
            now = httpx.get(f"{base}/v1/index/{job}", timeout=PATIENCE_S).json()["progress"]
            return sum(now["done"].values()) if now else 0

        stored = until(done)
        server.send_signal(end)
        assert server.wait(PATIENCE_S) == code
    finally:
        server.kill()
        server.communicate(timeout=PATIENCE_S)

    with open_rooms(library) as rooms:
        assert [one for one in doctor(rooms) if one.level == "error"] == []
    report = Indexer(settings=library).run([tmp_path / "media"])
    assert report.added + report.unchanged == 201
    if not code:  # told to end, it stores what it has done first
        assert report.unchanged >= stored


def test_a_thread_that_is_held_up_tells_of_no_older_state_last(library: Settings) -> None:
    class Quick:
        """An indexer that has nothing to do."""

        def __init__(self, **_: object) -> None: ...

        def finish(self, _: object) -> None: ...

        def close(self) -> None: ...

    told: list[str] = []
    is_done = threading.Event()

    def tell(job: jobs.Job) -> None:
        state = job.to_json()["state"]
        if state == "waiting":
            is_done.wait(0.2)  # the job may come to its end meanwhile
        told.append(state)
        if state == "done":
            is_done.set()

    with open_rooms(library) as rooms:
        made = jobs.Jobs(library, rooms, Quick, tell)
        made.ask([], retry_failed=False)
        assert is_done.wait(PATIENCE_S)
        made.close()

    assert told[-1] == "done"
