"""The whole pipeline on files of typical sizes, beside its bare parts on the same files.

    python -m tests.bench.indexing [--files N] [--media DIR]

The bare parts (decode, prepare, encode) run alone, each on one core, over a share of the files.
`bottleneck` is the slower of the two things that go on at the same time: decoding and preparing,
spread over all cores, and encoding on all cores; `perfect` is all of it spread over all cores
without a gap. Cores that share caches, memory or a physical core are slower together: `side by
side` is what as many processes as there are cores take for all files when each does nothing but
the bare parts of its own share at the same time, on one thread. Each process has as much of every
format, and where one is through first the mean counts. Files are read once before they are timed,
so that no side waits for the disk alone. `elsewhere_core_s` is what other programs took from the
cores meanwhile: above a few percent the shares say little. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

from indexer import Indexer
from indexer.child import SINGLE
from tests.bench.timing import line
from tests.bench.typical import make_typical
from unisearch.config import load_settings
from unisearch.media.read import modality_of, read
from unisearch.records import ReadOptions
from unisearch.spaces.base import Space
from unisearch.wiring import open_space, read_options

BATCH = 64
PARTS = ("decode", "prepare", "encode")
KINDS = ("image", "audio", "3d", "text")


def bare(paths: Sequence[Path], space: Space, options: ReadOptions) -> dict[str, float]:
    """Seconds of each part for these files."""
    took = dict.fromkeys(PARTS, 0.0)
    read(paths[0], options)  # what is imported at the first file
    for at in range(0, len(paths), 16):
        start = time.perf_counter()
        samples = [
            part.sample for path in paths[at : at + 16] for part in read(path, options).parts
        ]
        decoded = time.perf_counter()
        prepared = [space.prepare(sample) for sample in samples]
        ready = time.perf_counter()
        for first in range(0, len(prepared), BATCH):
            space.encode_prepared(prepared[first : first + BATCH])
        end = time.perf_counter()
        for name, spent in zip(PARTS, (decoded - start, ready - decoded, end - ready), strict=True):
            took[name] += spent
    return took


def alone(paths: Sequence[Path]) -> dict[str, float]:
    """Seconds of each part for these files, in a process and on a core of its own.

    Not here: torch with its threads is loaded by the pipeline as a command would.
    """
    with one_thread_each(), multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_alone, (paths,))


def _alone(paths: Sequence[Path]) -> dict[str, float]:
    space, options = opened()
    bare(paths[:1], space, options)  # what the first file of a kind imports
    return bare(paths, space, options)


def opened() -> tuple[Space, ReadOptions]:
    """The configured space, and how files are read for it."""
    settings = load_settings()
    space = open_space(settings, settings.space)
    return space, read_options(settings, space)


def side_by_side(paths: Sequence[Path], cores: int) -> float:
    """Seconds of all bare parts of these files, shared by as many processes at the same time."""
    context = multiprocessing.get_context("spawn")
    alike = sorted(paths, key=lambda path: (path.suffix, path))
    with one_thread_each(), context.Manager() as manager, context.Pool(cores) as pool:
        start = manager.Barrier(cores)
        shares = [(alike[at::cores], start) for at in range(cores)]
        return sum(pool.starmap(_one_side, shares, 1)) / cores


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that begin meanwhile compute on one thread each, as workers do."""
    before = dict(os.environ)
    os.environ.update(SINGLE)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def busy_core_s() -> float:
    """Seconds that all cores of the machine have worked for whatever program; Linux alone tells."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def own_core_s() -> float:
    """Seconds that this process and those of its own that have ended worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _one_side(paths: Sequence[Path], start: Barrier) -> float:
    space, options = opened()
    kinds = [[path for path in paths if modality_of(path) == kind] for kind in KINDS]
    for mine in kinds:
        bare(mine[:1], space, options)  # what the first file of a kind imports
    start.wait()
    began = time.perf_counter()
    for mine in kinds:
        bare(mine, space, options)
    return time.perf_counter() - began


def index(media: Path, files: int) -> tuple[float, float, float, float]:
    """Seconds of the first run over the folder, and of a second one that finds nothing new; those
    of cores that both took, and that other programs took meanwhile."""
    busy, own = busy_core_s(), own_core_s()
    with tempfile.TemporaryDirectory() as folder, Indexer(Path(folder, "library")) as indexer:
        start = time.perf_counter()
        report = indexer.run(media)
        first = time.perf_counter()
        again = indexer.run(media)
        end = time.perf_counter()
        assert report.added == files, report
        assert again.unchanged == files, again
    took = own_core_s() - own
    return first - start, end - first, took, busy_core_s() - busy - took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2_000, help="of all kinds together")
    parser.add_argument("--share", type=int, default=48, help="files of a kind for the bare parts")
    parser.add_argument("--media", type=Path, help="where the files are made, and kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        media = options.media or Path(made, "media")
        paths = list(make_typical(media, options.files // 4))
        measure(media, paths, options.share)


def measure(media: Path, paths: Sequence[Path], share: int) -> None:
    """Prints the figures of the parts by kind, then those of the pipeline."""
    total = dict.fromkeys(PARTS, 0.0)
    few = []
    for kind in KINDS:
        mine = [path for path in paths if modality_of(path) == kind]
        took = alone(mine[:share])
        rates = {f"{name}_per_s": len(mine[:share]) / spent for name, spent in took.items()}
        line("bare parts", kind=kind, files=len(mine[:share]), **rates)
        for name, spent in took.items():
            total[name] += spent * len(mine) / len(mine[:share])
        few += mine[:share]
    cores = len(os.sched_getaffinity(0))
    bottleneck_s = max(total["decode"] + total["prepare"], total["encode"]) / cores
    perfect_s = sum(total.values()) / cores
    side_by_side_s = side_by_side(few, cores) * len(paths) / len(few)
    for path in paths:
        path.read_bytes()
    took_s, again_s, core_s, elsewhere_s = index(media, len(paths))
    line(
        "index files of typical sizes",
        files=len(paths),
        cores=cores,
        bytes=sum(path.stat().st_size for path in paths),
        seconds=took_s,
        files_per_s=len(paths) / took_s,
        of_bottleneck=bottleneck_s / took_s,
        of_perfect=perfect_s / took_s,
        of_side_by_side=side_by_side_s / took_s,
        second_run_s=again_s,
        core_s=core_s,
        elsewhere_core_s=elsewhere_s,
        **{f"{name}_core_s": spent for name, spent in total.items()},
    )


if __name__ == "__main__":
    main()
