"""Clients that ask as fast as they are answered: over HTTP, and of an engine in this process."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from tests.coroutines import finished

#: Nobody waits longer for an answer.
PATIENCE_S = 60.0


@dataclass
class Tally:
    """What some clients saw. took_s: of each answer; errors: what was no answer

    cpu_s: of the process that answers, which other work on the machine hardly moves; way_s: of
    each answer over HTTP what was not the engine's, which of several holds the wait for others
    """

    took_s: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    way_s: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Answers a second, and milliseconds until one is there."""
        if len(self.took_s) < 2:
            return {"qps": 0.0, "errors": self.errors}
        way = {"way_ms": statistics.median(self.way_s) * 1e3} if self.way_s else {}
        cuts = statistics.quantiles(self.took_s, n=100, method="inclusive")
        return {
            "qps": len(self.took_s) / self.seconds,
            "p50_ms": cuts[49] * 1e3,
            "p99_ms": cuts[98] * 1e3,
            "cpu_ms": self.cpu_s / len(self.took_s) * 1e3,
            "errors": self.errors,
        } | way


@dataclass(frozen=True)
class Server:
    """A server on this machine: its port and its process."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Processor time that it took so far, without its children."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def in_process(
    ask: Callable[[str], object], clients: int, seconds: float, words: Sequence[str]
) -> Tally:
    """So many threads that ask for so long."""
    tally, cpu_s = Tally(), time.process_time()
    start = time.perf_counter()
    end = start + seconds

    def client(mine: Iterator[str]) -> None:
        while (began := time.perf_counter()) < end:
            try:
                ask(next(mine))
            except Exception:
                tally.errors += 1
            else:
                tally.took_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(one,)) for one in shared_out(words, clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds, tally.cpu_s = time.perf_counter() - start, time.process_time() - cpu_s
    return tally


def over_http(server: Server, clients: int, seconds: float, words: Sequence[str]) -> Tally:
    """So many connections, each with one question under way, for so long."""
    cpu_s = server.cpu_s()
    tally = finished(_over_http(server.port, clients, seconds, words))
    tally.cpu_s = server.cpu_s() - cpu_s
    return tally


async def _over_http(port: int, clients: int, seconds: float, words: Sequence[str]) -> Tally:
    loop, tally = asyncio.get_running_loop(), Tally()
    start = time.perf_counter()
    lines = []
    for mine in shared_out(words, clients):
        line = _Line(tally, map(request_of, mine), start + seconds)
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)
        lines.append(line.ended)
    done, late = await asyncio.wait(lines, timeout=seconds + PATIENCE_S)
    tally.errors += len(late) + sum(one.exception() is not None for one in done)
    tally.seconds = time.perf_counter() - start
    return tally


class _Line(asyncio.Protocol):
    """A connection that is kept: a question, its answer, the next question."""

    def __init__(self, tally: Tally, requests: Iterable[bytes], end: float) -> None:
        self._tally, self._requests, self._end = tally, iter(requests), end
        self._came = bytearray()
        self._began = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, found, body = self._came.partition(b"\r\n\r\n")
        if not found or len(body) < length_of(head):
            return
        took_s = time.perf_counter() - self._began
        if head.startswith(b"HTTP/1.1 200 ") and b'"hits":[{' in body:
            self._tally.took_s.append(took_s)
            self._tally.way_s.append(took_s - json.loads(body)["took_ms"]["total"] / 1e3)
        else:
            self._tally.errors += 1
        self._came.clear()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("closed by the server"))

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began < self._end:
            self._transport.write(next(self._requests))
        else:
            self.ended.set_result(None)
            self._transport.close()


def request_of(words: str) -> bytes:
    """The question over the line."""
    body = json.dumps({"terms": [{"text": words}]}).encode()
    head = "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def length_of(head: bytes | bytearray) -> int:
    """Bytes of the body that a head announces."""
    for line in bytes(head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without its length")


def shared_out(words: Sequence[str], clients: int) -> list[Iterator[str]]:
    """The questions of each client, without end; no two begin at the same place."""
    step = max(len(words) // clients, 1)
    return [islice(cycle(words), number * step, None) for number in range(clients)]
