"""A real daemon in a process of its own, and what a test sees of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.indexer.conftest import Library
from unisearch.errors import LibraryMissing

PATIENCE_S = 120.0


def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait for something that is about to happen."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@dataclass
class Daemon:
    """`unisearch watch` on a library of the toy space. Entered, it has begun to watch.

    config: its configuration file · environment: beside that of the test
    """

    library: Library
    paths: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    module: str = "unisearch"

    def __post_init__(self) -> None:
        folder = self.library.path.parent
        self.config, self.log = folder / "daemon.yaml", folder / "daemon.log"
        if not self.config.exists():
            self.configure({})

    def configure(self, watch: dict[str, Any], **settings: Any) -> None:
        """Write its configuration."""
        content = {"space": "toy", **settings, "watch": {"log_format": "json", **watch}}
        self.config.write_text(json.dumps(content), "utf-8")  # JSON is YAML

    def command(self, *arguments: str | Path) -> list[str]:
        """A command line on its library and configuration."""
        library = ["--library", os.fspath(self.library.path)]
        words = [*arguments, *library, "--config", self.config]
        return [sys.executable, "-m", *(os.fspath(word) for word in words)]

    def start(self) -> None:
        """Start it, without waiting for anything."""
        verb = ["unisearch", "watch"] if self.module == "unisearch" else [self.module]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*verb, *self.paths), stderr=log, env=os.environ | self.environment
            )

    def said(self) -> list[dict[str, Any]]:
        """What it has logged."""
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def has_said(self, text: str, times: int = 1) -> bool:
        """Whether messages hold that text, at least so many."""
        return sum(text in line["event"] for line in self.said()) >= times

    def hears(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def holds(self, *names: str) -> Callable[[], bool]:
        """Whether the library holds the files of these names, and no others."""
        return lambda: self.names() == sorted(names)

    def names(self) -> list[str] | None:
        """The names of the files that the library holds; None before it is there."""
        try:
            return self.library.names()
        except LibraryMissing:
            return None

    def __enter__(self) -> Self:
        self.start()
        until(lambda: self.has_said("watching") or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            finally:
                self.process.kill()
