"""STL files checked before they are read: their header may declare anything.

Source of the format: https://www.fabbers.com/tech/STL_Format
"""

from __future__ import annotations

from pathlib import Path

from unisearch.errors import Unreadable
from unisearch.media.damage import Damage

_HEAD, _FACET = 84, 50  # bytes; the number of facets stands at the end of the head


def checked(path: Path, data: bytes, max_triangles: int) -> bytes:
    """The file, without what may stand behind the triangles of a binary one.

    Raises Damage for a file that ends early and Unreadable for too many triangles.
    """
    if _is_text(data):
        if b"endsolid" not in data.lower():
            raise Damage("it ends early: there is no 'endsolid'")
        return data
    if len(data) < _HEAD:
        raise Damage("it is shorter than the header of an STL file")
    declared, held = int.from_bytes(data[80:_HEAD], "little"), (len(data) - _HEAD) // _FACET
    if declared > held:
        raise Damage(f"it declares {declared:,} triangles, but holds {held:,}")
    if declared > max_triangles:
        reason = f"{declared:,} triangles, the limit is {max_triangles:,}"
        raise Unreadable(path, "too_large", reason)
    return data[: _HEAD + declared * _FACET]


def _is_text(data: bytes) -> bool:
    """A binary file may begin with 'solid', too, but then its length fits or zeros follow."""
    fits = len(data) == _HEAD + _FACET * int.from_bytes(data[80:_HEAD], "little")
    return not fits and b"\0" not in data[:4096] and b"solid" in data[:4096].lower()
