"""Errors as RFC 9457 asks: application/problem+json with a title, a status and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from unisearch.api.jobs import TooMany
from unisearch.api.saved import TooManySaved
from unisearch.errors import (
    LibraryError,
    LibraryMissing,
    UnisearchError,
    Unreadable,
    UsageError,
    VectorError,
)


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    type: str = Field("about:blank", description="always about:blank: the status says the kind")
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["nothing to search for: give at least one term"])


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The `responses` of a route that may answer with these statuses."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": TITLES[status], "content": content}
        for status in (*statuses, *EVERYWHERE)
    }


TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
#: What the guard before all routes may answer.
EVERYWHERE = (400, 401, 403, 408, 413, 421, 429, 503)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer with that problem."""
    detail = detail.encode("utf-8", "backslashreplace").decode()  # it may repeat what was sent
    body = Problem(type="about:blank", title=TITLES.get(status, "Error"), status=status,
                   detail=detail)  # fmt: skip
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def status_of(error: UnisearchError) -> int:
    """The HTTP status that says whose fault an error is."""
    match error:
        case UsageError() | VectorError():
            return 400
        case TooManySaved():
            return 409
        case TooMany():
            return 429
        case Unreadable(transient=True):  # the system failed, not the file
            return 503
        case Unreadable(kind="too_large"):
            return 413
        case Unreadable(kind="unsupported"):
            return 415
        case Unreadable():
            return 422
        case LibraryMissing() | LibraryError():
            return 503
        case _:
            return 400


def install(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""

    @app.exception_handler(UnisearchError)
    async def ours(request: Request, error: UnisearchError) -> JSONResponse:
        del request
        return problem(status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"].startswith("model_attributes") and not is_json(request):
            return problem(422, "the body is no JSON: send 'Content-Type: application/json'")
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        detail = str(error.detail)
        if detail == TITLES.get(error.status_code):  # the framework's own: no route took it
            detail = f"{request.method} is not answered here; see /v1/openapi.json"
        return problem(error.status_code, detail, error.headers)


def is_json(request: Request) -> bool:
    """Whether the request says that its body is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
