"""Numbers of the server itself, for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import Counter, Histogram
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics(Collector):
    """Counts requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "unisearch_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "unisearch_request_seconds", "Time to the end of an answer.", ["route"],
            registry=self._registry,
        )  # fmt: skip

    def collect(self):  # type: ignore[no-untyped-def]
        """All metrics of this moment."""
        return self._registry.collect()

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class Counted:
    """An ASGI application around another one: tells the metrics of each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            # The route's pattern, not the path: names of clients are no labels.
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.answered(route, status, time.perf_counter() - began)
