"""Listens at LIBRARY/server.sock for commands of the same user; see unisearch/remote/local.py."""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from unisearch.config import Settings
from unisearch.engine.answer import Answer
from unisearch.engine.questions import Question
from unisearch.errors import UnisearchError
from unisearch.remote.local import (
    MOST_QUESTION_BYTES,
    SOCKET_FILE,
    answer_json,
    fingerprint,
    is_stale,
    term_of,
)
from unisearch.sockets import socket_path

logger = logging.getLogger(__name__)

#: So long may a command take to say what it wants.
PATIENCE_S = 3.0
Ask = Callable[[Question], Answer]
FRAME = {"into", "k", "each", "under", "where", "min_score", "names", "factors"}


class LocalDoor:
    """Answers commands from a thread each. close() takes the socket away.

    A server that already listens keeps the socket; one that cannot make it serves without.
    ask: answers a question; several threads call it
    """

    def __init__(self, settings: Settings, ask: Ask) -> None:
        self._library = settings.library
        self._server: _Server | None = None
        try:
            with socket_path(settings.library, SOCKET_FILE) as path:
                if not is_stale(path):
                    return
                with suppress(FileNotFoundError):  # a server that ends takes its own away
                    os.unlink(path)  # noqa: PTH108 (through a descriptor)
                before = os.umask(0o177)  # from its first moment it is ours alone
                try:
                    self._server = _Server(path, settings, ask)
                finally:
                    os.umask(before)
                self._own = os.stat(path)  # noqa: PTH116
        except OSError as error:
            logger.debug("no %s: %s", SOCKET_FILE, error)
            return
        threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True).start()

    def close(self) -> None:
        """Stop listening; what is asked now is answered."""
        if self._server is None:
            return
        try:
            with socket_path(self._library, SOCKET_FILE) as path:
                # Not that of a server that came after us.
                if os.path.samestat(os.stat(path), self._own):  # noqa: PTH116
                    os.unlink(path)  # noqa: PTH108
        except OSError:
            logger.debug("%s was gone", SOCKET_FILE)
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False  # a question that is being answered needs the engine open
    request_queue_size = 64

    def __init__(self, path: str, settings: Settings, ask: Ask) -> None:
        self.ours = json.loads(json.dumps(fingerprint(settings)))
        self.ask = ask
        super().__init__(path, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def handle(self) -> None:
        """One question, one answer."""
        try:
            if not is_ours(self.request):
                return
            line = self.rfile.readline(MOST_QUESTION_BYTES + 1)
            answer = self._answer(json.loads(line))
            self.wfile.write(json.dumps({"answer": answer}, default=plain).encode())
        except (OSError, ValueError, LookupError, TypeError) as error:
            logger.debug("a command was not answered: %s", error)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if {name: asked[name] for name in self.server.ours} != self.server.ours:
            return None
        frame = {name: value for name, value in asked["frame"].items() if name in FRAME}
        if frame.get("under") is not None:
            frame["under"] = Path(frame["under"])
        try:
            return answer_json(self.server.ask(Question([*map(term_of, asked["terms"])], **frame)))
        except UnisearchError:
            return None  # the command finds out itself


def is_ours(connection: socket.socket) -> bool:
    """Whether the same user is at the other end, as far as the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the socket's mode keeps others out
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user: int = struct.unpack("3i", said)[1]
    return user == os.geteuid()


def plain(value: Any) -> Any:
    """A number of numpy as JSON takes it."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value))
