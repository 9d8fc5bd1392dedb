"""What a test sees of a command, and the command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 120


@dataclass(frozen=True)
class Done:
    """A finished command. Its output is kept as bytes: paths need not be UTF-8."""

    code: int
    out: bytes
    err: str

    def json(self) -> Any:
        """stdout as JSON, after a command that went well."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def lines(self) -> list[str]:
        """The lines on stderr."""
        return self.err.splitlines()


Command = Callable[..., Done]


def run(*arguments: str | bytes | Path, cwd: Path, stdin: bytes = b"", **settings: str) -> Done:
    """Runs unisearch in `cwd`. settings: UNISEARCH_* of its environment, in lower case."""
    environment = {
        **os.environ,
        "HOME": os.fspath(cwd),
        "COLUMNS": "200",
        **{f"UNISEARCH_{name.upper()}": value for name, value in settings.items()},
    }
    done = subprocess.run(
        [sys.executable, "-m", "unisearch", *arguments],
        cwd=cwd, env=environment, input=stdin, capture_output=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert "Traceback" not in done.stderr.decode("utf-8", "replace")
    return Done(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace"))


@dataclass(frozen=True)
class Ready:
    """A folder of real files and the library that holds them. Tests only read it."""

    media: Path
    library: Path
    report: dict[str, Any]
