"""unisearch completion: a script that lets a shell complete what is typed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from unisearch.cli.main import COMPLETING


class Shell(StrEnum):
    """The shells that there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print a script for the shell, which then completes verbs, options and values.

    bash: put 'source <(unisearch completion bash)' into ~/.bashrc; zsh: the same with zsh into
    ~/.zshrc, after compinit; fish: 'unisearch completion fish >
    ~/.config/fish/completions/unisearch.fish'.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    print(get_completion_script(prog_name="unisearch", complete_var=COMPLETING, shell=shell.value))
