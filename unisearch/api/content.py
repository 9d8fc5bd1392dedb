"""The bytes of an item: only what lies below an indexed folder now; no browser runs them."""

from __future__ import annotations

import logging
import mimetypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from unisearch.catalog.rows import ItemRow
from unisearch.engine import items
from unisearch.errors import UnisearchError, display

logger = logging.getLogger(__name__)

CHUNK = 1 << 18
#: Shown by a browser as they are; everything else is downloaded.
INLINE = ("image/", "audio/", "video/")
#: Not so a picture that may hold a script.
SCRIPTS = ("image/svg+xml",)
TYPES = {".glb": "model/gltf-binary", ".gltf": "model/gltf+json", ".obj": "model/obj",
         ".stl": "model/stl", ".ply": "application/octet-stream", ".flac": "audio/flac",
         ".opus": "audio/ogg", ".webp": "image/webp", ".avif": "image/avif",
         ".heic": "image/heic", ".mkv": "video/x-matroska"}  # fmt: skip
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Span:
    """Bytes [start, stop) of `size`."""

    start: int
    stop: int
    size: int

    @property
    def is_part(self) -> bool:
        """Whether these are not all."""
        return self.stop - self.start < self.size


def content(item: ItemRow, range_header: str | None, head: bool = False) -> Response:
    """The file of an item, or the range of it that was asked for.

    Raises HTTPException 410 for one that is gone or is not that file any more, 416 for a range
    beyond its end.
    """
    handle = open_below(item.root_path, item.path)
    try:
        size = os.fstat(handle).st_size
        span = span_of(range_header, size)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Length": str(span.stop - span.start),
            "Content-Disposition": disposition(item),
            "ETag": f'"{item.stat.mtime_ns:x}-{size:x}"',
        }
        if span.is_part:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    except BaseException:
        os.close(handle)
        raise
    status = 206 if span.is_part else 200
    if head:
        os.close(handle)
        return Response(None, status, headers, media_type=type_of(item))
    sent = Sent(read(handle, span), status, headers, media_type=type_of(item))
    sent.path, sent.handle = item.path, handle
    return sent


def open_below(root: bytes, path: bytes) -> int:
    """As of the engine. Raises HTTPException 410."""
    try:
        return items.open_below(root, path)
    except UnisearchError as error:
        raise HTTPException(410, str(error)) from None


def span_of(range_header: str | None, size: int) -> Span:
    """What a Range header asks for; all of it where there is none that is understood."""
    found = _RANGE.fullmatch(range_header.strip()) if range_header else None
    if found is None or found[0] == "bytes=-":
        return Span(0, size, size)
    first, last = found.groups()
    if len(first) > 18 or len(last) > 18:
        raise HTTPException(
            416, "the range lies beyond the end", {"Content-Range": f"bytes */{size}"}
        )
    if not first:
        return Span(max(0, size - int(last)), size, size)
    stop = min(size, int(last) + 1) if last else size
    if int(first) >= stop:
        raise HTTPException(
            416, "the range lies beyond the end", {"Content-Range": f"bytes */{size}"}
        )
    return Span(int(first), stop, size)


def read(handle: int, span: Span) -> Iterator[bytes]:
    """The bytes, a piece at a time.

    Raises CutShort when the file was cut meanwhile, or its drive is gone.
    """
    at = span.start
    while at < span.stop:
        try:
            piece = os.pread(handle, min(CHUNK, span.stop - at), at)
        except OSError as error:
            raise CutShort((error.strerror or str(error)).lower()) from None
        if not piece:
            raise CutShort(f"it has {at:,} of {span.size:,} bytes now")
        yield piece
        at += len(piece)


class CutShort(Exception):
    """A file does not hold any more what its answer has promised."""


class Sent(StreamingResponse):
    """A file on its way to a client, who knows its length and sees when the line ends before."""

    path = b""
    handle = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the descriptor is closed also when the client goes before the first byte."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self.handle)

    async def stream_response(self, send: Send) -> None:
        """Send it; of one that is cut meanwhile what there is, and one line tells it here."""
        try:
            await super().stream_response(send)
        except CutShort as error:
            logger.warning("%s: changed while it was sent: %s", display(self.path), error)


def type_of(item: ItemRow) -> str:
    """The media type by the name, as the item's reader is chosen; text is plain, whatever it is."""
    if item.modality == "text" and item.suffix not in ("pdf", ".pdf"):
        return "text/plain; charset=utf-8"
    suffix = Path(os.fsdecode(item.path)).suffix.lower()
    return TYPES.get(suffix) or mimetypes.types_map.get(suffix) or "application/octet-stream"


def disposition(item: ItemRow) -> str:
    """Shown or downloaded, and under which name: it may hold anything, so it is quoted."""
    kind = type_of(item)
    shown = kind.startswith(INLINE) and kind not in SCRIPTS
    name = Path(os.fsdecode(item.path)).name.encode("utf-8", "replace")
    quoted = "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"-._" else f"%{byte:02X}"
        for byte in name
    )
    return f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quoted}"
