"""Pages of the documentation that are written by the code: commands, settings, errors.

    python -m unisearch.cli.pages docs

A test compares the files with what the code says now.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from typer.main import get_command

from unisearch import __version__, errors
from unisearch.cli.main import EPILOG, VERBS, app, verb
from unisearch.config import table

CODES = {
    0: "done; also when some files failed or nothing fits",
    1: "it could not be done: one line on stderr says why",
    2: "the command line has no meaning",
    130: "stopped with Ctrl-C; the same command goes on where it was",
}
NOTE = "<!-- Written by `make docs` from the code; change it there. -->\n"


def pages() -> dict[str, str]:
    """The text of each page, by its file name below docs/."""
    return {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "unisearch.1": man_page(),
    }


def commands_page() -> str:
    """Every verb with its help, arguments and options."""
    parts = [NOTE, "# Commands\n", EPILOG + "\n", "## unisearch\n", *options_of(get_command(app))]
    for name in VERBS:
        parts += command(verb(name), f"unisearch {name}")
    parts += [
        "## Exit codes\n",
        "| code | meaning |\n|---|---|\n"
        + "\n".join(f"| {code} | {meaning} |" for code, meaning in CODES.items())
        + "\n",
    ]
    return "\n".join(parts)


def command(made: Any, path: str) -> Iterator[str]:
    """The section of one verb; of a group, one section for each of its verbs."""
    if getattr(made, "commands", None):
        for name, inner in made.commands.items():
            yield from command(inner, f"{path} {name}")
        return
    arguments = " ".join(argument_usage(param) for param in made.params if not is_option(param))
    yield f"## {path}\n"
    yield f"`{' '.join([path, arguments, '[OPTIONS]']).replace('  ', ' ')}`\n"
    yield inspect.cleandoc(made.help or "") + "\n"
    yield from options_of(made)


def options_of(made: Any) -> Iterator[str]:
    """A table of the arguments and options of a command."""
    rows = [
        f"| `{spelling(param)}` | {(param.help or '').replace('|', '/')} |"
        for param in made.params
        if param.help
    ]
    if rows:
        yield "| argument | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def is_option(param: Any) -> bool:
    """Whether the parameter starts with a dash."""
    return bool(param.param_type_name == "option")


def argument_usage(param: Any) -> str:
    """'FILE', 'FILE...' or '[FILE...]'."""
    shown = f"{param.metavar or param.name.upper()}{'...' if param.nargs == -1 else ''}"
    return shown if param.required else f"[{shown}]"


def spelling(param: Any) -> str:
    """An option with its ways to write it and what it takes; an argument by its name."""
    if not is_option(param):
        return str(param.metavar or param.name.upper())
    ways = ", ".join([*param.opts, *param.secondary_opts])
    return ways if param.is_flag else f"{ways} {param.metavar or param.name.upper()}"


def man_page() -> str:
    """The manual page: every verb with its options, for man(1)."""
    parts = [
        '.\\" Written by `make docs` from the code; change it there.',
        f'.TH UNISEARCH 1 "" "unisearch {__version__}" "User Commands"',
        ".SH NAME",
        r"unisearch \- search pictures, sounds, videos, 3D models and texts by each other",
        ".SH SYNOPSIS",
        r"\fBunisearch\fR \fIVERB\fR [\fIARGUMENT\fR...] [\fIOPTION\fR...]",
        ".SH DESCRIPTION",
        roff(get_command(app).help or ""),
        ".PP",
        roff(EPILOG),
        *man_options(get_command(app)),
        ".SH VERBS",
    ]
    for name in VERBS:
        parts += man_verb(verb(name), name)
    parts.append(".SH EXIT STATUS")
    for code, meaning in CODES.items():
        parts += [".TP", str(code), roff(meaning)]
    return "\n".join(parts) + "\n"


def man_verb(made: Any, path: str) -> Iterator[str]:
    """The section of one verb; of a group, one section for each of its verbs."""
    if getattr(made, "commands", None):
        for name, inner in made.commands.items():
            yield from man_verb(inner, f"{path} {name}")
        return
    arguments = " ".join(argument_usage(param) for param in made.params if not is_option(param))
    yield f'.SS "{roff(f"{path} {arguments}".strip())}"'
    paragraphs = inspect.cleandoc(made.help or "").split("\n\n")
    yield "\n.PP\n".join(roff(" ".join(text.split())) for text in paragraphs)
    yield from man_options(made)


def man_options(made: Any) -> Iterator[str]:
    """The arguments and options of a command, one paragraph each."""
    for param in made.params:
        if param.help:
            yield f".TP\n\\fB{roff(spelling(param))}\\fR\n{roff(param.help)}"


def roff(text: str) -> str:
    """The text as roff shows it unchanged: no control lines, no escapes."""
    plain = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    plain = plain.replace("'", r"\(aq").replace('"', r"\(dq").replace("…", "...")
    return rf"\&{plain}" if plain.startswith(".") else plain


def settings_page() -> str:
    """Every setting with its default."""
    rows = [f"| `{name}` | `{default}` | {text} |" for name, default, text in table()]
    return "\n".join([
        NOTE,
        "# Settings\n",
        "A setting comes from the first of: an option of the command, the environment "
        "(`UNISEARCH_SEARCH__K=20` sets `search.k`), the configuration file, the default.\n",
        "The configuration file is `--config FILE`, else `$UNISEARCH_CONFIG`, else `./config.yaml` "
        "if it holds a setting of unisearch, else `config.yaml` in the user's configuration "
        "folder. `config.yaml` in this repository holds every setting with its default.\n",
        "| setting | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n",
    ])  # fmt: skip


def errors_page() -> str:
    """The tree of errors."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    return "\n".join([
        NOTE,
        "# Errors\n",
        "Everything that unisearch raises on purpose is a `unisearch.errors.UnisearchError`; its "
        "text is one line that says what, where and what to do.\n",
        f"```\n{tree}\n```\n",
        "A file that cannot be read does not stop a run. It is listed with one of these kinds: "
        + ", ".join(f"`{kind}`" for kind in get_args(errors.FailureKind))
        + ".\n",
    ])  # fmt: skip


def main() -> None:
    """Writes the pages into the folder that is named, else prints them."""
    for name, text in pages().items():
        if len(sys.argv) > 1:
            (Path(sys.argv[1]) / name).write_text(text, "utf-8")
        else:
            print(text)


if __name__ == "__main__":
    main()
