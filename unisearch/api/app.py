"""The application: routes, guard and errors put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from unisearch.api import index, items, live, problems, search, searches, status
from unisearch.api.guard import OPEN, Guard
from unisearch.api.metrics import Counted
from unisearch.api.service import Service
from unisearch.registry import Entry, load

SUMMARY = "Search pictures, sounds, videos, 3D models and texts by each other."


#: Named, for its packages are an extra. It is put before the routes: (app, service) -> None.
PAGE = {"page": Entry("unisearch.api.page.mount:add_page", extras=("web",))}


def create_app(service: Service, page: bool = False) -> FastAPI:
    """The HTTP door of a library; the service is closed when the server ends.

    page: whether browsers are answered, too; one such app in a process
    Raises MissingExtra when its packages are not there.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        service.close()

    # The pages of Swagger and ReDoc load scripts from elsewhere; the document itself is served.
    app = FastAPI(
        title="unisearch", summary=SUMMARY, version=version("unisearch"), lifespan=lifespan,
        docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json", redirect_slashes=False,
    )  # fmt: skip
    app.state.service = service
    if service.settings.server.token_sha256:
        app.openapi = with_token(app.openapi)  # type: ignore[method-assign]
    problems.install(app)
    for router in (
        search.router,
        items.router,
        index.router,
        live.router,
        searches.router,
        status.router,
        status.public,
    ):
        app.include_router(router)
    if page:
        load("part of the server", PAGE, "page")(app, service)
    app.add_middleware(Counted, metrics=service.metrics)
    app.add_middleware(Guard, settings=service.settings.server, page=page)
    return app


def with_token(document: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The OpenAPI document, which says that all but /health needs the token."""

    def told() -> dict[str, Any]:
        whole = document()
        scheme = {"type": "http", "scheme": "bearer", "description": "unisearch serve --new-token"}
        whole.setdefault("components", {})["securitySchemes"] = {"token": scheme}
        whole["security"] = [{"token": []}]
        for path in OPEN:
            for operation in whole["paths"][path].values():
                operation["security"] = []
        return whole

    return told
