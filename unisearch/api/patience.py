"""Lines on which no request comes: the web server itself would wait for them for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol
else:
    Protocol = AutoHTTPProtocol

#: Longest head of a request, bytes.
MOST_HEAD = 65_536


def patient(pause_s: float) -> type[asyncio.Protocol]:
    """The web server's protocol, which ends a line without a whole head for so long."""
    return type("Patient", (Patience,), {"pause_s": pause_s})


class Patience(Protocol):
    """From the first byte, or from the connection on, the head of a request has `pause_s`."""

    pause_s = 30.0

    def __init__(self, config: Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._late: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody came."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of its body."""
        before = self.cycle
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is not before or self.transport.get_protocol() is not self:
            self._begun()
        elif before is None or before.response_complete:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD:
                self.transport.abort()
            elif self._late is None:
                self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went, or we let it go."""
        self._begun()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.pause_s, self.transport.abort)

    def _begun(self) -> None:
        self._head_bytes = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None
