"""Items by their ids: what is known of them, what is like them, their bytes and previews."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, Field

from unisearch.api.content import content
from unisearch.api.problems import problems
from unisearch.api.schemas import MOST_FACTORS, MOST_HITS, AnswerOut, SearchIn, TermIn
from unisearch.api.search import ask
from unisearch.api.service import Served
from unisearch.engine.items import known
from unisearch.engine.terms import MAX_ID
from unisearch.previews.make import Kind
from unisearch.records import Modality

router = APIRouter(prefix="/v1/items", tags=["items"])

ItemId = Annotated[int, Path(ge=1, le=MAX_ID)]
PREVIEW_TYPES: dict[Kind, str] = {
    "still": "image/webp", "turn": "image/webp", "text": "text/plain; charset=utf-8"
}  # fmt: skip
#: A page that is looked at again soon does not ask for its pictures again.
KEPT = {"Cache-Control": "private, max-age=60"}

#: Of whatever kind the file is.
_BINARY = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": _BINARY},
    206: {"description": "A range of it", "content": _BINARY},
}
PREVIEWS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A picture or a text",
        "content": {
            "image/webp": {"schema": {"type": "string", "format": "binary"}},
            "text/plain": {"schema": {"type": "string"}, "example": "The lighthouse stands on"},
        },
    }
}


class ItemOut(BaseModel):
    """A file of the library. modality is null while it cannot be read."""

    item: int = Field(examples=[17])
    root: int = Field(examples=[1])
    path: str = Field(examples=["/media/dog.wav"])
    path_b64: str | None = None
    modality: Modality | None
    size_bytes: int
    mtime_s: float
    facts: dict[str, float] = Field(examples=[{"duration_s": 2.5, "rate_hz": 44100}])
    tags: list[str] = Field(examples=[["loud"]])
    labels: dict[str, list[str]]
    truncated_at_s: float | None
    previews: list[Kind]


class ItemsOut(BaseModel):
    """A page of items, by id. after: where the next page begins, null at the end."""

    items: list[ItemOut]
    after: int | None


@router.get("", response_model=ItemsOut, responses=problems(422))
def items(
    service: Served,
    after: Annotated[int, Query(ge=0, le=MAX_ID, description="items of larger ids")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = 50,
) -> dict[str, Any]:
    """List the items of the library."""
    with service.engine.rooms.catalog.view() as view:
        rows = view.items_after(after, limit + 1)
    page = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [known(service.engine.rooms, row) for row in page],
        "after": page[-1].id if more else None,
    }


@router.get("/{item}", response_model=ItemOut, responses=problems(404, 422))
def item(service: Served, item: ItemId) -> dict[str, Any]:
    """What is known of an item."""
    return known(service.engine.rooms, service.item(item))


@router.get("/{item}/similar", response_model=AnswerOut, responses=problems(404, 422))
def similar(
    service: Served,
    item: ItemId,
    into: Annotated[list[Modality] | None, Query()] = None,
    k: Annotated[int, Query(ge=1, le=MOST_HITS)] = 10,
    factors: Annotated[
        str | None,
        Query(
            max_length=MOST_FACTORS,
            examples=["at_expertise", "audio=0.8,text=0.5"],
            description="how much of its experts counts this once, in a space that has some",
        ),
    ] = None,
) -> dict[str, Any]:
    """What is like an item, without itself and its copies."""
    service.item(item)
    asked = SearchIn(terms=[TermIn(item=item)], into=into, k=k, factors=factors)
    return ask(service, asked, [])


@router.head("/{item}/content", include_in_schema=False)
@router.get("/{item}/content", response_class=Response,
            responses=BYTES | problems(404, 410, 416, 422))  # fmt: skip
def item_content(
    service: Served,
    request: Request,
    item: ItemId,
    range: Annotated[str | None, Header()] = None,
) -> Response:
    """The file itself, or a range of it."""
    return content(service.item(item), range, head=request.method == "HEAD")


@router.get("/{item}/preview", response_class=Response, responses=PREVIEWS | problems(404, 422))
def preview(service: Served, item: ItemId, kind: Kind = "still") -> Response:
    """A small picture, a film of one turn, or the beginning of a text."""
    picture = service.engine.preview(item, kind)  # it may go at any moment
    if picture is None:
        service.item(item)
        raise HTTPException(404, f"item {item}: has no preview '{kind}' (yet)")
    return Response(picture, headers=KEPT, media_type=PREVIEW_TYPES[kind])
