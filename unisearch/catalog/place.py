"""Where a library can lie: not on a network file system.

SQLite's write-ahead log needs memory that all processes share, and mapped rows need a file that
nobody changes from afar; file locks of servers and clients do not always meet either.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from unisearch.errors import LibraryError, display

#: Kinds of file systems, as Linux names them, that other computers share. Not 9p and virtiofs:
#: containers and virtual machines have their root on them.
NETWORK = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf"),
        *("fuse.blobfuse2", "fuse.ceph", "fuse.cephfs", "fuse.davfs2", "fuse.gcsfuse"),
        *("fuse.glusterfs", "fuse.goofys", "fuse.gvfsd-fuse", "fuse.juicefs", "fuse.mfs"),
        *("fuse.mount-s3", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
_MOUNTS = Path("/proc/self/mountinfo")


def refuse_network(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Raise LibraryError when the folder, there or not, lies on a network file system.

    mounts: the list of mounts as Linux writes it; a system without one is believed
    """
    kind, place = mounted(folder, mounts)
    if kind in NETWORK:
        raise LibraryError(
            f"{display(folder)}: lies on a network file system ({kind} at {display(place)}), where"
            " a library is not safe; choose a local folder with --library, media may stay there"
        )


def mounted(folder: Path, mounts: Path = _MOUNTS) -> tuple[str, bytes]:
    """(kind, place) of the file system that holds the folder; two empty ones when unknown.

    Walks as the kernel does: from each folder of the path into what is mounted there on the
    file system reached so far. So it does not find what a later mount above it hides.
    """
    try:
        on = _mounts_on(mounts.read_bytes())
    except OSError:
        return "", b""
    path = os.path.realpath(os.fsencode(folder))
    ends = [i for i in range(1, len(path)) if path[i : i + 1] == b"/"]
    number, kind, found = b"", "", b""
    for place in [b"/", *(path[:end] for end in ends), path]:
        while (number, place) in on:  # several may lie on each other
            number, kind = on.pop((number, place))
            found = place
    return kind, found


def _mounts_on(listed: bytes) -> dict[tuple[bytes, bytes], tuple[bytes, str]]:
    """(number, kind) of each mount, by the number of the one that it is mounted on and its place.

    listed: lines 'number parent device root place options - kind source options', see proc(5)
    A parent that is not listed, since it lies outside of what this process sees, is b"".
    """
    mounts = []
    for line in listed.split(b"\n"):  # not splitlines: a place may hold a carriage return
        head, _, tail = line.partition(b" - ")
        fields = head.split(b" ")
        if len(fields) > 5:
            kind = tail.split(b" ")[0].decode("ascii", "replace")
            mounts.append((fields[0], fields[1], _plain(fields[4]), kind))
    numbers = {number for number, *_ in mounts}
    return {
        (parent if parent in numbers and parent != number else b"", place): (number, kind)
        for number, parent, place, kind in mounts
    }


def _plain(escaped: bytes) -> bytes:
    """A path as it is: blanks and the like are listed as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda code: bytes([int(code[1], 8)]), escaped)
