"""Requests that are generated from the OpenAPI document: each is answered as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.indexer.conftest import Library
from unisearch.api.app import create_app
from unisearch.api.service import Service

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


def generated(folder: Path, requests: int) -> int:
    """How many requests were answered as the document says: so many, over all routes."""
    (folder / "own").mkdir()
    library = Library(folder / "own")
    library.fill()
    library.run()
    own = {"requests_per_minute": 0, "upload_mb": 1, "hosts": ("testserver",)}
    server = library.settings.server.model_copy(update=own)
    app = create_app(Service(library.settings.model_copy(update={"server": server})))
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [one for one in operations if one.path not in STREAMS]
    count = 0
    try:
        for operation in operations:

            @given(case=operation.as_strategy())
            @settings(
                max_examples=-(-requests // len(operations)), derandomize=True, database=None,
                deadline=None, suppress_health_check=QUIET, phases=[Phase.generate],
            )  # fmt: skip
            def ask(case: Any) -> None:
                nonlocal count
                case.call_and_validate(checks=CHECKS)
                count += 1

            ask()
    finally:
        app.state.service.close()
    return count


def test_generated_requests_are_answered_as_the_document_says(tmp_path: Path) -> None:
    assert generated(tmp_path, 300) >= 150


@pytest.mark.soak
def test_thousands_of_generated_requests_are_answered_as_the_document_says(tmp_path: Path) -> None:
    assert generated(tmp_path, 8_000) >= 5_000
