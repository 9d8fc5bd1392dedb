"""LAION-CLAP at its real sizes with random weights: windows and texts per second.

python -m tests.bench.towers_clap          one core, unless OMP_NUM_THREADS says otherwise
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from tests.bench.timing import line, median_s
from tests.parity.sounds import sound
from tests.spaces.tiny import manifest, put_clap_words, put_network
from unisearch.records import AudioSample, TextSample
from unisearch.spaces.towers.clap import CONTEXT, ClapTower
from unisearch.spaces.towers.clap_prepare import RATE_HZ, WINDOW

BATCH = 16
#: By the models' names: what 630k-fusion-best and music_speech_audioset_epoch_15 are made of.
SIZES: dict[str, dict[str, Any]] = {
    "clap-630k-fusion": {"enable_fusion": True, "fusion_type": "aff_2d"},
    "clap-music-speech": {
        "patch_embeds_hidden_size": 128,
        "hidden_size": 1024,
        "depths": [2, 2, 12, 2],
    },
}


def put_real_size(folder: Path, model: str) -> None:
    """The folder of that model with random weights, 0.6 to 0.8 GB."""
    put_clap_words(folder)
    text = {"layer_norm_eps": 1e-5}
    config = ClapConfig(audio_config=SIZES[model], text_config=text)
    config.save_pretrained(folder)
    put_network(folder, ClapModel(config))
    manifest(folder)


def figures(folder: Path) -> Iterator[dict[str, Any]]:
    """What is to be printed of each modality: items per second.

    bare: the network alone on tensors that are ready, as transformers' users call it
    """
    tower = ClapTower(folder)
    network = ClapModel(ClapConfig.from_pretrained(folder)).eval()
    sounds = [AudioSample(sound(seed, WINDOW), RATE_HZ) for seed in range(BATCH)]
    prepare, extractor = tower.preparer("audio"), ClapFeatureExtractor(frequency_min=50)
    prepared = [prepare(sample) for sample in sounds]
    mels = torch.stack([torch.from_numpy(windows) for windows in prepared])  # (n, 1, 1001, 64)
    flags = torch.zeros((BATCH, 1), dtype=torch.bool)

    def extract() -> list[Any]:
        return [extractor(sample.samples, sampling_rate=RATE_HZ) for sample in sounds]

    yield {
        "modality": "audio",
        "encode_per_s": _rate(lambda: tower.encode("audio", prepared)),
        "bare_per_s": _rate(lambda: network.get_audio_features(mels, flags)),
        "prepare_per_s": _rate(lambda: [prepare(sample) for sample in sounds]),
        "extractor_per_s": _rate(extract),
    }
    # Without merges each letter is a token: together as many as in a caption of ten words.
    texts = [TextSample(f"dog {number:06d}") for number in range(BATCH)]
    raw = [tower.preparer("text")(sample) for sample in texts]
    ids = torch.tensor([tower.tokens.of(sample.text) for sample in texts])
    filled = torch.nn.functional.pad(ids, (0, CONTEXT - ids.shape[1]), value=1)

    def bare(numbers: torch.Tensor) -> Any:
        return network.get_text_features(numbers, attention_mask=(numbers != 1).long())

    yield {
        "modality": "text",
        "tokens": ids.shape[1],
        "encode_per_s": _rate(lambda: tower.encode("text", raw)),
        "bare_per_s": _rate(lambda: bare(ids)),
        "bare_77_tokens_per_s": _rate(lambda: bare(filled)),
    }


def _rate(run: Any) -> float:
    with torch.inference_mode():
        return BATCH / median_s(run, runs=3)


def main() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for model in SIZES:
        with tempfile.TemporaryDirectory() as place:
            put_real_size(Path(place), model)
            for found in figures(Path(place)):
                line("towers", model=model, threads=torch.get_num_threads(), batch=BATCH, **found)


if __name__ == "__main__":
    main()
