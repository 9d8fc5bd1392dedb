"""How the server and its library are: for people, for asset managers, for Prometheus."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from unisearch.api.problems import problems
from unisearch.api.service import Served, of_writer
from unisearch.engine import items
from unisearch.spaces.table import SPACES

router = APIRouter(prefix="/v1", tags=["status"])
public = APIRouter(tags=["status"])


EXAMPLE = 'unisearch_requests_total{route="/v1/search",status="200"} 12.0\n'
NUMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Numbers",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


class HealthOut(BaseModel):
    """That the server answers; nothing else, for anybody may ask."""

    status: Literal["ok"] = "ok"


class StatusOut(BaseModel):
    """The server, the library and who writes to it.

    ready: questions are answered; syncing: a run goes on; lag_s: from the change of a file to its
    being searchable, p50 of the newest, null when none was measured
    """

    ready: bool = Field(examples=[True])
    syncing: bool = Field(examples=[False])
    lag_s: float | None = Field(examples=[0.8])
    uptime_s: float = Field(examples=[3600.0])
    items: dict[str, int] = Field(examples=[{"image": 40, "audio": 2}])
    library: dict[str, Any]
    writer: dict[str, Any] | None


class SpaceOut(BaseModel):
    """A space. held: whether the library has vectors of it."""

    name: str = Field(examples=["starter"])
    held: bool = Field(examples=[True])
    default: bool = Field(examples=[True])


@public.get("/health", response_model=HealthOut)
def health() -> HealthOut:
    """Whether the server lives."""
    return HealthOut()


@router.get("/status", response_model=StatusOut, responses=problems())
def status(service: Served) -> dict[str, Any]:
    """What the library holds, and what the process that writes to it is doing."""
    return items.status(service.engine.rooms, service.since, service.ready.is_set())


@router.get("/spaces", response_model=list[SpaceOut], responses=problems())
def spaces(service: Served) -> list[SpaceOut]:
    """The spaces that this installation knows, and which of them the library is embedded in."""
    with service.engine.rooms.catalog.view() as view:
        held = {space.name for space in view.spaces()}
    default = service.settings.space
    return [
        SpaceOut(name=name, held=name in held, default=name == default)
        for name in sorted({*SPACES, *held})
    ]


@public.get("/metrics", response_class=Response, responses=NUMBERS | problems())
def metrics(service: Served) -> Response:
    """Numbers of the server and of the writing process, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(service.metrics)
    writer = of_writer("look")(service.settings.library)
    if writer is not None:
        registry.register(of_writer("metrics")(lambda: writer))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")
