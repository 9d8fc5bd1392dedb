"""PointBERT of ULIP-2 at its real size with random weights: clouds per second.

python -m tests.bench.towers_points        one core, unless OMP_NUM_THREADS says otherwise
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.bench.timing import line, median_s
from tests.spaces.tiny import manifest, put_network
from unisearch.records import PointSample
from unisearch.spaces.towers.pointbert import HEAD, PARTS, PointBert, PointBertTower, Sizes
from unisearch.spaces.towers.points_prepare import GROUP, GROUPS, POINTS, shape_groups

RUNS = 12


def figures() -> Iterator[dict[str, Any]]:
    """What is to be printed: clouds per second, and what they are compared with.

    prepare_share: of a cloud's time, what sampling and neighbours take
    of_products: rate of the network against its own bare matrix products, in its order and without
        anything between them; of_published_products: against those of the published network
    """
    rng = np.random.default_rng(1)
    shape = PointSample(rng.standard_normal((POINTS, 3)).astype(np.float32))
    with tempfile.TemporaryDirectory() as place:
        put_network(Path(place), PointBert(Sizes()))
        manifest(Path(place))
        tower = PointBertTower(Path(place))
    prepared = [shape_groups(shape)]
    ours, published = products(), products(published=True)
    runs: dict[str, Callable[[], Any]] = {
        "prepare": lambda: shape_groups(shape),
        "network": lambda: tower.encode("3d", prepared),
        "ours": lambda: [product() for product in ours],
        "published": lambda: [product() for product in published],
    }
    with torch.inference_mode():
        took = _medians(runs)
    yield {
        "modality": "3d",
        "clouds_per_s": 1 / (took["prepare"] + took["network"]),
        "encode_per_s": 1 / took["network"],
        "prepare_per_s": 1 / took["prepare"],
        "prepare_share": took["prepare"] / (took["prepare"] + took["network"]),
        "of_products": took["ours"] / took["network"],
        "of_published_products": took["published"] / took["network"],
    }


def _medians(runs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """The median seconds of each, taken in turn: what disturbs the machine disturbs all."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, run in runs.items():
            took[name].append(median_s(run, runs=1, warm=0))
    return {name: statistics.median(seconds[1:]) for name, seconds in took.items()}


def products(published: bool = False) -> list[Callable[[], Any]]:
    """The matrix products of one cloud, in the order of the network.

    published: those of the published encoder of parts, which multiplies more
    """
    size, tokens = Sizes(), GROUPS + 1
    parts, heads = PARTS["cpu"], size.width // HEAD
    points, inner = parts * GROUP, 2 * size.part
    second = (inner, inner) if published else (size.first, inner)
    encoder = [
        _product(points, 3, size.first),
        _product(points, size.first, size.part),
        *([] if published else [_product(parts, size.part, inner)]),
        _product(points, *second),
        _product(points, inner, size.part),
    ]
    block = [
        _product(tokens, size.width, 3 * size.width),
        _product(tokens, HEAD, tokens, heads),
        _product(tokens, tokens, HEAD, heads),
        _product(tokens, size.width, size.width),
        _product(tokens, size.width, size.hidden),
        _product(tokens, size.hidden, size.width),
    ]
    return encoder * (GROUPS // parts) + block * size.depth


def _product(rows: int, inputs: int, outputs: int, batch: int = 0) -> Callable[[], Any]:
    """(rows, inputs) times (inputs, outputs), into memory that is there."""
    several = (batch,) if batch else ()
    left, right = torch.randn(*several, rows, inputs), torch.randn(*several, inputs, outputs)
    into = torch.empty(*several, rows, outputs)
    return partial(torch.bmm if batch else torch.mm, left, right, out=into)


def main() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for found in figures():
        line("towers", model="ulip2-pointbert", threads=torch.get_num_threads(), **found)


if __name__ == "__main__":
    main()
