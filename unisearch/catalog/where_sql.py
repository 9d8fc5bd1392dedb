"""A filter's syntax tree becomes a condition in SQL. Nothing that was typed gets into its text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from unisearch.catalog.where import parse
from unisearch.catalog.where_fields import (
    AGE,
    CLOCK,
    DATE,
    FIELDS,
    LABEL,
    NAME,
    SUFFIX,
    TAG,
    TEXT,
    Field,
    span,
)
from unisearch.catalog.where_tree import And, Node, Not, OneOf, Or, Other, Test, Value

_SIGNS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_WORDS = """(i.id IN (SELECT rowid FROM item_words WHERE item_words MATCH {0})
    OR i.content_id IN (SELECT content_id FROM segments
        WHERE id IN (SELECT rowid FROM passages WHERE passages MATCH {0})))"""

#: Puts a value among the parameters; its name there.
Bind = Callable[[Any], str]


@dataclass(frozen=True)
class Condition:
    """An SQL expression on items i and contents c, and the values it names."""

    sql: str
    values: Mapping[str, Any]


def condition(text: str, now_ns: int) -> Condition:
    """What a filter asks of items and contents. Raises UsageError.

    now_ns: the time from which ages count, since 1970
    """
    return to_sql(parse(text), now_ns)


def to_sql(tree: Node, now_ns: int) -> Condition:
    """The tree as SQL. It is TRUE for what passes; for the rest it may be NULL."""
    values: dict[str, Any] = {}

    def bind(value: Any) -> str:
        name = f"where{len(values)}"
        values[name] = value
        return f":{name}"

    sql = _node(tree, bind, now_ns)
    return Condition(sql, values)


def _node(node: Node, bind: Bind, now_ns: int) -> str:
    match node:
        case And(parts) | Or(parts):
            # The deepest first: SQLite's parser then keeps little on its stack of 100 places.
            ordered = sorted(parts, key=_depth, reverse=True)
            word = " AND " if isinstance(node, And) else " OR "
            return f"({word.join(_node(part, bind, now_ns) for part in ordered)})"
        case Not(part):  # NULL is what a file does not have: it fails the part, so it passes here
            return f"({_node(part, bind, now_ns)}) IS NOT TRUE"
        case OneOf(name, options):
            operator = FIELDS[name].kind.operators[0]
            tests = [_test(FIELDS[name], operator, option, bind, now_ns) for option in options]
            return f"({' OR '.join(tests)})"
        case Test(name, operator, value):
            return _test(FIELDS[name], operator, value, bind, now_ns)


def _depth(node: Node) -> int:
    """How many nodes lie above the deepest leaf."""
    match node:
        case And(parts) | Or(parts):
            return 1 + max(map(_depth, parts))
        case Not(part):
            return 1 + _depth(part)
        case _:
            return 0


def _test(field: Field, operator: str, value: Value, bind: Bind, now_ns: int) -> str:
    column, kind = field.column, field.kind
    if isinstance(value, Other):
        return f"{column} {_SIGNS[operator]} {FIELDS[value.field].column}"
    if kind is TEXT:
        phrase = str(value).replace('"', '""')
        return _WORDS.format(bind(f'"{phrase}"'))
    if kind is TAG or kind is LABEL:
        return _labelled(field, operator, str(value), bind)
    if kind in (NAME, SUFFIX):
        return _fits(field, operator, str(value), bind)
    if kind is DATE:
        return _when(column, operator, *span(str(value)), bind)
    if kind is CLOCK:  # stored as if the camera's clock showed UTC
        start, end = span(str(value), UTC)
        return _when(column, operator, start / 1e9, end / 1e9, bind)
    if kind is AGE:
        assert not isinstance(value, str)
        then = now_ns - round(value * 10**9)
        return f"{column} {_FLIPPED[operator]} {bind(max(then, -(2**63)))}"
    return f"{column} {_SIGNS[operator]} {bind(value)}"


def _when(column: str, operator: str, start: float, end: float, bind: Bind) -> str:
    """A date is a span: before it, within it, after it."""
    match operator:
        case "<":
            return f"{column} < {bind(start)}"
        case "<=":
            return f"{column} < {bind(end)}"
        case ">":
            return f"{column} >= {bind(end)}"
        case ">=":
            return f"{column} >= {bind(start)}"
        case "=":
            return f"({column} >= {bind(start)} AND {column} < {bind(end)})"
        case _:
            return f"({column} < {bind(start)} OR {column} >= {bind(end)})"


def _labelled(field: Field, operator: str, pattern: str, bind: Bind) -> str:
    """Items with a tag, or contents with a label, that fits."""
    name = "keyword" if field.kind is TAG else field.column
    fits = " OR ".join(f"value GLOB {bind(glob(form))}" for form in _forms(operator, pattern))
    labels = f"SELECT content_id FROM labels WHERE name = {bind(name)} AND ({fits})"
    if field.kind is LABEL:
        return f"c.id IN ({labels})"
    tags = "SELECT item_id FROM (SELECT item_id, word AS value FROM {}) WHERE (" + fits + ")"
    return (
        f"(i.id IN ({tags.format('tags')}) OR i.id IN ({tags.format('sidecar_tags')})"
        f" OR i.content_id IN ({labels}))"
    )


def _forms(operator: str, pattern: str) -> list[str]:
    """The patterns that fit, accents written either way."""
    if operator == ":" and not set(pattern) & set("*?"):
        pattern = f"*{pattern}*"
    return sorted({unicodedata.normalize(form, pattern) for form in ("NFC", "NFD")})


def _fits(field: Field, operator: str, pattern: str, bind: Bind) -> str:
    """Names and extensions: letters of either case, accents written either way."""
    if field.kind is SUFFIX and pattern:
        pattern = "." + pattern
    forms = _forms(operator, pattern)
    sql = " OR ".join(f"{field.column} GLOB {bind(glob(form))}" for form in forms)
    if field.kind is NAME:  # LIKE is four times faster, and cutting the name out of a path is slow
        rough = " OR ".join(f"i.display LIKE {bind(_rough(form))}" for form in forms)
        sql = f"({rough}) AND ({sql})"
    return f"({sql}) IS NOT TRUE" if operator == "!=" else f"({sql})"


def _rough(pattern: str) -> str:
    """A pattern for LIKE that fits every path whose name fits the pattern, and some more."""
    return "%" + re.sub(r"[^ -~]|[?%]", "_", pattern).replace("*", "%")


def glob(pattern: str) -> str:
    """The pattern for SQLite's GLOB: '*' and '?' as they are, letters in either case."""
    return "".join(map(_class, pattern))


def _class(char: str) -> str:
    cases = {case for case in (char, char.lower(), char.upper()) if len(case) == 1}
    return f"[{''.join(sorted(cases))}]" if len(cases) > 1 or char == "[" else char
