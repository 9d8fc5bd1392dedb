"""The writer's numbers as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from unisearch.errors import UnisearchError


class WriterMetrics(Collector):
    """facts: gives the numbers of this moment, see Meter.facts."""

    def __init__(self, facts: Callable[[], dict[str, Any]]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """All metrics of this moment."""
        facts = self._facts()
        yield gauge("start_time_seconds", "When the writer began, since 1970.", facts["since"])
        yield _files(facts["files"])
        failed = CounterMetricFamily(
            "unisearch_failures", "Files that could not be read.", labels=["kind"]
        )
        for kind, count in facts["failed"].items():
            failed.add_metric([kind], count)
        yield failed
        waiting = GaugeMetricFamily("unisearch_waiting", "What waits.", labels=["queue"])
        for name, count in facts["queues"].items():
            waiting.add_metric([name], count)
        yield waiting
        run = facts["run"] or {"done": {}, "total": {}, "files_per_s": 0.0}
        left = sum(run["total"].values()) - sum(run["done"].values())
        yield gauge("files_left", "Files that the run that goes on has still to look at.", left)
        yield gauge("files_per_second", "Rate of the run that goes on.", run["files_per_s"])
        delay = facts["delay_s"]
        for share in ("p50", "p99"):
            if delay[share] is not None:
                told = f"From the change of a file to its being searchable, {share} of the newest."
                yield gauge(f"delay_{share}_seconds", told, delay[share])


class Endpoint:
    """Numbers that are told at http://127.0.0.1:PORT/metrics, by a thread.

    facts: as of WriterMetrics
    """

    def __init__(self, facts: Callable[[], dict[str, Any]]) -> None:
        self._facts = facts
        self._stop: Callable[[], None] | None = None

    def open(self, port: int) -> None:
        """Tell them at this port from now on, at none where it is 0.

        Raises UnisearchError for a port that is taken; then they are told nowhere.
        """
        self.close()
        if port:
            self._stop = serve(self._facts, port)

    def close(self) -> None:
        """Tell them no more."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()


def _files(files: dict[str, dict[str, int]]) -> Metric:
    family = CounterMetricFamily(
        "unisearch_files", "Files committed, by what became of them.", labels=["outcome", "kind"]
    )
    for outcome, kinds in files.items():
        for kind, count in kinds.items():
            family.add_metric([outcome, kind], count)
    return family


def gauge(name: str, told: str, value: float) -> Metric:
    """One number without labels."""
    return GaugeMetricFamily(f"unisearch_{name}", told, value=value)


def serve(facts: Callable[[], dict[str, Any]], port: int) -> Callable[[], None]:
    """Answer http://127.0.0.1:PORT/metrics in a thread; what ends it.

    Raises UnisearchError for a port that is taken.
    """
    registry = CollectorRegistry()
    registry.register(WriterMetrics(facts))
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        reason = f"127.0.0.1:{port}: {error.strerror}; choose another watch.metrics_port"
        raise UnisearchError(reason) from error

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
