"""Puts the page beside the routes of the API: one application, one library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from nicegui import app as pages
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from unisearch.api import problems
from unisearch.api.guard import is_of_api
from unisearch.api.page import atlas, home, status
from unisearch.api.page.models import Models, add_models
from unisearch.api.page.policy import Documents
from unisearch.api.service import Service
from unisearch.api.session import (
    COOKIE,
    FORM,
    LASTS_S,
    LOGIN,
    LOST,
    is_session,
    is_token,
    new_session,
)

#: A browser that is away for longer, in a tunnel or asleep, loses what was asked on its page.
LOST_S = 60.0
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0f766e"'
    ' stroke-width="3"><circle cx="10" cy="10" r="7"/><path d="m15 15 7 7"/></svg>'
)


def add_page(app: FastAPI, service: Service) -> None:
    """Answer all that is not the API's with pages. Once in a process: pages are global there."""
    pages.state.unisearch = service
    home.add()
    atlas.add()
    status.add()
    whole = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_login(whole, service.settings.server.token_sha256)
    models = pages.state.models = Models(service)
    add_models(whole, models)
    problems.install(whole)
    pages.exception_handler(404)(lost)
    ui.run_with(
        whole, title="unisearch", favicon=ICON, dark=None, language="en-US", tailwind=False,
        show_welcome_message=False, reconnect_timeout=LOST_S, markdown=False,
        gzip_middleware_factory=None,  # documents are changed before they are packed
    )  # fmt: skip
    of_api = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with whole.router.lifespan_context(whole), of_api(app):
            yield
            models.close()

    app.router.lifespan_context = lifespan
    app.add_middleware(Pages, pages=GZipMiddleware(Documents(whole)))


def lost(request: Request, error: Exception) -> Response:
    """The answer where there is no page; what is no page answers as the API does."""
    del error
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(LOST, 404)
    return problems.problem(404, "there is no such page")


class Pages:
    """An ASGI application around the API's: has the page answer what is not for the API."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the one or the other does."""
        ours = scope["type"] in ("http", "websocket") and not is_of_api(scope["path"])
        await (self._pages if ours else self._app)(scope, receive, send)


def add_login(app: FastAPI, token_sha256: str) -> None:
    """The form that takes the token once and leaves a cookie that no script reads."""

    @app.get(LOGIN)
    def form(request: Request) -> Response:
        if not token_sha256 or is_session(request.headers.get("cookie", ""), token_sha256):
            return RedirectResponse("/", 303)
        return HTMLResponse(FORM.format(reason=""), headers={"Cache-Control": "no-store"})

    @app.post(LOGIN)
    def enter(token: str = Form("", max_length=1_000)) -> Response:
        if not token_sha256:
            return RedirectResponse("/", 303)
        if not is_token(token, token_sha256):
            return HTMLResponse(FORM.format(reason="That is not this server's token."), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, new_session(token_sha256), max_age=LASTS_S, httponly=True, samesite="strict"
        )
        return answer
