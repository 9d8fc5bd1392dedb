"""What a process and its files cost: anonymous memory, bytes on the disk, a fixed yardstick."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "LANCE_CPU_THREADS",
)


def one_thread() -> dict[str, str]:
    """The environment with one thread for everything that computes."""
    return {**os.environ, **dict.fromkeys(THREADS, "1"), "ANONYMIZED_TELEMETRY": "False"}


def pin(core: int) -> None:
    """Run on this core only; on the first one allowed where that one is not."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core if core in allowed else min(allowed)})


def memory_bytes() -> dict[str, int]:
    """Memory of this process: its own (RssAnon), and pages of files that it mapped (RssFile)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    rows = dict(line.split(":", 1) for line in lines)
    return {
        "anonymous": int(rows["RssAnon"].split()[0]) * 1024,
        "mapped": int(rows["RssFile"].split()[0]) * 1024,
    }


def disk_bytes(folder: Path) -> int:
    """What the files below a folder take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def evict(folder: Path) -> None:
    """Drop the files below a folder from the page cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def yardstick_ms() -> float:
    """The best of five times of a fixed product: larger when the machine is busy."""
    numbers = np.random.default_rng(0)
    rows = numbers.standard_normal((20_000, 512), dtype=np.float32)
    queries = numbers.standard_normal((64, 512), dtype=np.float32)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        rows @ queries.T
        best = min(best, time.perf_counter() - start)
    return best * 1e3
