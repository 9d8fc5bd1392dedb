"""Saved searches over HTTP: kept, listed, removed, and listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from unisearch.api.events import Listener, event, stream
from unisearch.api.live import streamed
from unisearch.api.problems import problems
from unisearch.api.saved import ID_PATTERN, Saved
from unisearch.api.schemas import MOST_HITS, MOST_OFFSET, Body, SearchIn
from unisearch.api.search import ask
from unisearch.api.service import Served, Service
from unisearch.errors import UnisearchError

router = APIRouter(prefix="/v1/saved", tags=["saved searches"])

SavedId = Annotated[str, Path(pattern=ID_PATTERN, examples=["0123456789abcdef"])]
EXAMPLE = 'event: match\ndata: {"rank":1,"item":17,"path":"/media/dog.wav","modality":"audio"}\n\n'


class SavedIn(Body):
    """A search to keep. Its k, offset and each do not count: all matches are told."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        examples=["barking dogs"]
    )
    question: SearchIn


class SavedOut(BaseModel):
    """A saved search. told: matches that are known to its listeners; made_s: since 1970"""

    id: str = Field(examples=["0123456789abcdef"])
    name: str = Field(examples=["barking dogs"])
    question: SearchIn
    made_s: float = Field(examples=[1760000000.0])
    told: int = Field(examples=[3])


@router.post("", status_code=201, response_model=SavedOut, responses=problems(404, 409, 422))
def save(service: Served, response: Response, wanted: SavedIn) -> dict[str, Any]:
    """Keep a search; what matches already counts as known."""
    if any(term.file is not None for term in wanted.question.terms):
        raise HTTPException(
            422, "question: a saved search holds no files; index it and name its item"
        )
    question = wanted.question.model_copy(update={"offset": 0})
    known = [hit["item"] for hit in matches(service, question, 0)]
    one = service.saved.add(wanted.name, question, known)
    response.headers["Location"] = f"/v1/saved/{one.id}"
    return saved_out(one)


@router.get("", response_model=list[SavedOut], responses=problems())
def saved(service: Served) -> list[dict[str, Any]]:
    """The saved searches, the oldest first."""
    return [saved_out(one) for one in service.saved.all()]


@router.delete("/{id}", status_code=204, responses=problems(404, 422))
def remove(service: Served, id: SavedId) -> None:
    """Drop a saved search; who listens to it hears no more."""
    found(service, id)
    service.saved.remove(id)


@router.get("/{id}/events", response_class=StreamingResponse,
            responses=streamed(EXAMPLE) | problems(404, 422))  # fmt: skip
async def events(service: Served, id: SavedId) -> StreamingResponse:
    """Server-Sent Events: a `match` for each item that matches and was not told before.

    What came while nobody listened is told first. A match is told again only when the line broke
    while it was sent. `problem` says why the question cannot be asked now, `end` that the search
    was removed.
    """
    found(service, id)
    seen: Hashable = None

    async def news(listener: Listener) -> AsyncIterator[bytes]:
        nonlocal seen
        if service.saved.get(id) is None:
            listener.ended = True
            yield event("end", {"id": id})
            return
        try:
            now = await run_in_threadpool(service.engine.rooms.catalog.changes)
            if now == seen:
                return
            new = await run_in_threadpool(unknown, service, id)
        except (HTTPException, UnisearchError) as error:
            detail = error.detail if isinstance(error, HTTPException) else str(error)
            now, new = seen, []
            yield event("problem", {"detail": detail})
        for hit in new:
            yield event("match", hit)
        if new:  # only now: these were sent
            await run_in_threadpool(service.saved.tell, id, [hit["item"] for hit in new])
        seen = now

    return stream(service.bus, news)


def unknown(service: Service, id: str) -> list[dict[str, Any]]:
    """The hits of a saved search that were not told yet."""
    one = service.saved.get(id)
    if one is None:
        return []
    return [
        hit for hit in matches(service, one.question, len(one.told)) if hit["item"] not in one.told
    ]


def matches(service: Service, question: SearchIn, known: int) -> list[dict[str, Any]]:
    """Hits that are not weak. known: so many may stand before the new ones"""
    k = min(known + MOST_HITS, MOST_OFFSET + MOST_HITS)
    hits = ask(service, question.model_copy(update={"k": k, "each": False}), [])["hits"]
    return [hit for hit in hits if not hit["weak"]]


def found(service: Service, id: str) -> Saved:
    """The search of that id. Raises HTTPException 404."""
    one = service.saved.get(id)
    if one is None:
        raise HTTPException(404, f"{id}: no search of that id is saved")
    return one


def saved_out(one: Saved) -> dict[str, Any]:
    """A saved search as plain values."""
    return {
        "id": one.id, "name": one.name, "question": one.question.model_dump(),
        "made_s": one.made_s, "told": len(one.told),
    }  # fmt: skip
