"""Files per second of `index`, beside the bare decode and the bare forward of the same files.

    python -m tests.bench.bench_pipeline [FILES_PER_MODALITY]

With one process, the pipeline's bound is 1 / (decode + prepare + forward); `of_bound` says how
much of that is reached after reading, hashing and making everything durable.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from indexer import Indexer
from tests.bench.timing import line, median_s
from unisearch.config import load_settings
from unisearch.media.read import modality_of, read
from unisearch.records import ReadOptions, Sample
from unisearch.spaces.base import Space
from unisearch.wiring import open_space, read_options
from unisearch.world.concepts import CONCEPTS
from unisearch.world.library import make_library


def decode(paths: list[Path], options: ReadOptions) -> list[Sample]:
    """All segments of the files."""
    return [part.sample for path in paths for part in read(path, options).parts]


def forward(space: Space, samples: list[Sample]) -> None:
    """Encodes the samples in batches of 64."""
    for at in range(0, len(samples), 64):
        space.encode(samples[at : at + 64])


def index(paths: list[Path]) -> float:
    """Seconds to index the files into a library of their own."""
    with tempfile.TemporaryDirectory() as folder, Indexer(Path(folder, "library")) as indexer:
        start = time.perf_counter()
        report = indexer.run(paths)
        took = time.perf_counter() - start
        assert report.added == len(paths), report
    return took


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    settings = load_settings()
    space = open_space(settings, settings.space)
    options = read_options(settings, space)
    with tempfile.TemporaryDirectory() as folder:
        concepts = sorted(CONCEPTS)
        per_concept = -(-count // len(concepts))
        by_modality = defaultdict(list)
        for path in make_library(Path(folder, "media"), per_concept=per_concept):
            by_modality[modality_of(path)].append(path)
        for modality, paths in by_modality.items():
            files = paths[:count]
            samples = decode(files, options)
            decode_s = median_s(lambda chosen=files: decode(chosen, options), runs=3)
            forward_s = median_s(lambda ready=samples: forward(space, ready), runs=3)
            index(files[:8])
            took = sorted(index(files) for _ in range(3))[1]
            line(
                "index files",
                modality=str(modality),
                files=len(files),
                pipeline_per_s=len(files) / took,
                decode_per_s=len(files) / decode_s,
                forward_per_s=len(files) / forward_s,
                of_bound=(decode_s + forward_s) / took,
            )


if __name__ == "__main__":
    main()
