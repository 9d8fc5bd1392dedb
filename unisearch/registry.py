"""Tables of things by name, imported only when the name is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unisearch.errors import MissingExtra, UnknownName


@dataclass(frozen=True)
class Entry:
    """One line of a table: 'package.module:Attribute', and the extras that bring its packages."""

    target: str
    extras: tuple[str, ...] = ()


def load(what: str, table: Mapping[str, Entry], name: str) -> Any:
    """The object that `name` stands for.

    what: the kind of thing, for the error ('space', 'reader', ...)
    Raises UnknownName for a name that is not in the table and MissingExtra when the
    import fails and the entry names extras that would bring the package.
    """
    if name not in table:
        raise UnknownName(what, name, table)
    entry = table[name]
    module, _, attribute = entry.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        if entry.extras:
            raise MissingExtra(name, entry.extras) from error
        raise
