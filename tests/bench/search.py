"""Vector search: unisearch beside bare FAISS and its peers, on one core, with the same rows.

    python -m tests.bench.search --n 200000 [--engines unisearch,faiss] [--work DIR] [--out FILE]

Each engine is built once below --work (later runs only search), then opened in a new process with
its files evicted, and searched at the least effort that reaches recall@10 of 0.95. Prints a JSON
line for each setting and a Markdown table at the end. `make bench-peers` installs the peers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.child import ABSENT, put
from tests.bench.data import make_data
from tests.bench.engines import CONTENDERS
from tests.bench.measure import one_thread, pin
from tests.bench.report import lines, table

INSTALL = "make bench-peers"


@dataclass(frozen=True)
class Run:
    """What every stage is told."""

    n: int
    dim: int
    work: Path
    peers: Path
    core: int
    budget_s: float
    minutes: float

    @property
    def folder(self) -> Path:
        """Indexes and figures of this size."""
        return self.work / f"built-{self.n}-{self.dim}"

    def built(self, name: str) -> Path:
        """The figures of an engine's build."""
        return self._figures(f"{CONTENDERS[name].index}.build.json")

    def swept(self, name: str) -> Path:
        """The figures of an engine's searches."""
        return self._figures(f"{name}.sweep.json")

    def stage(self, stage: str, name: str, out: Path, limit_s: float | None = None) -> str | None:
        """Runs a stage in a process of its own; what went wrong, if anything."""
        command = [self._python(name), "-m", "tests.bench.child", stage, name]
        command += [str(self.n), str(self.dim), str(self.work), "--core", str(self.core)]
        command += ["--budget", str(self.budget_s), "--out", str(out)]
        out.unlink(missing_ok=True)
        try:
            done = subprocess.run(
                command, env=one_thread(), capture_output=True, text=True, timeout=limit_s
            )
        except subprocess.TimeoutExpired:
            return f"not finished within {self.minutes:g} minutes"
        if done.returncode == ABSENT:
            return f"absent: {INSTALL}"
        if done.returncode or not out.exists():
            last = (done.stderr.strip() or "no reason given").splitlines()[-1]
            return f"failed ({done.returncode}): {last}"
        return None

    def _python(self, name: str) -> str:
        peer = CONTENDERS[name].peer and self.peers.exists()
        return str(self.peers) if peer else sys.executable

    def _figures(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def measure(run: Run, name: str, rebuild: bool = False, build_only: bool = False) -> dict[str, Any]:
    """All figures of one engine: {"engine", "build", "search"} or {"engine", "problem"}."""
    build = read(run.built(name))
    if rebuild or not settled(build, run.minutes):
        problem = run.stage("build", name, run.built(name), run.minutes * 60)
        build = read(run.built(name)) | {"limit_minutes": run.minutes}
        if problem and build.get("rows"):
            put(run.built(name), build)
        if problem:
            return {"engine": name, "problem": problem, "build": build}
    if not build["finished"]:
        problem = f"not finished within {build['limit_minutes']:g} minutes"
        return {"engine": name, "problem": problem, "build": build}
    if build_only:
        return {"engine": name, "build": build}
    problem = run.stage("sweep", name, run.swept(name))
    if problem:
        return {"engine": name, "problem": problem, "build": build}
    return {"engine": name, "build": build, "search": read(run.swept(name))}


def settled(build: dict[str, Any], minutes: float) -> bool:
    """Whether there is no point in building: it is built, or did not end in as long a time."""
    return bool(build) and (build["finished"] or build.get("limit_minutes", 0.0) >= minutes)


def read(path: Path) -> dict[str, Any]:
    """The figures in a file, none when there is none."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200_000, help="rows")
    parser.add_argument("--dim", type=int, default=512, help="numbers of a row")
    parser.add_argument("--engines", default=",".join(CONTENDERS), help="names with commas between")
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="data and indexes")
    parser.add_argument("--out", type=Path, help="the JSON lines go here too")
    parser.add_argument("--core", type=int, default=0, help="the core that everything runs on")
    parser.add_argument(
        "--peers", type=Path, default=Path("build/peers/bin/python"), help="Python of the peers"
    )
    parser.add_argument("--budget", type=float, default=10.0, help="seconds per setting and kind")
    parser.add_argument("--minutes", type=float, default=60.0, help="longest build")
    parser.add_argument("--rebuild", action="store_true", help="build again")
    parser.add_argument("--build-only", action="store_true", help="build, do not search")
    options = parser.parse_args(given)
    options.engines = options.engines.split(",")
    unknown = sorted(set(options.engines) - set(CONTENDERS))
    if unknown:
        parser.error(f"no engine {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    return options


def main() -> None:
    options = arguments()
    work = options.work.absolute()
    run = Run(
        n=options.n,
        dim=options.dim,
        work=work,
        peers=options.peers.absolute(),
        core=options.core,
        budget_s=options.budget,
        minutes=options.minutes,
    )
    pin(options.core)
    make_data(work, options.n, options.dim)
    results = []
    for name in options.engines:
        result = measure(run, name, options.rebuild, options.build_only)
        results.append(result)
        for line in lines(result, options.n):
            print(line, flush=True)
            if options.out:
                with options.out.open("a") as file:
                    file.write(line + "\n")
    print(table(results, options.n))


if __name__ == "__main__":
    main()
