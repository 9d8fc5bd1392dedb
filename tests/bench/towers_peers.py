"""Pictures in files to vectors: the pipelines of peers beside ours, on one CLIP ViT-B/32.

python -m tests.bench.towers_peers FOLDER [CORES]

FOLDER gets the model (random weights) and 64 JPEGs of 640 x 480 px unless they are there. All run
in turn in one process, so that what else the machine does slows all alike; a peer whose package is
not here is told and left out. 'clip-retrieval' is its pipeline (a DataLoader whose workers read and
crop, one forward for each batch) on the network of transformers, as its own loader brings
torchvision.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.bench.timing import line, options

COUNT, BATCH, ROUNDS = 64, 32, 3
MODEL, PICTURES = "clip-vit-b-32", "pictures"
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def pictures(folder: Path) -> list[Path]:
    """The JPEGs, made when they are not there."""
    paths = [folder / PICTURES / f"{n}.jpg" for n in range(COUNT)]
    if not paths[-1].exists():
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        for n, path in enumerate(paths):
            small = np.random.default_rng(n).integers(0, 255, (12, 16, 3), np.uint8)
            Image.fromarray(small).resize((640, 480), 3).save(path, quality=90)
    return paths


class Cropped(torch.utils.data.Dataset[torch.Tensor]):
    """Pictures as clip-retrieval's reader prepares them, with Pillow."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> torch.Tensor:
        image = Image.open(self.paths[place]).convert("RGB")
        scale = 224 / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), 3)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
        return torch.from_numpy((pixels - MEAN) / DEVIATION).float().permute(2, 0, 1)


def ours(folder: Path, paths: list[Path]) -> Callable[[], object]:
    from unisearch.engine.embed import embed_files
    from unisearch.records import ReadOptions
    from unisearch.spaces.table import load_space

    space = load_space("clip", {MODEL: folder / MODEL})
    options = ReadOptions(image_min_side=space.image_min_side)
    return lambda: embed_files(space, paths, options)


def sentence_transformers(folder: Path, paths: list[Path]) -> Callable[[], object]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer

    model = SentenceTransformer(modules=[Transformer(str(folder / MODEL))], device="cpu")
    return lambda: model.encode(
        [Image.open(path) for path in paths], batch_size=BATCH, normalize_embeddings=True
    )


def clip_retrieval(folder: Path, paths: list[Path]) -> Callable[[], object]:
    from transformers import CLIPModel

    network = CLIPModel.from_pretrained(folder / MODEL)

    def run() -> list[object]:
        loader = torch.utils.data.DataLoader(Cropped(paths), BATCH, num_workers=2)
        with torch.no_grad():
            found = [network.get_image_features(pixels).pooler_output for pixels in loader]
        return [(rows / rows.norm(dim=-1, keepdim=True)).half().numpy() for rows in found]

    return run


PEERS = {
    "ours": ours,
    "sentence-transformers": sentence_transformers,
    "clip-retrieval": clip_retrieval,
}


def main() -> None:
    asked = options(__doc__, folder={"type": Path}, cores=2)
    folder, cores = asked.folder, asked.cores
    if not (folder / MODEL).exists():
        from tests.bench.towers_full import put_full

        put_full(MODEL, folder)
    paths = pictures(folder)
    torch.set_num_threads(cores)
    runs = dict(opened(folder, paths))
    took: dict[str, list[float]] = {peer: [] for peer in runs}
    for _ in range(ROUNDS):
        for peer, run in runs.items():
            start = time.perf_counter()
            run()
            took[peer].append(time.perf_counter() - start)
    least_s = {peer: min(several) for peer, several in took.items()}
    for peer, seconds in least_s.items():
        line("towers, files to vectors", pipeline=peer, cores=cores, files=COUNT,
             files_per_s=COUNT / seconds, of_ours=least_s["ours"] / seconds)  # fmt: skip


def opened(folder: Path, paths: list[Path]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The pipelines whose packages are here, ready to run."""
    for peer, build in PEERS.items():
        try:
            yield peer, build(folder, paths)
        except ImportError as error:
            print(f"{peer}: left out, {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
