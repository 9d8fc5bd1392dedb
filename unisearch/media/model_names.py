"""What 3D files call their parts, beyond the names of nodes: materials, groups, the whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from unisearch.media.tags import clean

#: Names that are looked at in one file.
_MOST = 1_000
#: Objects, groups and materials of Wavefront OBJ.
_OBJ = re.compile(rb"^(?:o|g|usemtl)[ \t]+(\S[^\r\n]*)", re.MULTILINE)
#: What programs call a material that nobody named.
_NAMELESS = re.compile(
    r"(?:default|no)?[ _-]?(?:material|mat|lambert|phong|blinn|standard|shader|surface|group|object"
    r"|mesh|initialshadinggroup|none|off|default)?[ _.:-]*\d*(?:sg)?",
    re.IGNORECASE,
)


def obj_names(data: bytes) -> list[str]:
    """The names of objects, groups and materials in an OBJ file."""
    found = dict.fromkeys(
        match[1] for _, match in zip(range(_MOST), _OBJ.finditer(data), strict=False)
    )
    return told(name.decode("utf-8", "replace") for name in found)


def gltf_names(header: Mapping[str, Any]) -> list[str]:
    """The names of scenes and materials in a glTF file (2.0, 3.2 and 3.9), and its own."""
    found: list[object] = [*gltf_labels(header).get("title", ())]
    for kind in ("scenes", "materials"):
        entries = header.get(kind)
        listed = entries[:_MOST] if isinstance(entries, list) else []
        found += [entry.get("name") for entry in listed if isinstance(entry, dict)]
    return told(found)


def gltf_labels(header: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Title and author that the asset carries, as the large collections of models write them."""
    asset = header.get("asset")
    extras = asset.get("extras") if isinstance(asset, dict) else None
    if not isinstance(extras, dict):
        return {}
    found = {"title": clean(extras.get("title")), "artist": clean(extras.get("author"))}
    return {name: (value,) for name, value in found.items() if value}


def told(names: Iterable[object]) -> list[str]:
    """The names that somebody chose, cleaned, each once."""
    cleaned = dict.fromkeys(map(clean, names))
    return [name for name in cleaned if name and not _NAMELESS.fullmatch(name)]
