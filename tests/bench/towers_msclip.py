"""Pictures and texts per second of MS-CLIP-S at real size on one core, random weights.

Beside the bare forward: the same network as it is loaded, on tensors that are ready, without
folding, preparation or tokens. `gflops_s`: of its products, at the rate of the whole.

python -m tests.bench.towers_msclip
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from tests.bench.timing import line, median_s
from tests.merges import put_excerpt
from tests.spaces.tiny import manifest, put_network
from unisearch.records import ImageSample, Modality, Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.spaces.table import load_space, models_of
from unisearch.spaces.towers.bpe import BytePairs
from unisearch.spaces.towers.msclip.model import MsClip
from unisearch.spaces.towers.msclip.sizes import Sizes
from unisearch.spaces.towers.strict import load_strict, read_state

BATCH = 16
CAPTION = "a photo of a dog playing in the snow"
CHANNELS = (48, 96, 192, 384, 768)
SIZES = {
    "msclip_b32": Sizes(
        49_408, 77, 768, 3072, 12, 512, 7, CHANNELS, CHANNELS, (16, 8, 4, 2, 1)
    ),
    "msclip_b16": Sizes(
        49_408, 77, 768, 3072, 12, 512, 14, CHANNELS, CHANNELS, (8, 4, 2, 1, 1)
    ),
}  # fmt: skip


def samples() -> dict[Modality, list[Sample]]:
    """A batch of each modality: pictures as readers deliver them, a caption."""
    pixels = np.random.default_rng(0).integers(0, 255, (448, 597, 3), dtype=np.uint8)
    return {
        "image": [ImageSample(np.roll(pixels, place, axis=0)) for place in range(BATCH)],
        "text": [TextSample(CAPTION)] * BATCH,
    }


def load(name: str, folder: Path) -> tuple[Space, MsClip]:
    """The space, and the same network as its file has it."""
    put_excerpt(folder)
    network = MsClip(SIZES[name])
    put_network(folder, network)
    manifest(folder)
    load_strict(network, read_state(folder / "model.safetensors"), folder)
    return load_space(name, dict.fromkeys(models_of(name), folder)), network


def measure(space: Space, network: MsClip, modality: Modality, inputs: Tensor) -> None:
    """One line of results; inputs: of the bare forward."""
    batch = samples()[modality]
    prepared = [space.prepare(sample) for sample in batch]
    forward = network.encode_image if modality == "image" else network.encode_text
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counted:
            forward(inputs)
        bare_s = median_s(lambda: forward(inputs), runs=3)
    encode_s = median_s(lambda: space.encode_prepared(prepared), runs=3)
    prepare_s = median_s(lambda: [space.prepare(sample) for sample in batch], runs=3)
    line(
        "msclip, one core, random weights",
        space=space.name,
        modality=modality,
        batch=BATCH,
        encode_per_s=BATCH / encode_s,
        bare_per_s=BATCH / bare_s,
        of_bare=bare_s / encode_s,
        gflops_s=counted.get_total_flops() / encode_s / 1e9,
        prepare_per_s=BATCH / prepare_s,
    )


def main() -> None:
    torch.set_num_threads(1)
    for name in SIZES:
        with tempfile.TemporaryDirectory() as place:
            space, network = load(name, Path(place))
            ids = BytePairs(Path(place)).ids(CAPTION)
        measure(space, network, "image", torch.randn(BATCH, 3, 224, 224))
        measure(space, network, "text", torch.tensor([ids] * BATCH))


if __name__ == "__main__":
    main()
