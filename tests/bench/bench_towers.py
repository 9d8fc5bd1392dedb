"""Items per second of every published network at its real size, random weights, one and two cores.

bare: the network alone on a batch of tensors that is ready; encode: prepared samples to unit
rows; pipeline: samples, as readers deliver them, to unit rows, in one process. On one core the time
of that core counts, which others disturb less; on two the time on the clock.

python -m tests.bench.bench_towers [MODEL ...]       8 GB in a scratch folder, unless some are named
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.bench.timing import line, options
from tests.bench.towers_full import FULL, put_full
from unisearch.media.mesh import sample_points
from unisearch.records import AudioSample, ImageSample, Modality, Sample, TextSample
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.imagebind.tower import ImageBindTower
from unisearch.spaces.towers.pointbert import PointBertTower
from unisearch.world.meshes import make_mesh
from unisearch.world.sounds import make_sound

BATCH = 16
#: What takes seconds apiece.
FEW = {("imagebind-huge", "image"): 2, ("imagebind-huge", "audio"): 4}
CORES = (1, 2)
#: By which the towers enter their networks.
_METHODS = {ImageBindTower: ("vision", "audio", "text"), PointBertTower: ("forward",)}
_FEATURES = (
    *("get_image_features", "get_text_features", "get_audio_features"),
    *("encode_image", "encode_text"),
)


def samples(tower: Tower, modality: Modality, count: int) -> list[Sample]:
    """As readers deliver them: pictures of twice the network's side, whole windows of sound."""
    if modality == "text":
        return [TextSample(f"a dog in snow {n}") for n in range(count)]
    if modality == "image":
        side = tower.image_min_side
        pixels = np.random.default_rng(0).integers(0, 255, (side, side * 4 // 3, 3), np.uint8)
        return [ImageSample(np.roll(pixels, n, axis=0)) for n in range(count)]
    if modality == "audio":
        rate = tower.audio_rate_hz
        sound = np.resize(make_sound("dog", 0, rate), 10 * rate)
        return [AudioSample(np.roll(sound, 100 * n), rate) for n in range(count)]
    return [sample_points(make_mesh("car", n), tower.points, n) for n in range(count)]


def replayed(tower: Tower, run: Callable[[], Any]) -> Callable[[], Any]:
    """The calls that `run` makes to the network, on the tensors that it made them with."""
    network: Any = getattr(tower, "network", None) or tower._network  # type: ignore[attr-defined]
    names = _METHODS.get(type(tower), _FEATURES)
    calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
    own = {name: getattr(network, name) for name in names if hasattr(network, name)}

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arrays: Any, **named: Any) -> Any:
            calls.append((method, arrays, named))
            return method(*arrays, **named)

        return call

    for name, method in own.items():
        setattr(network, name, noting(method))
    try:
        run()
    finally:
        for name in own:
            delattr(network, name)
    assert calls, "the network was not called"
    return lambda: [method(*arrays, **named) for method, arrays, named in calls]


def measure(model: str, tower: Tower, modality: Modality) -> None:
    """One line for each number of cores."""
    count = FEW.get((model, modality), BATCH)
    rounds = 5 if count == BATCH else 1
    prepare, batch = tower.preparer(modality), samples(tower, modality, count)
    ready = [prepare(sample) for sample in batch]
    bare = replayed(tower, lambda: tower.encode(modality, ready))
    for cores in CORES:
        torch.set_num_threads(cores)
        took = best_s(
            rounds,
            time.process_time if cores == 1 else time.perf_counter,
            bare=bare,
            encode=lambda: tower.encode(modality, ready),
            prepare=lambda: [prepare(sample) for sample in batch],
        )
        of_bare = took["bare"] / took["encode"]
        took["pipeline"] = took["encode"] + took["prepare"]
        rates = {f"{name}_per_s": count / seconds for name, seconds in took.items()}
        line(
            "towers, random weights",
            model=model, modality=modality, cores=cores, batch=count, of_bare=of_bare, **rates,
        )  # fmt: skip


def best_s(rounds: int, clock: Callable[[], float], **runs: Callable[[], Any]) -> dict[str, float]:
    """The least seconds of each, in turn: what else the machine does slows all of them alike."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = clock()
            run()
            best[name] = min(best[name], clock() - start)
    return best


def known(model: str) -> str:
    """The name of a model, if it is one. Raises ArgumentTypeError."""
    if model not in FULL:
        raise argparse.ArgumentTypeError(f"'{model}' is none of {', '.join(FULL)}")
    return model


def main() -> None:
    for model in options(__doc__, model={"nargs": "*", "type": known}).model or list(FULL):
        with tempfile.TemporaryDirectory() as place, torch.inference_mode():
            tower = put_full(model, Path(place))
            for modality in tower.modalities:
                measure(model, tower, modality)
            del tower
            gc.collect()


if __name__ == "__main__":
    main()
