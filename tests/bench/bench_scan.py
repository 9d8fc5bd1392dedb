"""Seconds of a second `index` over unchanged files, which reads none of them; and of a moved tree.

    python -m tests.bench.bench_scan [FILES] [MOVED]

Tiny texts in folders of 1,000, in the toy space: what is measured is the walk, the comparison with
the catalogue and, for the tree that moved, finding each file again. `bare` is os.scandir with one
stat per file. Nothing is decoded in either: a reader that is called ends the benchmark.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from unittest import mock

from indexer import Indexer, Report
from tests.bench.measure import memory_bytes
from tests.bench.timing import line, median_s, options
from unisearch.config import load_settings


def make_files(folder: Path, count: int) -> None:
    """Texts of one line, 1,000 to a folder."""
    for at in range(0, count, 1_000):
        inner = folder / f"{at // 1_000:04d}"
        inner.mkdir(parents=True)
        for number in range(at, min(at + 1_000, count)):
            (inner / f"note {number:07d}.txt").write_text(f"note number {number}\n")


def bare(folder: Path) -> int:
    """How many files there are, looked at one by one."""
    count, folders = 0, [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


def scanned(indexer: Indexer, folder: Path) -> tuple[Report, float]:
    """A run that may decode nothing, and its seconds."""
    refuse = AssertionError("a file was decoded")
    with mock.patch("unisearch.media.text.read_text", side_effect=refuse):
        start = time.perf_counter()
        report = indexer.run(folder)
        return report, time.perf_counter() - start


def main() -> None:
    asked = options(__doc__, files=100_000, moved=10_000)
    files, moved = asked.files, asked.moved
    settings = load_settings().model_copy(update={"space": "toy"})
    with tempfile.TemporaryDirectory() as folder:
        media, library = Path(folder, "media"), Path(folder, "library")
        make_files(media / "still", files)
        make_files(media / "before", moved)
        settings = settings.model_copy(update={"library": library})
        with Indexer(settings=settings) as indexer:
            assert indexer.run(media).added == files + moved
            media.joinpath("before").rename(media / "after")
            report, moved_s = scanned(indexer, media)
            assert (report.moved, report.unchanged) == (moved, files), report
            line("index a tree that moved", files=moved, seconds=moved_s)
            runs = []
            for _ in range(5):
                report, took = scanned(indexer, media / "still")
                assert report.unchanged == files, report
                runs.append(took)
        line(
            "second scan",
            files=files,
            seconds=sorted(runs)[2],
            bare_s=median_s(lambda: bare(media / "still"), runs=5),
            anonymous_bytes=memory_bytes()["anonymous"],
        )


if __name__ == "__main__":
    main()
