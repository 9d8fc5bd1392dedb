"""What a daemon writes: lines for people or JSON on stderr, and JSON in a file that is rotated."""

from __future__ import annotations

import logging
import sys
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

import structlog

from unisearch.cli.door import StderrHandler, is_wanted
from unisearch.errors import UnisearchError, refused
from unisearch.sections import WatchSettings

#: What every line is given, whoever logged it. `extra=` of a call becomes fields of its own.
_SHARED: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


def configure(settings: WatchSettings, *, debug: bool = False) -> None:
    """Our own messages from the level on; of other packages only errors, unless debugging.

    Replaces what an earlier call has set up.
    debug: everything, whatever the settings say
    Raises UnisearchError when the file cannot be written.
    """
    level = "debug" if debug else settings.log_level
    handlers: list[logging.Handler] = [StderrHandler(sys.stderr)]
    handlers[0].setFormatter(_formatter(_format_of(settings.log_format)))
    if settings.log_file is not None:
        handlers.append(_file(settings.log_file, settings))
    for handler in handlers:
        handler.addFilter(partial(is_wanted, level=level))
    root = logging.getLogger()
    before, root.handlers = root.handlers, handlers
    for handler in before:
        handler.close()
    root.setLevel(level.upper())
    logging.captureWarnings(True)


def _format_of(wanted: str) -> Literal["console", "json"]:
    if wanted == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return "json" if wanted == "json" else "console"


def _formatter(kind: Literal["console", "json"]) -> logging.Formatter:
    end: list[structlog.typing.Processor]
    if kind == "json":
        end = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        end = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
    )


def _file(path: Path, settings: WatchSettings) -> logging.Handler:
    size_bytes = int(settings.log_file_mb * 1_000_000)
    try:
        handler = RotatingFileHandler(
            path, maxBytes=size_bytes, backupCount=settings.log_files, encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    except OSError as error:
        raise UnisearchError(refused(path, error)) from error
    handler.setFormatter(_formatter("json"))
    return handler
