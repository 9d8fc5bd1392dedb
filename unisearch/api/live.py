"""GET /v1/events: how the library is and what its jobs do, told as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from unisearch.api.events import MEDIA_TYPE, Listener, event, stream
from unisearch.api.problems import problems
from unisearch.api.service import Served, Service
from unisearch.api.status import status

router = APIRouter(tags=["events"])

#: What of the status is told here; the rest changes all the time.
TOLD = ("ready", "syncing", "items")
EXAMPLE = 'event: status\ndata: {"ready":true,"syncing":false,"items":{"image":40}}\n\n'


def streamed(example: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that tells events."""
    content = {MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": "Events until the client goes", "content": content}}


@router.get("/events", response_class=StreamingResponse,
            responses=streamed(EXAMPLE) | problems())  # fmt: skip
async def events(service: Served) -> StreamingResponse:
    """Server-Sent Events: `status` with what changed, `job` with the progress of index jobs.

    A comment comes every 15 s when nothing else does.
    """
    told: dict[str, Any] = {}

    async def news(listener: Listener) -> AsyncIterator[bytes]:
        now = await run_in_threadpool(brief, service)
        if now != told:
            told.update(now)
            yield event("status", now)
        for name, data in listener.take():
            yield event(name, data)

    return stream(service.bus, news)


def brief(service: Service) -> dict[str, Any]:
    """The part of the status that is told."""
    whole = status(service)
    return {name: whole[name] for name in TOLD}
