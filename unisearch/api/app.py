"""The application: routes, guard and errors put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from unisearch.api import items, problems, search, status
from unisearch.api.guard import Guard
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
        docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json",
    )  # fmt: skip
    app.state.service = service
    problems.install(app)
    for router in (search.router, items.router, status.router):
        app.include_router(router, prefix="/v1")
    app.include_router(status.public)
    if page:
        load("part of the server", PAGE, "page")(app, service)
    app.add_middleware(Counted, metrics=service.metrics)
    app.add_middleware(Guard, settings=service.settings.server, page=page)
    return app
