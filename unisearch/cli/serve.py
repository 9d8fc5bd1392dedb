"""unisearch serve: the HTTP API and the page."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from unisearch.cli.door import door
from unisearch.cli.interrupt import interrupt
from unisearch.registry import Entry, load

#: The other door, named as a string: neither knows the other.
SERVER = {"server": Entry("unisearch.api.serve:serve")}


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at; 0 takes a free one.")] = None,
    page: Annotated[
        bool, typer.Option("--page/--no-page", help="Answer browsers, too; needs the extra 'web'.")
    ] = True,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Make a token, say where it belongs, and end.")
    ] = False,
) -> None:
    """Answer questions over HTTP, until it is stopped.

    Only this machine reaches it at first. Another address needs a token, whose SHA-256 stands in
    the configuration. A browser shows the page there, and asks for the token once. The OpenAPI
    document is at /v1/openapi.json.

    Ctrl-C and SIGTERM end it with exit code 0: what is asked is answered first, a running index
    job stores what it has done.
    """
    if new_token:
        print_token()
        return
    settings = door(ctx).settings()
    changed = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    server = settings.server.model_validate(settings.server.model_dump() | changed)
    settings = settings.model_copy(update={"server": server})
    # The server ends at both, and raises them again when all is closed.
    signal.signal(signal.SIGTERM, interrupt)
    with suppress(KeyboardInterrupt):
        load("server", SERVER, "server")(settings, partial(ready, page), page)
    logging.shutdown()
    os._exit(0)  # all is closed; see watch


def ready(wanted: bool, address: str, page: bool) -> None:
    """Say where it answers, and how the page is had where it is missing but wanted."""
    say = partial(print, file=sys.stderr, flush=True)
    if page:
        say(f"open {address} in a browser")
    elif wanted:
        say("no page for browsers: pip install 'unisearch[web]'")
    say(f"serving at {address}/v1 (Ctrl-C stops)")


def print_token() -> None:
    """A token for clients, and what the server knows of it."""
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    print(token)
    print("clients send it: 'Authorization: Bearer TOKEN'; it is shown only now", file=sys.stderr)
    print(f"config.yaml keeps its digest:\nserver:\n  token_sha256: {digest}", file=sys.stderr)
