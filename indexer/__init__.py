"""Watches the library's folders: joins the rooms to write. The only writer."""

from __future__ import annotations

from indexer.report import Failure, Progress, Report
from indexer.run import Indexer

__all__ = ["Failure", "Indexer", "Progress", "Report"]
