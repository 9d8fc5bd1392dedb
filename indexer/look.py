"""Looking at the process that writes to a library, from another one."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

from indexer.handover import SOCKET_FILE, BadMessage, Job, Status, decode_answer, encode_job
from unisearch.sockets import socket_path

logger = logging.getLogger(__name__)

PATIENCE_S = 2.0
_CHUNK = 1 << 16


def look(library: Path) -> dict[str, Any] | None:
    """What the writer does now, see Meter.facts; None when none is there, or it does not say."""
    try:
        with socket.socket(socket.AF_UNIX) as connection, socket_path(library, SOCKET_FILE) as path:
            connection.settimeout(PATIENCE_S)
            connection.connect(path)
            connection.sendall(encode_job(Job("status")))
            answer = decode_answer(_line(connection))
    except (OSError, BadMessage) as error:
        logger.debug("no status of a writer: %s", error)
        return None
    return answer.facts if isinstance(answer, Status) else None


def _line(connection: socket.socket) -> bytes:
    came = bytearray()
    while not came.endswith(b"\n") and (chunk := connection.recv(_CHUNK)):
        came += chunk
    return bytes(came)
