"""The command `unisearch`: finds the verb, runs it, and turns every outcome into an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from unisearch import __version__
from unisearch.cli.door import Door
from unisearch.cli.interrupt import INTERRUPTED, LINE
from unisearch.cli.paths import path_text
from unisearch.cli.streams import mute_stdout, prepare
from unisearch.errors import NO_ROOM, UnisearchError, UsageError, refused
from unisearch.registry import Entry, load

#: Every verb and where it lives. Its file is imported when the verb is asked for, and what the
#: verb needs (numpy, torch, rich) only when it runs.
VERBS = {
    "index": Entry("unisearch.cli.index:index"),
    "watch": Entry("unisearch.cli.watch:watch"),
    "search": Entry("unisearch.cli.search:search"),
    "serve": Entry("unisearch.cli.serve:serve"),
    "mcp": Entry("unisearch.cli.mcp:mcp"),
    "embed": Entry("unisearch.cli.embed:embed"),
    "status": Entry("unisearch.cli.library:status"),
    "doctor": Entry("unisearch.cli.health:doctor"),
    "repair": Entry("unisearch.cli.health:repair"),
    "export": Entry("unisearch.cli.export:export"),
    "duplicates": Entry("unisearch.cli.library:duplicates"),
    "roots": Entry("unisearch.cli.change:roots"),
    "relocate": Entry("unisearch.cli.change:relocate"),
    "forget": Entry("unisearch.cli.change:forget"),
    "spaces": Entry("unisearch.cli.spaces:spaces"),
    "tag": Entry("unisearch.cli.change:tag"),
    "models": Entry("unisearch.cli.models:models"),
    "evaluate": Entry("unisearch.cli.evaluate:evaluate"),
    "train": Entry("unisearch.cli.train:train"),
    "demo": Entry("unisearch.cli.demo:demo"),
    "import-pointcloud": Entry("unisearch.cli.convert:import_pointcloud"),
    "completion": Entry("unisearch.cli.completion:completion"),
}

#: Options that may stand before or after the verb; those with a value, and those without.
WITH_VALUE = ("--library", "--config")
FLAGS = ("--debug",)
EPILOG = "--library DIR, --config FILE and --debug may stand before or after the verb."

OK, FAILED, USAGE = 0, 1, 2

#: Set when a shell asks for completions.
COMPLETING = "_UNISEARCH_COMPLETE"


class Verbs(TyperGroup):
    """The group of all verbs, each loaded from its file when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs in the order of the table."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb of that name, or None."""
        del ctx
        return verb(cmd_name) if cmd_name in VERBS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that the arguments start with. Raises UnknownName, naming the nearest one."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            load("verb", VERBS, args[0])
        return super().resolve_command(ctx, args)


def verb(name: str) -> Any:
    """The command of a verb; groups ('roots', 'train') are typer apps of their own."""
    found: typer.Typer | Callable[..., None] = load("verb", VERBS, name)
    if not isinstance(found, typer.Typer):
        single = plain_app()
        single.command(name, epilog=EPILOG, **getattr(found, "typer_options", {}))(found)
        found = single
    command = get_command(found)
    command.name = name
    return command


def plain_app(**options: Any) -> typer.Typer:
    """A typer app whose help and errors need no rich, so that help comes at once."""
    return typer.Typer(
        rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, **options
    )


app = plain_app(cls=Verbs, no_args_is_help=True)


def show_version(wanted: bool) -> None:
    """Prints the version and ends the run."""
    if wanted:
        typer.echo(f"unisearch {__version__}")
        raise typer.Exit


@app.callback(epilog="Results go to stdout, all else to stderr. " + EPILOG)
def root(
    ctx: typer.Context,
    library: Annotated[
        str | None,
        typer.Option(
            parser=path_text,
            metavar="DIR",
            help="The library; else $UNISEARCH_LIBRARY, then the config.",
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            parser=path_text,
            metavar="FILE",
            help="The settings; else $UNISEARCH_CONFIG, then ./config.yaml.",
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log everything; show where an error came from.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Any file in, every kind out: texts, pictures, sounds, models and videos find each other."""
    del version
    ctx.obj = Door(library, config, debug)


def hoist(arguments: Sequence[str]) -> list[str]:
    """The arguments with the options of all verbs in front, as far as they stand before a '--'."""
    front: list[str] = []
    rest = list(arguments)
    at = 0
    while at < len(rest) and rest[at] != "--":
        taken = 1 if rest[at] in FLAGS else 0
        if rest[at] in WITH_VALUE:
            taken = 2
        elif rest[at].startswith(tuple(f"{option}=" for option in WITH_VALUE)):
            taken = 1
        front += rest[at : at + taken]
        del rest[at : at + taken]
        at += not taken
    return front + rest


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; the exit code of design 8. Nothing but SystemExit leaves it."""
    debug = "--debug" in arguments
    prepare()
    if COMPLETING in os.environ:  # a shell asks what may follow: see the verb completion
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    try:
        code = app(hoist(arguments), prog_name="unisearch", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        mute_stdout()
        return OK
    except SystemExit as stop:  # typer's way to say that nobody reads stdout any more
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        mute_stdout()
        return OK
    except (KeyboardInterrupt, typer.Abort):
        return interrupted()
    except UnisearchError as error:
        return fail(str(error), USAGE if isinstance(error, UsageError) else FAILED, debug)
    except typer.TyperException as error:
        if error.format_message().startswith("Usage:"):  # nothing was asked: that is the help
            print(error.format_message(), file=sys.stderr)
            return USAGE
        return fail(error.format_message(), error.exit_code, debug)
    except OSError as error:
        return fail(unwritten(error, debug), FAILED, debug)
    except Exception as error:
        return fail(unexpected(error, debug), FAILED, debug)
    return interrupted() if code == INTERRUPTED else int(code or OK)


def fail(message: str, code: int, debug: bool) -> int:
    """Says what went wrong, in one line; with `debug` also where."""
    if debug:
        import traceback

        traceback.print_exc()
    try:
        sys.stdout.flush()
    except OSError:
        mute_stdout()  # else it is told again when the process ends
    if COMPLETING in os.environ:  # a shell would show it in the midst of what is being typed
        return code
    print("unisearch:", " ".join(message.splitlines()), file=sys.stderr)
    return code


def unwritten(error: OSError, debug: bool) -> str:
    """One line for a disk that takes no more or a closed stdout; anything else is a bug.

    What writes files says where itself, so without a name it is the results that cannot go out.
    """
    closed = error.errno == errno.EBADF and error.filename is None
    if error.errno in NO_ROOM or closed:
        return refused(error.filename or "stdout", error)
    return unexpected(error, debug)


def unexpected(error: Exception, debug: bool) -> str:
    """One line for a bug."""
    hint = "" if debug else " (--debug shows where)"
    return f"unexpected {type(error).__name__}: {error}{hint}"


def interrupted() -> int:
    """Says that the run was stopped by hand."""
    print(LINE, file=sys.stderr)
    return INTERRUPTED
