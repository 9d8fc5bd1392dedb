"""Values from one process to another through memory that both see; nothing of it has a name.

The sender writes into an anonymous file and hands its descriptor over a socket. The memory is
free when the last of the two lets go of it, also when that one was killed.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import pickle
import socket
import struct
import tempfile
from collections.abc import Sequence
from typing import Any

from unisearch.errors import UnisearchError

_LENGTHS = struct.Struct("<Q")
_ALIGN = 64
#: Smaller messages are copied: mapping costs as much, and keeps a descriptor open.
_COPIED_BYTES = 512 * 1024
_MOST_BUFFERS = 512  # that one call of the system writes; the limit is 1,024


def write(value: Any) -> tuple[int, int]:
    """(descriptor, bytes) of a new anonymous file with the value; large arrays are not copied."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    lengths = b"".join(_LENGTHS.pack(number) for number in [len(parts), *map(len, parts)])
    pieces: list[memoryview] = []
    for part in [memoryview(lengths), *parts]:
        pieces += [part, memoryview(bytes(-len(part) % _ALIGN))]
    handle = _anonymous()
    try:
        size = _write_all(handle, pieces)
        if hasattr(os, "memfd_create"):
            # Whoever maps it can rely on its size: a read behind a cut end would be a crash.
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(handle)
        raise
    return handle, size


def read(handle: int, size: int) -> Any:
    """The value in it; closes the descriptor. Arrays are views, and free the memory when they go.

    As long as arrays of a large one are there, the map of it keeps a descriptor of its own.

    Raises UnisearchError when what was handed over is not what `write` makes.
    """
    try:
        if hasattr(os, "memfd_create"):
            sealed = fcntl.fcntl(handle, fcntl.F_GET_SEALS) & _SEALS == _SEALS
        else:
            sealed = True
        if not sealed or os.fstat(handle).st_size != size:
            raise UnisearchError("a process handed over memory that may change")
        shared = _bytes_of(handle, size)
    finally:
        os.close(handle)
    parts = _parts(shared)
    return pickle.loads(parts[0], buffers=parts[1:])  # of our own child, which runs our own code


def _bytes_of(handle: int, size: int) -> memoryview:
    """What is in the file, to be written to by nobody else."""
    if size >= _COPIED_BYTES:
        return memoryview(mmap.mmap(handle, size, access=mmap.ACCESS_COPY))
    copy = bytearray(size)
    at = os.lseek(handle, 0, os.SEEK_SET)
    while at < size and (more := os.readv(handle, [memoryview(copy)[at:]])):
        at += more
    return memoryview(copy)


if hasattr(os, "memfd_create"):
    _SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def _anonymous() -> int:
    """A file without a name: in memory on Linux, elsewhere unlinked before it is used."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unisearch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    handle, name = tempfile.mkstemp(prefix="unisearch-")
    os.unlink(name)  # noqa: PTH108
    return handle


def _write_all(handle: int, pieces: Sequence[memoryview]) -> int:
    total = 0
    for at in range(0, len(pieces), _MOST_BUFFERS):
        left = [piece.cast("B") for piece in pieces[at : at + _MOST_BUFFERS] if len(piece)]
        while left:
            written = os.writev(handle, left)
            total += written
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left:
                left[0] = left[0][written:]
    return total


def _parts(shared: memoryview) -> list[memoryview]:
    """The pickle and its buffers, as `write` laid them out."""
    count = _LENGTHS.unpack_from(shared)[0]
    lengths = [_LENGTHS.unpack_from(shared, 8 * (1 + row))[0] for row in range(count)]
    at, parts = _rounded(8 * (1 + count)), []
    for length in lengths:
        parts.append(shared[at : at + length])
        at += _rounded(length)
    return parts


def _rounded(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN


HEAD = struct.Struct("<cQdQ")  # what it is, bytes, seconds at work, bytes of memory in use


def send(line: socket.socket, kind: bytes, value: Any, busy_s: float, used: int) -> None:
    """Hand a value over, with what the sender says of itself."""
    handle, size = write(value)
    try:
        socket.send_fds(line, [HEAD.pack(kind, size, busy_s, used)], [handle])
    finally:
        os.close(handle)


def receive(line: socket.socket) -> tuple[bytes, Any, float, int] | None:
    """(kind, value, seconds at work, bytes in use) of the next message; None when none will come.

    Raises UnisearchError for something that `send` did not send.
    """
    try:
        data, handles, _, _ = socket.recv_fds(line, HEAD.size, 1)
        while data and len(data) < HEAD.size and (more := line.recv(HEAD.size - len(data))):
            data += more
    except ConnectionError:
        return None
    if not data:
        return None
    if len(handles) != 1 or len(data) != HEAD.size:
        for handle in handles:
            os.close(handle)
        raise UnisearchError("a process sent half a message")
    kind, size, busy_s, used = HEAD.unpack(data)
    try:
        value = read(handles[0], size)
    except (pickle.UnpicklingError, struct.error, ValueError, EOFError) as error:
        raise UnisearchError(f"a process sent damaged data: {error}") from error
    return kind, value, busy_s, used
