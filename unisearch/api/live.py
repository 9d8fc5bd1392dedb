"""GET /v1/events: how the library is and what its jobs do, told as it changes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Hashable
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from unisearch.api.events import MEDIA_TYPE, Listener, event, stream
from unisearch.api.problems import problems
from unisearch.api.service import Served, Service, of_writer
from unisearch.api.status import status
from unisearch.errors import UnisearchError

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["events"])

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
    seen: Hashable = None

    async def news(listener: Listener) -> AsyncIterator[bytes]:
        nonlocal seen
        try:
            now = await run_in_threadpool(signs, service)
            if now != seen:  # only now it pays to count
                brief = await run_in_threadpool(status, service)
                seen, brief = now, {name: brief[name] for name in TOLD}
                if brief != told:
                    told.update(brief)
                    yield event("status", brief)
        except UnisearchError as error:  # it is moved or mended; what comes of it is told
            logger.debug("no status to tell: %s", error)
        for name, data in listener.take():
            yield event(name, data)

    return stream(service.bus, news)


def signs(service: Service) -> Hashable:
    """What differs when the status may have changed."""
    writer = of_writer("look")(service.settings.library)
    syncing = bool(writer and writer["run"])
    return service.engine.rooms.catalog.changes(), service.ready.is_set(), syncing
