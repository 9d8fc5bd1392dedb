"""Requests that are generated from the OpenAPI document: each is answered as it says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.config import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Streams do not end by themselves: tests/api/test_events.py listens to them.
STREAMS = ("/v1/events", "/v1/saved/{id}/events")
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def generated(settings: Settings, requests: int) -> Counter[tuple[str, str]]:
    """How many requests of each route were answered as the document says: so many in all."""
    own = {"requests_per_minute": 0, "upload_mb": 1, "hosts": ("testserver",)}
    server = settings.server.model_copy(update=own)
    app = create_app(Service(settings.model_copy(update={"server": server})))
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [one for one in operations if one.path not in STREAMS]
    answered: Counter[tuple[str, str]] = Counter()
    try:
        for operation in operations:
            ask(operation, -(-requests // len(operations)), answered)
    finally:
        app.state.service.close()
    assert set(answered) == {(one.method, one.path) for one in operations}
    return answered


def ask(operation: Any, most: int, answered: Counter[tuple[str, str]]) -> None:
    """Send so many requests of a route; one without parameters has but one."""

    @given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=most, derandomize=True, database=None, deadline=None,
        suppress_health_check=QUIET, phases=[Phase.generate],
    )  # fmt: skip
    def send(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)
        answered[operation.method, operation.path] += 1

    send()


def test_generated_requests_are_answered_as_the_document_says(settings: Settings) -> None:
    assert generated(settings, 80).total() >= 60


@pytest.mark.soak
def test_thousands_of_generated_requests_are_answered_as_the_document_says(
    settings: Settings,
) -> None:
    assert generated(settings, 8_000).total() >= 5_000
