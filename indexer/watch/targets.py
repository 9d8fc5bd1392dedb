"""Which folders to watch, and how. Pure but for looks at the file system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from indexer.watch.hints import topmost
from unisearch.catalog.folders import relative
from unisearch.catalog.place import NETWORK, mounted
from unisearch.catalog.rows import RootRow

Polling = Literal["auto", "always", "never"]
Way = Literal["events", "polling"]


@dataclass(frozen=True)
class Target:
    """A folder to watch; deep: with all that lies below."""

    path: bytes
    deep: bool


@dataclass(frozen=True)
class Identity:
    """A folder as the system knows it: another one may stand there after a mount."""

    device: int
    inode: int


def targets_of(roots: Iterable[RootRow], asked: Sequence[bytes]) -> list[Target]:
    """The folders to watch for what was asked for, else for all roots; none lies in a deep one.

    asked: real paths, there or not; what is not there is taken for a folder
    """
    if asked:
        files = {path for path in asked if os.path.isfile(path)}  # noqa: PTH113 (bytes)
        deep = [path for path in asked if path not in files]
        flat = {os.path.dirname(path) for path in files}  # noqa: PTH120 (bytes)
    else:
        roots = list(roots)
        deep = [root.path for root in roots if root.whole]
        flat = {root.path for root in roots if not root.whole}
    deep = topmost(deep)
    alone = [path for path in sorted(flat) if not any(_in(path, above) for above in deep)]
    return [*(Target(path, True) for path in deep), *(Target(path, False) for path in alone)]


def way_of(path: bytes, polling: Polling) -> Way:
    """How a folder is watched; a network drive tells only of what this computer does there."""
    if polling == "always" or not sys.platform.startswith("linux"):
        return "polling"
    if polling == "never":
        return "events"
    kind, _ = mounted(Path(os.fsdecode(path)))
    return "polling" if kind in NETWORK else "events"


def identity(path: bytes) -> Identity | None:
    """Which folder that is; None when none is there or it cannot be looked at."""
    try:
        with os.scandir(path):
            status = os.stat(path)  # noqa: PTH116 (bytes)
    except OSError:
        return None
    return Identity(status.st_dev, status.st_ino)


def _in(path: bytes, above: bytes) -> bool:
    return relative(above, path) is not None
