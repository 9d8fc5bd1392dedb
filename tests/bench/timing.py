"""What all benchmarks share: medians of several runs, printed as one JSON line each."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any


def median_s(run: Callable[[], Any], runs: int = 5, warm: int = 1) -> float:
    """The median seconds of one call, after `warm` calls that do not count."""
    for _ in range(warm):
        run()
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def options(doc: str | None, **arguments: int | dict[str, Any]) -> argparse.Namespace:
    """What the command line says; its --help is the module's text.

    arguments: a number that is counted by default, or options of argparse
    """
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=form)
    for name, said in arguments.items():
        count = {"nargs": "?", "type": int, "default": said}
        parser.add_argument(name, **(said if isinstance(said, dict) else count))
    return parser.parse_args()


def line(what: str, **figures: Any) -> None:
    """One benchmark's result as a JSON line on stdout."""
    rounded = {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in figures.items()
    }
    print(json.dumps({"what": what, **rounded}), flush=True)
