"""Paths as bytes: root and relative path, and which items lie below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from unisearch.errors import UsageError


def real(path: str | bytes | os.PathLike[str]) -> bytes:
    """The absolute path without links of what somebody named, there or not.

    Raises UsageError for an empty path, which the system takes for the current folder.
    """
    named = os.fsencode(path)
    if not named:
        raise UsageError("an empty path")
    return os.path.realpath(named)


def join(root: bytes, rel_path: bytes) -> bytes:
    """The absolute path."""
    return root + rel_path if root.endswith(b"/") else root + b"/" + rel_path


def relative(root: bytes, path: bytes) -> bytes | None:
    """The path below the root: b'' for the root itself, None when it lies elsewhere."""
    if path == root:
        return b""
    start = root if root.endswith(b"/") else root + b"/"
    return path[len(start) :] if path.startswith(start) else None


def below(place: bytes, roots: Iterable[tuple[int, bytes]]) -> tuple[str, dict[str, Any]]:
    """' AND ...' on rows i of items or failures that lie at or below the place, and its values."""
    whole: list[int] = []
    parts: list[str] = []
    values: dict[str, Any] = {}
    roots = list(roots)
    for root, path in roots:
        if relative(place, path) is not None:
            whole.append(root)
        elif rest := relative(path, place):
            # '0' follows '/'. One range, so that it is read from the index; it also holds 'rest-x'.
            parts.append(
                f"(i.root_id = {root} AND i.rel_path >= :rest{root} AND i.rel_path < :high{root}"
                f" AND (i.rel_path = :rest{root} OR i.rel_path >= :low{root}))"
            )
            names = f"rest{root}", f"low{root}", f"high{root}"
            values |= zip(names, (rest, rest + b"/", rest + b"0"), strict=True)
    if len(whole) == len(roots):
        return "", {}
    if whole or not parts:  # '+': a whole root is many rows, fetched faster in their own order
        parts.append(f"+i.root_id IN ({', '.join(map(str, whole))})")
    return f" AND ({' OR '.join(parts)})", values
