"""Which file systems number their files for good: the others are told apart by what is in them."""

from __future__ import annotations

import os
from pathlib import Path

from unisearch.catalog.place import NETWORK, mounted

#: Kinds, as Linux names them, that may give a file another inode number after a mount, after it was
#: written to the first time (overlay), or whenever it was out of memory (FAT has none on the disk).
#: And all of FUSE, which leaves it to each program.
UNSTABLE = NETWORK | {"9p", "aufs", "exfat", "msdos", "overlay", "umsdos", "vfat", "virtiofs"}


def keeps_inodes(path: bytes) -> bool:
    """Whether the file system at that path does; an unknown one, as outside Linux, is believed."""
    kind, _ = mounted(Path(os.fsdecode(path)))
    return kind not in UNSTABLE and not kind.startswith("fuse")
