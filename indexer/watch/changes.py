"""Which settings a running daemon can take over."""

from __future__ import annotations

from unisearch.config import Settings
from unisearch.sections import Section

#: These, whole; what others decide was read or opened when the daemon began.
_CHANGEABLE = frozenset(("index", "watch", "log_level", "search"))


def unchangeable(before: Settings, after: Settings) -> list[str]:
    """The settings that differ and hold only from the next start on, by their dotted names."""
    names = []
    for name in Settings.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if name in _CHANGEABLE or old == new:
            continue
        if isinstance(old, Section):
            inner = type(old).model_fields
            names += [f"{name}.{one}" for one in inner if getattr(old, one) != getattr(new, one)]
        else:
            names.append(name)
    return names
