"""Filters: text becomes a syntax tree, and a tree text.

    filter = both { "or" both }
    both   = one { "and" one }
    one    = "not" one  |  "(" filter ")"  |  test
    test   = field operator value
           | field "in" "(" value { "," value } ")"
    value  = "quoted", 'quoted', or a run without spaces and without any of  ( ) , " ' < > = !

`and`, `or`, `not` and `in` may be written in capitals. A test of something that a file does not
have is false, and `not` is everything else. The fields are in where_fields.py, what they become
in where_sql.py. The parser is written by hand: a library would bring its own grammar file and
its own errors, and these lines are fewer than what would translate them.
"""

from __future__ import annotations

import re
from decimal import Decimal

from unisearch.catalog.where_fields import FIELDS, Field, unknown_field
from unisearch.catalog.where_tree import (
    And,
    Node,
    Not,
    OneOf,
    Or,
    Other,
    Test,
    Value,
    both,
    either,
    negate,
)
from unisearch.errors import UnknownName, UsageError, display

MAX_LENGTH = 10_000  # characters
MAX_TESTS = 200  # SQLite takes an expression of 1,000 in a row
MAX_DEPTH = 16  # of parentheses

#: A value that needs no quotes.
_WORD = re.compile(r"""[^\s(),"'<>=!]+""")
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\W\d]\w*")
_OPERATOR = re.compile(r"<=|>=|!=|[=<>:]")
_QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)


def parse(text: str) -> Node:
    """The syntax tree of a filter. Raises UsageError with the place of the first mistake."""
    return _Parser(text).whole()


def show(node: Node) -> str:
    """The filter as text that parses to the same tree; numbers stand in the least unit."""
    match node:
        case Or(parts):
            return " or ".join(map(show, parts))
        case And(parts):
            return " and ".join(f"({show(one)})" if isinstance(one, Or) else show(one)
                                for one in parts)  # fmt: skip
        case Not(part):
            return f"not ({show(part)})" if isinstance(part, And | Or) else f"not {show(part)}"
        case OneOf(field, values):
            return f"{field} in ({', '.join(show_value(field, value) for value in values)})"
        case Test(field, operator, value):
            return f"{field}{operator}{show_value(field, value)}"


def show_value(field: str, value: Value) -> str:
    """A value as it is written in a filter."""
    match value:
        case Other(other):
            return other
        case str():
            if _WORD.fullmatch(value):
                return value
            return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
        case _:
            return format(Decimal(repr(value)), "f") + FIELDS[field].kind.unit


class _Parser:
    """Reads a filter from left to right; `at` is the place of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.tests = 0

    def whole(self) -> Node:
        """The tree of the whole text."""
        if len(self.text) > MAX_LENGTH:
            raise self.error(f"longer than {MAX_LENGTH} characters")
        if odd := re.search(r"[\0\ud800-\udfff]", self.text):
            raise self.error("a character that is no text", odd.start())
        self.skip()
        if self.at == len(self.text):
            raise self.error("empty; say what to keep, as in duration<5")
        tree = self.filter()
        if self.at < len(self.text):
            raise self.error(f"{self.next()} where 'and', 'or' or the end should be")
        return tree

    def filter(self) -> Node:
        parts = [self.both()]
        while self.keyword("or"):
            parts.append(self.both())
        return either(parts)

    def both(self) -> Node:
        parts = [self.one()]
        while self.keyword("and"):
            parts.append(self.one())
        return both(parts)

    def one(self) -> Node:
        turns = 0
        while self.keyword("not"):
            turns += 1
        if self.sign("("):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.error(f"parentheses more than {MAX_DEPTH} deep", self.at - 1)
            node = self.filter()
            self.expect(")")
            self.depth -= 1
        else:
            node = self.test()
        return negate(node) if turns % 2 else node

    def test(self) -> Node:
        start = self.at
        name = self.take(_NAME)
        if name is None:
            raise self.error(f"{self.next()} where a test such as duration<5 should be")
        name = name.lower()
        if name not in FIELDS:
            raise self.error(unknown_field(name), start)
        if self.keyword("in"):
            return self.one_of(name)
        at = self.at
        operator = self.take(_OPERATOR)
        if operator is None:
            signs = " ".join(FIELDS[name].kind.operators)
            raise self.error(f"{self.next()} where {name} needs one of: {signs} in")
        return Test(name, self.known_operator(name, operator, at), self.value(name))

    def one_of(self, name: str) -> Node:
        self.expect("(")
        values = [self.value(name)]
        while self.sign(","):
            values.append(self.value(name))
        self.expect(")")
        return OneOf(name, tuple(values))

    def known_operator(self, name: str, operator: str, at: int) -> str:
        """The operator as the field has it: ':' also means its '='."""
        known = FIELDS[name].kind.operators
        if operator in known:
            return operator
        if operator == ":" and "=" in known:
            return "="
        hint = f"; write not {name}{known[0]}…" if operator == "!=" else ""
        raise self.error(f"{name} takes '{' '.join(known)}', not '{operator}'{hint}", at)

    def value(self, name: str) -> Value:
        """The next value, as the field reads it."""
        self.tests += 1
        if self.tests > MAX_TESTS:
            raise self.error(f"more than {MAX_TESTS} values")
        start = self.at
        if quoted := _QUOTED.match(self.text, self.at):
            self.at = quoted.end()
            self.skip()
            return self.read(name, re.sub(r"\\(.)", r"\1", quoted[2], flags=re.DOTALL), start)
        word = self.take(_WORD)
        if word is None:
            if self.at < len(self.text) and self.text[self.at] in "\"'":
                raise self.error("a quote that is not closed")
            raise self.error(f"{self.next()} where {name} needs {FIELDS[name].kind.shown}")
        if (other := FIELDS.get(word.lower())) and comparable(FIELDS[name], other):
            return Other(word.lower())
        return self.read(name, word, start)

    def read(self, name: str, text: str, start: int) -> Value:
        try:
            return FIELDS[name].kind.read(text)
        except UnknownName as error:
            raise self.error(str(error), start) from None
        except ValueError:
            shown = f"'{text}' is not {FIELDS[name].kind.shown}, which {name} needs"
            raise self.error(shown, start) from None

    # characters

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """What fits the pattern here, and the spaces behind it are skipped; None for nothing."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        self.skip()
        return found[0]

    def keyword(self, word: str) -> bool:
        """Whether that keyword stands here; it is taken."""
        found = _NAME.match(self.text, self.at)
        return bool(found and found[0].lower() == word and self.take(_NAME))

    def sign(self, sign: str) -> bool:
        """Whether that character stands here; it is taken."""
        return self.take(re.compile(re.escape(sign))) is not None

    def expect(self, sign: str) -> None:
        if not self.sign(sign):
            raise self.error(f"{self.next()} where '{sign}' should be")

    def skip(self) -> None:
        if found := _SPACE.match(self.text, self.at):
            self.at = found.end()

    def next(self) -> str:
        """What stands here, for an error."""
        if self.at == len(self.text):
            return "the end"
        found = _WORD.match(self.text, self.at)
        return f"'{found[0] if found else self.text[self.at]}'"

    def error(self, what: str, at: int | None = None) -> UsageError:
        place = (self.at if at is None else at) + 1
        return UsageError(display(f"filter, character {place}: {what}"))


def comparable(field: Field, other: Field) -> bool:
    """Whether the two fields of a file can be compared: numbers of one kind."""
    return field.kind is other.kind and field.column != other.column and "<" in field.kind.operators
