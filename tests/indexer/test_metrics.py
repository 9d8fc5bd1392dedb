"""The writer's numbers as Prometheus reads them."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from indexer.meter import Meter
from indexer.metrics import WriterMetrics, serve
from indexer.report import Failure, Progress
from tests.indexer.conftest import Library, text
from tests.indexer.watch.daemons import Daemon, until
from unisearch.errors import UnisearchError


def free_port() -> int:
    """A port that nobody uses, on a machine whose loopback is up.

    The system gives out none below 32,768 by itself, and each process of tests takes another one.
    """
    for port in range(10_000 + os.getpid() % 20_000, 32_768):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            free.listen()
            try:
                socket.create_connection(("127.0.0.1", port), 60).close()
            except OSError:
                pytest.skip("the loopback interface of this machine is down")
            return port
    raise AssertionError("no port is free")


def read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        page: bytes = answer.read()
    return page.decode()


def exposed(meter: Meter) -> str:
    registry = CollectorRegistry()
    registry.register(WriterMetrics(meter.facts))
    text: bytes = generate_latest(registry)
    return text.decode()


def test_what_the_writer_did_is_read_by_prometheus() -> None:
    meter = Meter(queues={"parts_to_encode": lambda: 7})
    meter.file("added", "image", time.time())
    meter.file("added", "image")
    meter.removed(3)
    meter.failure(Failure(b"/a \xff.png", "corrupt", "damaged"))
    meter.at(Progress({"image": 2}, {"image": 6}, 0, 1, 2.0, b"/b.png"))

    families = text_string_to_metric_families(exposed(meter))
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }

    assert found["unisearch_files_total", "added", "image"] == 2
    assert found["unisearch_files_total", "all", "removed"] == 3
    assert found["unisearch_failures_total", "corrupt"] == 1
    assert found["unisearch_waiting", "parts_to_encode"] == 7
    assert found["unisearch_files_left",] == 4
    assert found["unisearch_files_per_second",] == 1.0
    assert 0 <= found["unisearch_delay_p50_seconds",] < 60


def test_a_writer_that_did_nothing_has_metrics_too() -> None:
    assert "unisearch_files_left 0.0" in exposed(Meter())


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(UnisearchError, match=r"127.0.0.1:\d+: .*choose another"):
            serve(Meter().facts, taken.getsockname()[1])


def test_the_daemon_serves_its_numbers(library: Library) -> None:
    port = free_port()
    daemon = Daemon(library, (library.media,))
    daemon.configure({"metrics_port": port})
    with daemon:
        text(library.media / "new.txt", "Something new")
        until(daemon.holds("new.txt"))

        until(lambda: 'unisearch_files_total{kind="text",outcome="added"} 1.0' in read(port))
