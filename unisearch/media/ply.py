"""PLY files as trimesh wants them: nothing behind the rows, all faces with as many corners.

Source of the format: G. Turk, The PLY Polygon File Format, Stanford 1994,
https://gamma.cs.unc.edu/POWERPLANT/papers/ply.pdf
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.media.damage import Damage

_KINDS = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float32": "f4",
    "float64": "f8",
}
_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Property:
    """A column; length: the type of the number in front of a list, '' for a single value."""

    name: str
    kind: str
    length: str = ""


@dataclass(frozen=True)
class Element:
    """Rows of one kind. line: where the header declares them, from 0."""

    name: str
    count: int
    line: int
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True)
class Header:
    """What a file declares. lines: of the header; start: the first byte behind it."""

    elements: tuple[Element, ...]
    lines: tuple[bytes, ...]
    start: int
    is_ascii: bool

    def declares(self) -> str:
        """How many rows, for reasons: '8 vertices and 12 faces'."""
        names = {"vertex": "vertices", "face": "faces"}
        known = [one for one in self.elements if one.name in names]
        return " and ".join(f"{one.count:,} {names[one.name]}" for one in known) or "nothing"


def header_of(data: bytes) -> Header:
    """What the file declares. Raises Damage that names the line which declares nothing."""
    if data[:3].lower() != b"ply":
        raise Damage("it does not begin with 'ply'")
    end = data.find(b"end_header", 0, _HEADER_BYTES)
    start = data.find(b"\n", end) + 1
    if end < 0 or not start:
        raise Damage("its header has no end")
    lines = tuple(data[:end].split(b"\n")[:-1])
    words = [line.decode("utf-8", "replace").split() for line in lines]
    forms = [line[1] for line in words if line[:1] == ["format"] and len(line) > 1]
    order = ">" if "binary_big_endian" in forms else "<"
    elements: list[Element] = []
    for number, line in enumerate(words):
        try:
            if line[:1] == ["element"]:
                elements.append(Element(line[1], int(line[2]), number))
            elif line[:1] == ["property"]:
                held = (*elements[-1].properties, _property(line, order))
                elements[-1] = replace(elements[-1], properties=held)
        except (LookupError, ValueError) as error:
            raise Damage(f"line {number + 1} of its header is damaged") from error
    return Header(tuple(elements), lines, start, "ascii" in forms)


def _property(words: Sequence[str], order: str) -> Property:
    if words[1] == "list":
        length = _KINDS[words[2]]
        if length[0] == "f":
            raise ValueError("a list whose length is no whole number")
        return Property(words[4], order + _KINDS[words[3]], order + length)
    return Property(words[2], order + _KINDS[words[1]])


def evened(data: bytes) -> bytes:
    """The same model for trimesh, which reads no binary file with faces of different sizes.

    A header that is not understood here is left to it. Raises Damage for a file that ends before
    what it declares.
    """
    try:
        header = header_of(data)
    except Damage:
        return data
    # Comments may be in any encoding, and trimesh stops at those that are not UTF-8.
    lines = [line.decode("utf-8", "replace").encode() for line in header.lines]
    short = Damage(f"it declares {header.declares()}, but ends before them")
    if header.is_ascii:
        text = data[header.start :].rstrip()
        if text.count(b"\n") + 1 < sum(element.count for element in header.elements):
            raise short
        return b"\n".join([*lines, b"end_header", text, b""])
    rows, position = [], header.start
    for element in header.elements:
        if element.count < 0:
            raise Damage(f"line {element.line + 1} of its header declares a negative number")
        size = _row_size(data, position, element)
        if size is not None:
            end = position + size * element.count
            rows.append(data[position:end])
        else:
            triangles, end = _triangles(data, position, element, short)
            rows.append(triangles.tobytes())
            lines[element.line] = f"element {element.name} {len(triangles)}".encode()
        if end > len(data):
            raise short
        position = end
    return b"\n".join([*lines, b"end_header", b"".join(rows)])


def _row_size(data: bytes, start: int, element: Element) -> int | None:
    """The bytes of each row, None when its list has to be cut into triangles.

    So it has where rows differ, and where faces have more corners: trimesh would cut them, but
    leaves their colours as they are.
    """
    row, firsts = np.dtype([]), {}
    for place, one in enumerate(element.properties):
        shape: tuple[int, ...] = ()
        fields = list(row.descr) if row.names else []
        if one.length:
            length = np.dtype(one.length)
            at = start + row.itemsize
            firsts[f"#{place}"] = first = _number(data[at : at + length.itemsize], length)
            fields, shape = [*fields, (f"#{place}", one.length)], (first,)
        try:
            row = np.dtype([*fields, (f"{place}", one.kind, shape)])
        except ValueError:  # the list claims to be longer than anything can be
            return None
    if not firsts:
        return row.itemsize
    whole = min(element.count, (len(data) - start) // row.itemsize)
    rows = np.frombuffer(data[start : start + whole * row.itemsize], row)
    alike = all((rows[name] == first).all() for name, first in firsts.items())
    cut = element.name == "face" and [*firsts.values()] != [3] and len(firsts) == 1
    return row.itemsize if alike and not cut and whole == element.count else None


def _number(data: bytes, kind: np.dtype[Any]) -> int:
    return int.from_bytes(data, "big" if kind.byteorder == ">" else "little")


def _triangles(
    data: bytes, start: int, element: Element, short: Damage
) -> tuple[NDArray[np.uint8], int]:
    """The polygons as rows (t, bytes) with three corners each, and where they end."""
    lists = [place for place, one in enumerate(element.properties) if one.length]
    if len(lists) > 1:
        raise Damage("several lists of its rows differ in length from row to row")
    before, listed, behind = _widths(element, lists[0])
    length, kind = np.dtype(listed.length), np.dtype(listed.kind)
    head = before + length.itemsize
    starts, counts, at = [], [], start
    for _ in range(element.count):
        count = _number(data[at + before : at + head], length)
        starts.append(at)
        counts.append(count)
        at += head + count * kind.itemsize + behind
        if at > len(data):
            raise short
    raw, places, corners = np.frombuffer(data, np.uint8), np.array(starts), np.array(counts)
    pieces = [np.zeros((0, head + 3 * kind.itemsize + behind), np.uint8)]
    for count in np.unique(corners[corners >= 3]).tolist():
        width = head + count * kind.itemsize + behind
        rows = raw[places[corners == count][:, None] + np.arange(width)]  # (m, width)
        index = rows[:, head : width - behind].reshape(len(rows), count, kind.itemsize)
        nth = np.arange(1, count - 1)
        cut = index[:, np.stack([np.zeros_like(nth), nth, nth + 1], axis=1)]  # (m, t, 3, bytes)
        around = np.repeat(rows, len(nth), axis=0)
        three = np.tile(np.array([3], length).view(np.uint8), (len(around), 1))
        flat = cut.reshape(len(around), 3 * kind.itemsize)
        pieces.append(np.hstack([around[:, :before], three, flat, around[:, width - behind :]]))
    return np.concatenate(pieces), at


def _widths(element: Element, place: int) -> tuple[int, Property, int]:
    """The bytes before the list of each row, the list, and the bytes behind it."""
    widths = [np.dtype(one.kind).itemsize for one in element.properties]
    return sum(widths[:place]), element.properties[place], sum(widths[place + 1 :])
