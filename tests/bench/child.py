"""One stage of one engine in a process of its own; `search` starts it.

    python -m tests.bench.child build|sweep NAME N DIM WORK --core C --out FILE

The figures go to FILE; what the engine prints is not ours.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import time
from pathlib import Path
from typing import Any

from tests.bench.data import KINDS, Data, K
from tests.bench.engines import CONTENDERS
from tests.bench.engines.base import Contender, Place
from tests.bench.measure import disk_bytes, evict, memory_bytes, pin, yardstick_ms
from tests.bench.sweep import sweep

ABSENT = 3  # exit status: the package is not installed
EVERY_S = 2.0
USED = 100  # queries of each kind before memory is measured


def build(engine: Contender, data: Data, out: Path) -> None:
    """Builds the index, noting how far it is."""
    folder = engine.place.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start, cpu = time.perf_counter(), cpu_s()

    def note(rows: int, **more: Any) -> None:
        took = {"seconds": time.perf_counter() - start, "cpu_s": cpu_s() - cpu}
        put(out, {"rows": rows, **took, **more})

    noted = 0.0
    for rows in engine.build(data.vectors()):
        if time.perf_counter() > noted + EVERY_S:
            note(rows, finished=False)
            noted = time.perf_counter()
    engine.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    note(data.n, finished=True, peak_bytes=peak, yard_ms=yardstick_ms(), **engine.facts())


def measure(engine: Contender, data: Data, budget_s: float) -> dict[str, Any]:
    """Opens the index with its files evicted, and asks."""
    folder, query = engine.place.folder, data.queries("same")[:1]
    before = yardstick_ms()
    evict(folder)
    empty = memory_bytes()
    start = time.perf_counter()
    engine.open()
    opened = time.perf_counter()
    engine.use(engine.ladders()[0][0])
    engine.ask(query, "same", K)
    answered = time.perf_counter()
    for kind in KINDS:
        engine.ask(data.queries(kind)[:USED], kind, K)
    used = memory_bytes()
    rows = sweep(engine, data, budget_s)
    swept = memory_bytes()
    facts = engine.facts()
    engine.close()
    return {
        "rows": rows,
        "open_s": opened - start,
        "first_answer_s": answered - start,
        "memory_bytes": {name: used[name] - empty[name] for name in empty},
        "memory_after_sweep_bytes": {name: swept[name] - empty[name] for name in empty},
        "disk_bytes": disk_bytes(folder),
        "yard_ms": [before, yardstick_ms()],
        **facts,
    }


def cpu_s() -> float:
    """Processor time of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def put(path: Path, figures: dict[str, Any]) -> None:
    """Writes the figures so that a reader never sees half of them."""
    half = path.with_suffix(".half")
    half.write_text(json.dumps(figures))
    half.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("build", "sweep"))
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("n", type=int)
    parser.add_argument("dim", type=int)
    parser.add_argument("work", type=Path)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pin(options.core)
    entry = CONTENDERS[options.name]
    try:
        contender = entry.load()
    except ImportError as error:
        print(error)
        return ABSENT
    data = Data(options.work / f"data-{options.n}-{options.dim}", options.n, options.dim)
    folder = options.work / f"built-{options.n}-{options.dim}" / entry.index
    engine = contender(Place(folder, options.n, options.dim))
    if options.stage == "build":
        build(engine, data, options.out)
    else:
        put(options.out, measure(engine, data, options.budget))
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)  # threads of an engine may never end
