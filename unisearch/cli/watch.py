"""unisearch watch: the daemon."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unisearch.cli.door import door
from unisearch.cli.interrupt import leave
from unisearch.cli.paths import given_path
from unisearch.registry import Entry, load

if TYPE_CHECKING:
    from unisearch.config import Settings

#: The daemon is named as a string: doors know of the writer no more than its name.
DAEMON = {"daemon": Entry("indexer.watch.daemon:Daemon")}


def watch(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=given_path, metavar="PATH", help="Files and folders; else all indexed ones."
        ),
    ] = None,
) -> None:
    """Keep folders searchable while they change, until it is stopped.

    New and changed files are found within a second, moved ones keep their tags. One daemon
    watches a library; other commands work beside it. SIGTERM and Ctrl-C end it, SIGHUP has it
    read its settings again.
    """
    from unisearch.cli.logs import configure

    def settings(before: Settings | None = None) -> Settings:
        found = door(ctx).settings(before=before)
        configure(found.watch, debug=door(ctx).debug)
        return found

    try:
        load("daemon", DAEMON, "daemon")(paths or [], settings).run()
    except KeyboardInterrupt:
        leave()
    # All is closed. To take the interpreter apart would cost up to a second more, once networks
    # are loaded, and a service manager waits for that.
    logging.shutdown()
    os._exit(0)
