"""Latency of a search after start-up, and what start-up costs.

python -m tests.bench.bench_search [FILES]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import unisearch
from indexer import Indexer
from tests.bench.timing import line, median_s, options
from unisearch.engine.values import term_of
from unisearch.records import MODALITIES
from unisearch.world.concepts import CONCEPTS
from unisearch.world.library import make_library


def starts() -> None:
    """Seconds of whole commands, and of the bare interpreter beside them."""
    commands = {
        "bare python": [sys.executable, "-c", "pass"],
        "unisearch --help": [sys.executable, "-m", "unisearch", "--help"],
        "import torch": [sys.executable, "-c", "import torch"],
    }
    for what, command in commands.items():
        took = median_s(lambda run=command: subprocess.run(run, capture_output=True, check=True))
        line("start", command=what, seconds=took)


def searches(library: Path, paths: list[Path], files: int) -> None:
    """Milliseconds of each step, asked by a sentence and by a file of each kind."""
    opened = time.perf_counter()
    with unisearch.open(library) as engine:
        engine.search("a dog")
        line("search start-up in process", seconds=time.perf_counter() - opened, files=files)
        by_suffix = {path.suffix: path for path in paths}
        questions = ["a dog that barks", *by_suffix.values()]
        for question in questions:
            took = [engine.ask([term_of(question)]).took_ms for _ in range(30)]
            p50 = {step: statistics.median(row[step] for row in took) for step in took[0]}
            suffix = question.suffix if isinstance(question, Path) else "sentence"
            line("search p50 ms", query=suffix, files=files, **p50)
        bare = engine.rooms.space.reference("image")
        vectors = np.ascontiguousarray(np.tile(bare, (-(-files // len(bare)), 1))[:files])
        took_s = median_s(lambda: (vectors @ vectors[0]).argpartition(-200), runs=30)
        line("bare exact search, ms", rows=files, ms=took_s * 1e3)


def command(library: Path) -> None:
    """Seconds of one whole `search` command."""
    environment = {**os.environ, "UNISEARCH_LIBRARY": str(library)}
    run = [sys.executable, "-m", "unisearch", "search", "a", "dog", "--json"]
    took = median_s(
        lambda: subprocess.run(run, capture_output=True, check=True, env=environment), runs=5
    )
    line("search as a command", seconds=took)


def main() -> None:
    files = options(__doc__, files=2_000).files
    starts()
    with tempfile.TemporaryDirectory() as folder:
        per_concept = -(-files // (len(CONCEPTS) * len(MODALITIES)))
        paths = make_library(Path(folder, "media"), per_concept=per_concept)
        library = Path(folder, "library")
        with Indexer(library) as indexer:
            report = indexer.run([Path(folder, "media")])
        line("library", files=len(paths), added=report.added, seconds=report.seconds)
        searches(library, paths, len(paths))
        command(library)


if __name__ == "__main__":
    main()
