"""What a document of the page may do in a browser: run the scripts of its own shell, no others."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A word that only this answer knows marks its scripts; what is put into the page later, whatever
#: markup it brings, runs none. Vue makes templates into functions in the browser: 'unsafe-eval'.
#: It and its components set styles on elements: 'unsafe-inline', for styles alone.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:;"
    " font-src 'self'; connect-src 'self' blob:; worker-src 'self' blob:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
#: Of the shell: in what a visitor or the library brought every '<' is an entity there.
_SCRIPT = re.compile(rb"<script(?=[\s>])")


class Documents:
    """An ASGI application around the pages': gives each HTML document its policy.

    Other answers keep the guard's, which allows nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does; a document is sent when it is whole."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def sending(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and is_document(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await send_document(start, body, send)

        await self._app(scope, receive, sending)


def is_document(start: Message) -> bool:
    """Whether an answer that begins so is HTML."""
    kind = MutableHeaders(scope=start).get("content-type", "")
    return kind.partition(";")[0].strip() == "text/html"


async def send_document(start: Message, body: bytes, send: Send) -> None:
    """Send it with the policy, and the scripts of its shell with the word that lets them run."""
    nonce = secrets.token_urlsafe(16)
    body = _SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), body)
    headers = MutableHeaders(scope=start)
    headers["Content-Length"] = str(len(body))
    headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    headers["Referrer-Policy"] = "same-origin"  # none would take the Origin from the form, too
    headers["Cache-Control"] = "no-store"  # a page belongs to its visit, and its word to one answer
    await send(start)
    await send({"type": "http.response.body", "body": body})
