"""The syntax tree of a filter: immutable, and one tree for all ways to write the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Other:
    """The value of another field of the same file: the right side of width>=height."""

    field: str


Value = int | float | str | Other


@dataclass(frozen=True)
class Test:
    """A field compared with a value, which is in the unit of the column."""

    __test__ = False  # no test case of pytest
    field: str
    operator: str
    value: Value


@dataclass(frozen=True)
class OneOf:
    """A field that has one of these values."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    """Every file that the part leaves out."""

    part: Node


@dataclass(frozen=True)
class And:
    """Every part holds: two or more, none of them an And."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """At least one part holds: two or more, none of them an Or."""

    parts: tuple[Node, ...]


Node = Test | OneOf | Not | And | Or


def both(parts: Iterable[Node]) -> Node:
    """One And of all parts; a single part stays itself."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, And) else [part]))
    return And(flat) if len(flat) > 1 else flat[0]


def either(parts: Iterable[Node]) -> Node:
    """One Or of all parts; a single part stays itself."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, Or) else [part]))
    return Or(flat) if len(flat) > 1 else flat[0]


def negate(part: Node) -> Node:
    """Not of the part; twice is the part itself."""
    return part.part if isinstance(part, Not) else Not(part)
