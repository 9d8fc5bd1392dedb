"""Who may ask, and how much: runs before every route, and before any model.

* A page of another site must not reach a server on this machine: only addresses, localhost and
  the configured names are taken as Host (DNS rebinding), and no foreign Origin.
* With a token, every request but /health must bear it.
* Each client has so many requests a minute, and each request so many bytes and so long a pause.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unisearch.api.problems import problem
from unisearch.config import ServerSettings

#: Answered without a token.
OPEN = ("/health",)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
#: Clients whose requests are counted; the one that was silent longest is forgotten first.
CLIENTS = 10_000


class TooLarge(Exception):
    """More bytes came than a request may have."""


class TooSlow(Exception):
    """The client stopped sending in the middle of a request."""


@dataclass
class _Allowance:
    """Requests that a client may still send."""

    left: float
    at: float


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings
        self._names = {"localhost", *(name.lower() for name in settings.hosts)}
        self._clients: OrderedDict[str, _Allowance] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have the application answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
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
                for name, value in HEADERS.items():
                    own.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, self._counted(receive), sending)
        except (TooLarge, TooSlow) as error:
            if started:
                raise
            status = 413 if isinstance(error, TooLarge) else 408
            await problem(status, str(error), {"Connection": "close"})(scope, receive, send)

    def refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, dict[str, str]] | None:
        """(status, why, headers) of a request that gets no further."""
        if not self._is_ours(headers.get("host", "")):
            return 421, "this server is not asked by that name; see 'server.hosts'", {}
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return 403, "pages of other sites may not ask", {}
        if scope["path"] not in OPEN and not self._is_known(headers.get("authorization", "")):
            return (
                401,
                "a token is needed: 'Authorization: Bearer …'",
                {"WWW-Authenticate": "Bearer"},
            )
        wait_s = self._wait_s(scope)
        if wait_s > 0:
            return 429, "too many requests of this client", {"Retry-After": str(int(wait_s) + 1)}
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

    def _is_known(self, authorization: str) -> bool:
        wanted = self._settings.token_sha256
        if not wanted:
            return True
        kind, _, token = authorization.partition(" ")
        found = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
        return hmac.compare_digest(found, wanted) and kind.lower() == "bearer"

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
        came, ended = 0, False

        async def receiving() -> Message:
            nonlocal came, ended
            if ended:  # what follows is only that the client goes away
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._settings.upload_s)
            except TimeoutError:
                raise TooSlow("nothing came for too long; see 'server.upload_s'") from None
            came += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if came > self._most:
                raise TooLarge(self._too_large())
            return message

        return receiving
