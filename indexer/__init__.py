"""Watches the library's folders: joins the rooms to write. The only writer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.report import Failure, Progress, Report
    from indexer.run import Indexer

__all__ = ["Failure", "Indexer", "Progress", "Report"]

_FROM = {"Indexer": "indexer.run"}


def __getattr__(name: str) -> Any:
    """Imported when asked for: a worker that decodes files needs neither catalogue nor settings."""
    if name not in __all__:
        raise AttributeError(f"module 'indexer' has no attribute '{name}'")
    return getattr(importlib.import_module(_FROM.get(name, "indexer.report")), name)
