"""Serves one library until it is told to stop."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable
from importlib.util import find_spec

import uvicorn

from unisearch.api.app import create_app
from unisearch.api.patience import MOST_HEAD, patient
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.errors import BadSetting, UnisearchError

logger = logging.getLogger(__name__)

#: What is under way at the end has so long.
GRACE_S = 5


def serve(settings: Settings, ready: Callable[[str, bool], object], page: bool = True) -> None:
    """Answer requests until SIGINT or SIGTERM.

    ready: called with the address when the port is open, and whether there is a page
    page: whether browsers are answered, too, if the extra 'web' is installed
    Raises BadSetting for an address that others reach without a token, UnisearchError for a port
    that is taken, and LibraryMissing.
    """
    check_exposure(settings)
    with listen(settings.server.host, settings.server.port) as listener:
        service = Service(settings)
        page = page and find_spec("nicegui") is not None
        server = Server(service, page)
        host, port = listener.getsockname()[:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}", page)
        server.run(sockets=[listener])


class Server(uvicorn.Server):
    """Answers requests; streams of events end first when it is told to stop."""

    def __init__(self, service: Service, page: bool) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(service, page), log_config=None, access_log=False, server_header=False,
                timeout_graceful_shutdown=GRACE_S, timeout_keep_alive=30,
                h11_max_incomplete_event_size=MOST_HEAD,
                http=patient(service.settings.server.upload_s),
            )
        )  # fmt: skip
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way, and end."""
        self._service.stop()
        await super().shutdown(sockets)


def check_exposure(settings: Settings) -> None:
    """Raise BadSetting when others could ask without a token."""
    server = settings.server
    if not server.token_sha256 and not is_loopback(server.host):
        raise BadSetting(
            f"server.host {server.host}: others could read your library; make a token first:"
            " 'unisearch serve --new-token'"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises UnisearchError in one line."""
    try:
        [(family, kind, proto, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1_024)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = f"{host}:{port}: {error.strerror}; choose another --port or --host"
        raise UnisearchError(reason) from error
    return listener
