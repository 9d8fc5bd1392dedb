"""How search grows with the library: time, memory and building at several sizes, on one core.

    python -m tests.bench.growth [--sizes 10000,100000,1000000,3000000] [--work DIR] [--drop]

Prints a JSON line and a table row for each size, the fitted exponents (time = a · n^b), and what
they predict for 100 million and a billion vectors on one machine.
"""

from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.data import KINDS, make_data
from tests.bench.measure import pin
from tests.bench.search import Run, measure
from tests.bench.timing import line

#: Smaller partitions are searched exactly: another curve, which is not fitted.
INDEXED = 50_000
PREDICTED = (100_000_000, 1_000_000_000)
#: A random read of 4 KB from an NVMe drive, one after the other (a usual figure, not measured).
READ_MS = 0.08
HEAD = (
    "| rows | public p50 same / cross, ms | index p50 same / cross, ms | recall same / cross "
    "| memory, bytes per row | disk, bytes per row | build, CPU ms per row | open, s |"
)


@dataclass(frozen=True)
class Size:
    """The figures of one size."""

    rows: int
    public_ms: dict[str, float]  # p50 by kind of query
    index_ms: dict[str, float]
    recall: dict[str, float]
    candidates: dict[str, int]  # rows compared exactly, by query modality
    memory: float  # anonymous, bytes per row
    disk: float  # bytes per row
    build_ms: float  # processor time per row: catalogue, rows and index
    open_s: float

    def cells(self) -> str:
        """A row of the table."""
        pairs = [self.public_ms, self.index_ms, self.recall]
        shown = [" / ".join(f"{pair[kind]:.3g}" for kind in KINDS) for pair in pairs]
        rest = f"{self.memory:.0f} | {self.disk:.0f} | {self.build_ms:.3g} | {self.open_s:.2f}"
        return f"| {self.rows:,} | {' | '.join(shown)} | {rest} |"


def size_of(n: int, public: dict[str, Any], index: dict[str, Any]) -> Size:
    """What the two measurements of a size say."""
    [row], [bare] = public["search"]["rows"], index["search"]["rows"]
    efforts = index["search"]["efforts"]
    return Size(
        rows=n,
        public_ms={kind: row[f"p50_ms_{kind}"] for kind in KINDS},
        index_ms={kind: bare[f"p50_ms_{kind}"] for kind in KINDS},
        recall={kind: row[f"recall_{kind}"] for kind in KINDS},
        candidates={name: effort["candidates"] for name, effort in efforts.items()},
        memory=index["search"]["memory_bytes"]["anonymous"] / n,
        disk=public["search"]["disk_bytes"] / n,
        build_ms=public["build"]["cpu_s"] / n * 1e3,
        open_s=public["search"]["first_answer_s"],
    )


def fit(sizes: Sequence[int], values: Sequence[float]) -> tuple[float, float]:
    """(a, b) of value = a · n^b, by least squares of the logarithms."""
    slope, offset = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(np.exp(offset)), float(slope)


def prediction(sizes: Sequence[Size]) -> list[str]:
    """The exponents, and what the curves say of larger libraries."""
    fitted = [size for size in sizes if size.rows > INDEXED]
    if len(fitted) < 2:
        return ["Two sizes with an index are needed for a fit."]
    rows = [size.rows for size in fitted]
    curves = {kind: fit(rows, [size.index_ms[kind] for size in fitted]) for kind in KINDS} | {
        "build": fit(rows, [size.build_ms * size.rows for size in fitted])
    }
    text = [
        f"Index search grows with n^{curves['same'][1]:.2f} (same) and n^{curves['cross'][1]:.2f}"
        f" (cross), building with n^{curves['build'][1]:.2f}; 0.5 is the square root."
    ]
    return text + [predicted(n, fitted[-1], curves) for n in PREDICTED]


def predicted(n: int, largest: Size, curves: dict[str, tuple[float, float]]) -> str:
    """One line for a library of n rows."""
    same, cross, build = (curves[name][0] * n ** curves[name][1] for name in (*KINDS, "build"))
    compared = max(largest.candidates.values(), default=0)
    return (
        f"{n:,} rows: {same:.0f} ms (same) and {cross:.0f} ms (cross) a query with every page"
        f" cached; {gigabytes(n * largest.memory)} of memory, {gigabytes(n * largest.disk)} on the"
        f" disk, {build / 3.6e6:,.0f} core hours to build; rows that are not cached add up to"
        f" {math.ceil(compared * READ_MS)} ms ({compared:,} reads of {READ_MS} ms)"
    )


def gigabytes(size: float) -> str:
    """Bytes as text."""
    return f"{size / 1e9:,.0f} GB"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000,1000000,3000000")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--budget", type=float, default=10.0, help="seconds per kind of query")
    parser.add_argument("--drop", action="store_true", help="delete each size when it is measured")
    options = parser.parse_args()
    pin(options.core)
    sizes = []
    for n in map(int, options.sizes.split(",")):
        work = options.work.absolute()
        run = Run(n, options.dim, work, Path(), options.core, options.budget, minutes=600)
        data = make_data(work, n, options.dim)
        public, index = (measure(run, name) for name in ("unisearch", "unisearch-index"))
        for result in (public, index):
            if "problem" in result:
                raise SystemExit(f"{n:,} rows: {result['problem']}")
        sizes.append(size_of(n, public, index))
        line("growth", **vars(sizes[-1]))
        if options.drop:
            shutil.rmtree(data.folder)
            shutil.rmtree(run.folder)
    columns = HEAD.count("|") - 1
    print(HEAD, "|---" * columns + "|", *(size.cells() for size in sizes), sep="\n")
    print(*prediction(sizes), sep="\n")


if __name__ == "__main__":
    main()
