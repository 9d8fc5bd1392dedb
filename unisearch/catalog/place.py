"""Where a library can lie: not on a network file system.

SQLite's write-ahead log needs memory that all processes share, and mapped rows need a file that
nobody changes from afar; file locks of servers and clients do not always meet either.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from unisearch.errors import LibraryError, display

#: Kinds of file systems, as Linux names them, that other computers share.
NETWORK = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "pvfs2", "smb3", "smbfs"),
        *("fuse.ceph", "fuse.cephfs", "fuse.davfs2", "fuse.glusterfs", "fuse.goofys"),
        *("fuse.gvfsd-fuse", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
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
    """(kind, place) of the file system that holds the folder; two empty ones when unknown."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return "", b""
    wanted = os.path.realpath(os.fsencode(folder)) + b"/"
    found = "", b""
    for line in lines:
        head, _, tail = line.partition(b" - ")
        place = _plain(head.split(b" ")[4])
        # Of several at one place the last one is seen.
        if wanted.startswith(place.rstrip(b"/") + b"/") and len(place) >= len(found[1]):
            found = tail.split(b" ")[0].decode("ascii", "replace"), place
    return found


def _plain(escaped: bytes) -> bytes:
    """A path as it is: blanks and the like are listed as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda code: bytes([int(code[1], 8)]), escaped)
