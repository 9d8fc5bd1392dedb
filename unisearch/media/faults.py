"""What is wrong with a model that its library refused, and in which line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from unisearch.media.damage import Damage, in_our_words
from unisearch.media.ply import evened, header_of
from unisearch.media.rows import is_number, worded

#: Looking through more text than this would take longer than reading it did.
MAX_BYTES = 32 * 1024**2

#: What the first bytes must be, and what is told when they are something else.
_BEGINS: dict[str, tuple[tuple[bytes, ...], str]] = {
    ".glb": ((b"glTF",), "it does not begin as a GLB model does"),
    ".ply": ((b"ply", b"PLY"), "it does not begin with 'ply'"),
    ".npy": ((b"\x93NUMPY", b"\x80"), "it has no numpy header"),
    ".usdc": ((b"PXR-USDC",), "it does not begin as a USDC model does"),
    **dict.fromkeys((".npz", ".3mf", ".usdz"), ((b"PK",), "its zip archive is damaged")),
}
_TEXTS = (".obj", ".off", ".gltf", ".dae", ".xyz", ".usda")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_Line = tuple[int, list[str]]  # its number, from 1, and its words


def check_head(head: bytes, suffix: str) -> None:
    """Raises Damage for a file that cannot be what its suffix says, before all of it is read.

    head: its first bytes
    """
    begins, reason = _BEGINS.get(suffix, ((), ""))
    if begins and not head.startswith(begins):
        raise Damage(reason)
    if suffix in _TEXTS and b"\0" in head and head[:2] not in _UTF16:
        raise Damage("it holds bytes that are no text")


def fault(suffix: str, data: bytes, error: Exception) -> Damage:
    """What to raise for a model of that suffix, whose library raised that error."""
    look = _LOOKS.get(suffix)
    found = None
    if look is not None and len(data) <= MAX_BYTES:
        try:
            found = look(data)
        except Damage as damage:
            found = str(damage)
    otherwise = _OTHERWISE.get(suffix, "its data is damaged")
    return Damage(found or in_our_words(error) or otherwise)


def _obj(data: bytes) -> str | None:
    """Wavefront OBJ: vertices of one width, and faces that refer to them."""
    count = width = 0
    highest = (0, 0)
    for number, words in _lines(data):
        if words[0] == "v":
            count, width = count + 1, width or len(words)
            if len(words) != width or width < 4 or not _numbers(words[1:]):
                return f"the vertex in line {number} is damaged"
        elif words[0] in ("vt", "vn") and not _numbers(words[1:]):
            return f"line {number} is damaged"
        elif words[0] == "f":
            corners = [word.split("/") for word in words[1:]]
            given = [index for corner in corners for index in corner if index]
            if len(corners) < 3 or not all(corner[0] for corner in corners) or not _integers(given):
                return f"the face in line {number} is damaged"
            highest = max(highest, (max(abs(int(corner[0])) for corner in corners), number))
    if highest[0] > count:
        return f"the face in line {highest[1]} refers to vertex {highest[0]}, but there are {count}"
    return None


def _off(data: bytes) -> str | None:
    """Object File Format: a word, a line of counts, vertices, faces."""
    lines = _lines(data)
    _, first = next(lines, (0, [""]))
    if first[0] not in ("OFF", "COFF"):
        return "it does not begin with 'OFF'"
    number, counts = (1, first[1:]) if len(first) > 1 else next(lines, (0, []))
    if len(counts) < 2 or not _integers(counts):
        return f"line {number} does not say how many vertices and faces there are"
    vertices, faces = map(int, counts[:2])
    for place, (number, words) in enumerate(lines):
        if place >= vertices + faces:
            return None
        if place < vertices:
            if len(words) < 3 or not _numbers(words[:3]):
                return f"the vertex in line {number} is damaged"
            continue
        size = int(words[0]) if _integers(words[:1]) else 0
        corners = words[1 : size + 1]
        if not 3 <= size == len(corners) or not _integers(corners):
            return f"the face in line {number} is damaged"
        if not all(0 <= int(corner) < vertices for corner in corners):
            return f"the face in line {number} refers to a vertex that does not exist"
    return f"it declares {vertices} vertices and {faces} faces, but ends before them"


def _ply(data: bytes) -> str | None:
    header = header_of(data)
    for element in header.elements:
        held = {one.name for one in element.properties}
        if element.name == "vertex" and not {"x", "y", "z"} <= held:
            return "its vertices have no x, y and z"
    if not header.is_ascii:
        evened(data)  # raises for a file that ends early
        return None
    rows = _lines(data[header.start :], len(header.lines) + 1)
    for element in header.elements:
        for _ in range(element.count):
            number, words = next(rows, (0, []))
            if not words:
                return f"it declares {header.declares()}, but ends before them"
            if not _numbers(words) or len(words) < len(element.properties):
                return f"line {number} is damaged"
    return None


def _stl(data: bytes) -> str | None:
    """STL as text: facets of three vertices."""
    vertices = 0
    for number, words in _lines(data):
        first = words[0].lower()
        if first == "vertex":
            vertices += 1
            if len(words) != 4 or not _numbers(words[1:]):
                return f"the vertex in line {number} is damaged"
        if first == "endfacet":
            if vertices != 3:
                return f"the facet that ends in line {number} has {vertices} vertices"
            vertices = 0
    return None


def _glb(data: bytes) -> str | None:
    """Binary glTF 2.0, section 4.4: 12 bytes that say what it is, then chunks."""
    if data[:4] != b"glTF":
        return "it does not begin as a GLB model does"
    version, declared = _number(data, 4), _number(data, 8)
    if version != 2:
        return f"it is of version {version} of GLB; version 2 is read"
    if declared > len(data):
        return f"it declares {declared:,} bytes, but ends after {len(data):,}"
    at = 12
    while at < len(data):
        length, held = _number(data, at), data[at + 8 :]
        if at == 12 and not _is_text(held[:length]):
            return "its description is damaged"
        if length > len(held):
            return f"its piece at byte {at:,} declares {length:,} bytes, but {len(held):,} are left"
        at += 8 + length
    return None


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _is_text(data: bytes) -> bool:
    try:
        return bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _lines(data: bytes, above: int = 0) -> Iterator[_Line]:
    """The lines that are neither empty nor comments."""
    return worded(data.decode("utf-8", "replace").split("\n"), above)


def _numbers(words: Sequence[str]) -> bool:
    return bool(words) and all(map(is_number, words))


def _integers(words: Sequence[str]) -> bool:
    try:
        return len([int(word) for word in words]) > 0
    except ValueError:
        return False


_LOOKS: dict[str, Callable[[bytes], str | None]] = {
    "obj": _obj,
    "off": _off,
    "ply": _ply,
    "stl": _stl,
    "glb": _glb,
}

#: Where the library says nothing for strangers.
_OTHERWISE = {
    "3mf": "its zip archive is damaged or holds no model",
    "dae": "its parts do not fit together",
    "glb": "its parts do not fit together",
    "gltf": "its parts do not fit together",
}
