"""Where the previews of a content lie: FOLDER/AB/CDEF….webp, by the digest of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from unisearch.previews.make import Kind

SUFFIXES: Mapping[Kind, str] = {"still": ".webp", "turn": ".turn.webp", "text": ".txt"}
KINDS: tuple[Kind, ...] = get_args(Kind)


def place(folder: Path, digest: bytes, kind: Kind) -> Path:
    """Where that preview lies, or would lie."""
    name = digest.hex()
    return folder / name[:2] / (name[2:] + SUFFIXES[kind])


def places(folder: Path, digest: bytes) -> dict[Kind, Path]:
    """Where each kind of preview of that content would lie."""
    return {kind: place(folder, digest, kind) for kind in KINDS}


def found(folder: Path, digest: bytes) -> dict[Kind, Path]:
    """The previews that are there; an empty file is what a power cut left of one."""
    return {kind: path for kind, path in places(folder, digest).items() if _size(path)}


def read(folder: Path, digest: bytes, kind: Kind) -> bytes | None:
    """The bytes of a preview; None when there is none, or none any more."""
    try:
        return place(folder, digest, kind).read_bytes() or None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _size(path: Path) -> int:
    """In bytes, in one look: the indexer may remove it at any moment."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def digest_of(path: Path) -> bytes | None:
    """The content whose preview would have that path, None for a name that is none."""
    name, _, suffix = path.name.partition(".")
    if f".{suffix}" not in SUFFIXES.values() or len(path.parent.name) != 2:
        return None
    try:
        digest = bytes.fromhex(path.parent.name + name)
    except ValueError:
        return None
    # fromhex also reads capitals and blanks, which no preview has in its name.
    return digest if digest.hex() == path.parent.name + name else None
