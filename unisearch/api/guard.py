"""Who may ask, and how much: runs before every route, and before any model.

* A page of another site must not reach a server on this machine: only addresses, localhost and
  the configured names are taken as Host (DNS rebinding), and no foreign Origin.
* With a token, every request but /health must bear it, or the cookie of a browser that gave it.
* What opens a socket passes as a request does.
* Each client has so many requests a minute, and each request so many bytes and so long a pause.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unisearch.api.problems import problem
from unisearch.api.session import LOGIN, is_session, is_token
from unisearch.sections import ServerSettings

#: Answered without a token.
OPEN = ("/health",)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
#: What the API answers, and what lies below; the rest is the page's, where there is one.
API = ("/v1", "/health", "/metrics")
#: A body that comes slower than that is given up, whatever its pauses, bytes per second.
LEAST_RATE = 10_000
#: Clients whose requests are counted; the one that was silent longest is forgotten first.
CLIENTS = 10_000


def is_of_api(path: str) -> bool:
    """Whether the API answers at that path."""
    return any(path == own or path.startswith(f"{own}/") for own in API)


class TooLarge(HTTPException):
    """More bytes came than a request may have."""

    def __init__(self, detail: str) -> None:
        super().__init__(413, detail, {"Connection": "close"})


class TooSlow(HTTPException):
    """The client stopped sending in the middle of a request."""

    def __init__(self, detail: str) -> None:
        super().__init__(408, detail, {"Connection": "close"})


@dataclass
class _Allowance:
    """Requests that a client may still send."""

    left: float
    at: float


class Guard:
    """An ASGI application around another one. page: whether it answers with pages, too."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, page: bool = False) -> None:
        self._app = app
        self._page = page
        self._settings = settings
        self._names = {"localhost", *(name.lower() for name in settings.hosts)}
        self._clients: OrderedDict[str, _Allowance] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have the application answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            if self.refusal(scope, headers) is None:
                await self._app(scope, receive, send)
            else:  # before it was accepted: the server answers 403
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        refused = self.refusal(scope, headers)
        if refused is not None:
            status, detail, more = refused
            await problem(status, detail, more | {"Connection": "close"})(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = MutableHeaders(scope=message)
                for name, value in HEADERS.items():  # the page tells other ones of its documents
                    own.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, self._counted(receive), sending)
        except (TooLarge, TooSlow) as error:
            if started:
                raise
            await problem(error.status_code, error.detail, error.headers)(scope, receive, send)

    def refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, dict[str, str]] | None:
        """(status, why, headers) of a request that gets no further."""
        if not self._is_ours(headers.get("host", "")):
            return 421, "this server is not asked by that name; see 'server.hosts'", {}
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return 403, "pages of other sites may not ask", {}
        wait_s = self._wait_s(scope)  # guesses of the token are counted, too
        if wait_s > 0:
            return 429, "too many requests of this client", {"Retry-After": str(int(wait_s) + 1)}
        if scope["path"] not in OPEN and not self._is_known(scope, headers):
            if self._is_page(scope) and "text/html" in headers.get("accept", ""):
                return 303, "the page asks for the token", {"Location": LOGIN}
            return (
                401,
                "a token is needed: 'Authorization: Bearer …'",
                {"WWW-Authenticate": "Bearer"},
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return 400, "Content-Length is no number", {}
        if int(length) > self._most:
            return 413, self._too_large(), {}
        return None

    @property
    def _most(self) -> int:
        return self._settings.upload_mb * 1_000_000

    def _too_large(self) -> str:
        return f"a request has at most {self._settings.upload_mb} MB; see 'server.upload_mb'"

    def _is_ours(self, host: str) -> bool:
        """Whether a browser that was led here by another site's name would not send this."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name or not (port.isdecimal() or not port):
            name = host
        name = name.lower().removesuffix(".")
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _is_page(self, scope: Scope) -> bool:
        return self._page and not is_of_api(scope["path"])

    def _is_known(self, scope: Scope, headers: Headers) -> bool:
        wanted = self._settings.token_sha256
        if not wanted or (self._page and scope["path"] == LOGIN):
            return True
        kind, _, token = headers.get("authorization", "").partition(" ")
        if is_token(token, wanted) and kind.lower() == "bearer":
            return True
        return self._page and is_session(headers.get("cookie", ""), wanted)

    def _wait_s(self, scope: Scope) -> float:
        """How long the client should wait; 0: not at all."""
        rate = self._settings.requests_per_minute
        if not rate:
            return 0.0
        client, now = (scope.get("client") or ("",))[0], time.monotonic()
        one = self._clients.pop(client, None) or _Allowance(rate, now)
        self._clients[client] = one
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        one.left = min(rate, one.left + (now - one.at) * rate / 60)
        one.at = now
        if one.left < 1:
            return (1 - one.left) * 60 / rate
        one.left -= 1
        return 0.0

    def _counted(self, receive: Receive) -> Receive:
        """The request's body, as far as it is not too long and does not let us wait."""
        came, ended, began = 0, False, 0.0

        async def receiving() -> Message:
            nonlocal came, ended, began
            if ended:  # what follows is only that the client goes away
                return await receive()
            pause_s = self._settings.upload_s
            began = began or time.monotonic()
            late_s = began + pause_s + came / LEAST_RATE - time.monotonic()
            try:
                # Not wait_for: that makes a task of each.
                async with asyncio.timeout(max(0.0, min(pause_s, late_s))):
                    message = await receive()
            except TimeoutError:
                raise TooSlow("the request comes too slowly; see 'server.upload_s'") from None
            came += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if came > self._most:
                raise TooLarge(self._too_large())
            return message

        return receiving
