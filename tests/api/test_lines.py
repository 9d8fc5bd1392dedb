"""Attacks on the line itself, at a real port; and uploads whose worker is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexer import Indexer
from indexer.reading import Reader
from tests.api.live import PATIENCE_S, serving, talk
from tests.api.tasks import lines, stuck
from tests.api.test_jobs import until
from tests.indexer.conftest import picture, text
from unisearch.api.serve import listen, serve
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.errors import LibraryMissing, UnisearchError, Unreadable
from unisearch.sections import IndexSettings, ServerSettings

HEAD = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("lines")
    text(folder / "media" / "note.txt", "The lighthouse stands on a rock")
    settings = Settings(
        library=folder / "library",
        space="toy",
        server=ServerSettings(upload_s=PATIENCE_S, upload_mb=1, requests_per_minute=0),
        index=IndexSettings(workers=2),
    )
    Indexer(settings=settings).run([folder / "media"])
    return settings


@pytest.fixture(scope="module")
def attacked(settings: Settings) -> Iterator[tuple[Service, int]]:
    """A server that waits longer for a client than any test."""
    with serving(settings) as (service, port):
        assert service.ready.wait(PATIENCE_S)
        yield service, port


@pytest.fixture(scope="module")
def hasty(settings: Settings) -> Iterator[int]:
    """The port of a server that soon gives up who lets it wait."""
    server = settings.server.model_copy(update={"upload_s": 0.5})
    with serving(settings.model_copy(update={"server": server})) as (_, port):
        yield port


@pytest.fixture
def port(attacked: tuple[Service, int]) -> Iterator[int]:
    """After each attack the server answers."""
    yield attacked[1]
    assert b'{"status":"ok"}' in talk(
        attacked[1], GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    )


def drip(port: int, head: bytes, drop: bytes, pause_s: float) -> bytes:
    """The answer of a server that gives up bytes which come one by one."""
    began, came = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.sendall(head)
        line.settimeout(pause_s)
        while time.monotonic() - began < PATIENCE_S:
            try:
                if not (chunk := line.recv(4_096)):
                    return came
                came += chunk
            except TimeoutError:
                pass
            except ConnectionError:
                return came
            try:
                line.sendall(drop)
            except ConnectionError:
                return came
    raise AssertionError("the server goes on listening")


def test_an_upload_that_stops_is_given_up(hasty: int) -> None:
    answer = talk(hasty, HEAD + b"Content-Length: 1000\r\n\r\n{")

    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"application/problem+json" in answer


def test_an_upload_that_drips_is_given_up(hasty: int) -> None:
    answer = drip(hasty, HEAD + b"Content-Length: 100000\r\n\r\n", b" ", 0.05)

    assert not answer or b" 408 " in answer.split(b"\r\n")[0]


def test_a_head_that_drips_or_never_comes_is_given_up(hasty: int) -> None:
    for head, drop in ((b"", b""), (b"GET /health HTTP/1.1\r\nX-Slow: ", b"x"), (GET, b"G")):
        drip(hasty, head, drop, 0.05)  # raises where it is not


def test_a_head_without_end_is_cut(port: int) -> None:
    answer = talk(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000)

    assert b" 200 " not in answer


def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    last = b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = talk(port, GET * 20 + last)

    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", answer)
    assert statuses == [b"200"] * 20 + [b"404"]


@pytest.mark.parametrize("sent", [
    b"\0" * 1_000, b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
])  # fmt: skip
def test_garbage_is_no_answer_of_ours(port: int, sent: bytes) -> None:
    answer = talk(port, sent)

    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert b" 500 " not in answer.split(b"\r\n")[0]


def test_an_oversized_upload_in_chunks_is_cut_while_it_comes(port: int) -> None:
    chunk = b"%x\r\n%s\r\n" % (100_000, b" " * 100_000)

    answer = talk(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)

    assert not answer or b" 413 " in answer.split(b"\r\n")[0]


def test_a_worker_that_is_killed_while_it_reads_is_the_problem_of_that_upload_alone(
    attacked: tuple[Service, int], port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = attacked
    content = picture(tmp_path / "x.png", 3).read_bytes()
    url = f"http://127.0.0.1:{port}/v1/search/files"
    pulse = tmp_path / "pulse"

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as client:
        patch.setattr(service.reader, "_task", partial(stuck, pulse))
        asked = client.submit(
            httpx.post, url, files={"files": ("x.png", content)}, timeout=PATIENCE_S
        )
        until(lambda: pulse.exists() or asked.done())
        os.kill(int(pulse.read_text()), signal.SIGKILL)
        answer = asked.result()

    assert answer.status_code in (400, 422, 503), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    again = httpx.post(url, files={"files": ("x.png", content)}, timeout=PATIENCE_S)
    assert again.status_code == 200, again.text


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    library = tmp_path_factory.mktemp("read") / "library"
    with Reader(Settings(library=library, index=IndexSettings(workers=2)), lines) as reader:
        yield reader


def test_many_threads_read_at_a_time_and_each_gets_its_own(tmp_path: Path, reader: Reader) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(48)]
    for file in files:
        file.write_text(f"{file.stem}\nof {file.name}")

    def read(file: Path) -> list[str] | str:
        try:
            return list(reader.read(file))
        except Unreadable as error:
            return error.reason

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(read, files))

    for file, told in zip(files, found, strict=True):
        expected = "it ends in 7" if file.stem.endswith("7") else [file.stem, f"of {file.name}"]
        assert told == expected


def test_who_asks_a_reader_that_was_closed_hears_so(tmp_path: Path) -> None:
    with Reader(Settings(library=tmp_path / "library"), lines) as reader:
        pass

    with pytest.raises(Unreadable, match="stopped") as told:
        next(reader.read(tmp_path / "x.txt"))
    assert told.value.transient


def test_who_goes_before_the_end_leaves_the_worker_to_others(
    tmp_path: Path, reader: Reader
) -> None:
    file = tmp_path / "long.txt"  # of 16 MB a worker has sent the least when its reader goes
    file.write_text("\n".join(f"{number:<1000000}" for number in range(16)))

    for _ in range(3):  # more than there are workers
        begun = reader.read(file)
        assert next(begun).strip() == "0"
        begun.close()  # type: ignore[attr-defined]

    assert [int(line) for line in reader.read(file)] == list(range(16))


def test_no_port_stays_open_where_no_server_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[socket.socket] = []

    class Socket(socket.socket):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(socket, "socket", Socket)
        with pytest.raises(UnisearchError, match="choose another --port"):
            listen("127.0.0.1", port)
        server = Settings().server.model_copy(update={"port": 0})
        nowhere = Settings(library=tmp_path / "nowhere", server=server)
        with pytest.raises(LibraryMissing):
            serve(nowhere, lambda *_: None)

    assert [one.fileno() for one in made] == [-1, -1]
