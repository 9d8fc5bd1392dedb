"""Items per second of the starter space on one core, tensors ready, beside its CPU preparation.

python -m tests.bench.bench_encode
"""

from __future__ import annotations

import numpy as np
import torch

from tests.bench.timing import line, median_s
from unisearch.config import load_settings
from unisearch.media.mesh import sample_points
from unisearch.records import AudioSample, ImageSample, Sample, TextSample
from unisearch.wiring import open_space
from unisearch.world.meshes import make_mesh
from unisearch.world.sounds import make_sound

BATCH = 64


def samples() -> dict[str, list[Sample]]:
    """A batch of each modality, in the sizes that the readers deliver."""
    numbers = np.random.default_rng(0)
    pixels = numbers.integers(0, 255, (256, 384, 3), dtype=np.uint8)
    sound = np.resize(make_sound("dog", 0), 160_000)  # a whole window of 10 s
    cloud = sample_points(make_mesh("car", 0), 4096)
    return {
        "text": [TextSample(f"a dog number {i} barks in the night") for i in range(BATCH)],
        "image": [ImageSample(np.roll(pixels, i, axis=0)) for i in range(BATCH)],
        "audio": [AudioSample(np.roll(sound, 100 * i), 16_000) for i in range(BATCH)],
        "3d": [cloud] * BATCH,
    }


def main() -> None:
    torch.set_num_threads(1)
    space = open_space(load_settings(), "starter")
    for modality, batch in samples().items():
        prepared = [space.prepare(sample) for sample in batch]
        forward_s = median_s(lambda ready=prepared: space.encode_prepared(ready))
        prepare_s = median_s(lambda raw=batch: [space.prepare(sample) for sample in raw], runs=3)
        line(
            "starter encode, one core",
            modality=modality,
            batch=BATCH,
            forward_per_s=BATCH / forward_s,
            prepare_per_s=BATCH / prepare_s,
        )


if __name__ == "__main__":
    main()
