"""What happens, told as it happens: Server-Sent Events.

A client that reads slowly misses no end: of each thing only the newest news wait for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

#: Pause after which a comment shows that the line lives, and between two looks for changes.
HEARTBEAT_S, LOOK_S = 15.0, 1.0
#: Streams at a time: each keeps a connection.
MOST_STREAMS = 64
HEARTBEAT = b": alive\n\n"
MEDIA_TYPE = "text/event-stream"


class Listener:
    """What one client has not been told yet: the newest of each key."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rings = asyncio.Event()
        self._news: dict[str, tuple[str, Any]] = {}
        self.ended = False

    def put(self, name: str, key: str, data: Any) -> None:
        """Something happened; from any thread."""
        self._news[key] = name, data
        self.ring()

    def ring(self) -> None:
        """Have `wait` return."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._rings.set)

    async def wait(self, timeout_s: float) -> None:
        """Until something happens, but no longer."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rings.wait(), timeout_s)
        self._rings.clear()

    def take(self) -> Iterator[tuple[str, Any]]:
        """(name, data) of what happened."""
        for key in list(self._news):
            yield self._news.pop(key)


class Bus:
    """Tells all who listen. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def join(self) -> Listener:
        """One more who listens, until `leave`. Raises HTTPException 503 when nobody more can."""
        listener = Listener()
        with self._lock:
            if self._closed:
                raise HTTPException(503, "the server ends")
            if len(self._listeners) >= MOST_STREAMS:
                raise HTTPException(503, f"{MOST_STREAMS} streams are open", {"Retry-After": "10"})
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """It listens no more."""
        with self._lock:
            self._listeners.discard(listener)

    def tell(self, name: str, key: str, data: Any) -> None:
        """Something happened. key: older news of the same key need not be told any more"""
        with self._lock:
            for listener in self._listeners:
                listener.put(name, key, data)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                listener.ended = True
                listener.ring()


def event(name: str, data: Any) -> bytes:
    """One event as it goes over the line; JSON has no line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def stream(bus: Bus, news: Callable[[Listener], AsyncIterator[bytes]]) -> StreamingResponse:
    """The answer that goes on until the client or the server ends it.

    news: the events of now; asked again whenever something happened, and every LOOK_S
    Raises HTTPException 503 when there are too many.
    """
    listener = bus.join()
    headers = {"Cache-Control": "no-store"}
    answer = Stream(_events(listener, news), media_type=MEDIA_TYPE, headers=headers)
    answer.leave = partial(bus.leave, listener)
    return answer


class Stream(StreamingResponse):
    """Events on their way to a client, who leaves also when it goes before the first of them."""

    leave: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them until the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.leave()


async def _events(
    listener: Listener, news: Callable[[Listener], AsyncIterator[bytes]]
) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    yield HEARTBEAT
    said = clock()
    while not listener.ended:
        async for chunk in news(listener):
            yield chunk
            said = clock()
        if clock() - said >= HEARTBEAT_S:
            yield HEARTBEAT
            said = clock()
        await listener.wait(LOOK_S)
