"""The OpenAPI document is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from unisearch.api.app import with_token
from unisearch.api.problems import EVERYWHERE

METHODS = ("get", "head", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    whole: dict[str, Any] = client.get("/v1/openapi.json").json()
    return whole


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def test_every_route_says_what_it_does_and_what_comes_back(document: dict[str, Any]) -> None:
    names = []
    for name, operation in operations(document):
        names.append(operation["operationId"])
        assert operation["summary"], name
        assert operation["description"], name
        answers = [answer for status, answer in operation["responses"].items() if status < "3"]
        assert answers, name
        for answer in answers:
            kinds = answer.get("content", {})
            if "204" not in operation["responses"] and not name.startswith("HEAD"):
                assert kinds, f"{name} says no content type"
            for kind in kinds.values():
                assert kind.get("schema"), name
    assert len(names) == len(set(names))


def test_every_route_lists_its_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if name == "GET /health":
            continue
        statuses = {int(status) for status in operation["responses"]}
        assert statuses >= set(EVERYWHERE), name
        for status in statuses:
            if status >= 400:
                [kind] = operation["responses"][str(status)]["content"]
                assert kind == "application/problem+json", (name, status)
        if operation.get("parameters") or operation.get("requestBody"):
            assert 422 in statuses, name


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def has_example(schema: dict[str, Any], seen: tuple[str, ...] = ()) -> bool:
        if any(schema.get(name) for name in ("example", "examples", "const")):
            return True
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return name not in seen and has_example(schemas[name], (*seen, name))
        inner = [schema.get("items", {}), *schema.get("properties", {}).values()]
        return any(has_example(one, seen) for one in inner if isinstance(one, dict) and one)

    for name, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [answer for status, answer in operation["responses"].items() if status < "3"]
        for body in bodies:
            for kind, content in body.get("content", {}).items():
                binary = content["schema"].get("format") == "binary"
                assert binary or content.get("example") or has_example(content["schema"]), (
                    f"{name}: no example of {kind}"
                )


def test_a_token_is_told_of_all_but_health(client: TestClient) -> None:
    whole = with_token(lambda: client.get("/v1/openapi.json").json())()

    assert whole["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert whole["security"] == [{"token": []}]
    assert whole["paths"]["/health"]["get"]["security"] == []
