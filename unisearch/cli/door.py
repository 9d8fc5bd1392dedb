"""What every verb gets from the front of the command line: settings, and logs on stderr."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from unisearch.config import Settings

OURS = ("unisearch", "indexer")


@dataclass(frozen=True)
class Door:
    """The options that stand before or after every verb."""

    library: str | None = None
    config: str | None = None
    debug: bool = False

    def settings(self, *, before: Settings | None = None, **arguments: Any) -> Settings:
        """The settings of this run; logging is set up as they say.

        before: those that hold, when they are read again: their file must still be there
        arguments: settings given by options of the verb; None means not given.
        """
        from unisearch.config import check_still_there, load_settings

        library = Path(self.library) if self.library is not None else None
        level = "debug" if self.debug else None
        settings = load_settings(self.config, library=library, log_level=level, **arguments)
        if before is not None:
            check_still_there(before, settings)
        configure_logs(settings.log_level)
        return settings


def door(ctx: typer.Context) -> Door:
    """The door that this verb was called through."""
    found = ctx.find_root().obj
    return found if isinstance(found, Door) else Door()


class StderrHandler(logging.StreamHandler[IO[str]]):
    """Writes to what sys.stderr is now: a live progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record, as one line."""
        self.stream = sys.stderr
        super().emit(record)


class PlainLines(logging.Formatter):
    """Log lines that look like everything else that a verb says on stderr."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, as one line."""
        return f"unisearch: {record.levelname.lower()}: {' '.join(record.getMessage().split())}"


class DebugLines(logging.Formatter):
    """Log lines by structlog, which is imported with the first of them."""

    @cached_property
    def lines(self) -> logging.Formatter:
        """structlog's formatter: coloured on a terminal."""
        import structlog

        return structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
            ]
        )

    def format(self, record: logging.LogRecord) -> str:
        """One record, as one line."""
        return self.lines.format(record)


def configure_logs(level: str) -> None:
    """Our own messages from `level` on to stderr; of other packages only errors, unless debugging.

    Replaces what an earlier call has set up.
    """
    handler = StderrHandler(sys.stderr)
    handler.setFormatter(DebugLines() if level == "debug" else PlainLines())
    handler.addFilter(lambda record: is_wanted(record, level))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Warnings of other packages are for their developers: they go the way of the logs.
    logging.captureWarnings(True)


def is_wanted(record: logging.LogRecord, level: str) -> bool:
    """Whether a user should see the record."""
    ours = record.name.split(".")[0] in OURS
    return ours or level == "debug" or record.levelno >= logging.ERROR
