"""MS-CLIP-S from the folder of its model: prepared pictures and texts to unit rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch.nn.functional import normalize

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.bpe import MERGES, BytePairs, clean
from unisearch.spaces.towers.folder import digest_of
from unisearch.spaces.towers.msclip.folding import folded
from unisearch.spaces.towers.msclip.model import MsClip
from unisearch.spaces.towers.msclip.sizes import read_sizes
from unisearch.spaces.towers.pictures import Crop
from unisearch.spaces.towers.pieces import encode_in_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.run import precision, upload
from unisearch.spaces.towers.strict import load_strict, read_state

WEIGHTS = "model.safetensors"
#: Of the channels red, green and blue: ImageNet's, not CLIP's.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: How the names begin that pictures and texts have for a tensor which they share.
PICTURES, TEXTS = "visual.transformer.resblocks.", "transformer.resblocks."


class MsClipTower(Tower):
    """Texts and pictures; B/32 and B/16, and whatever size the weights have.

    folder: of a model, with WEIGHTS under the official keys and the merges of CLIP's tokens
    Raises WeightsError when a file of the folder is missing, damaged or of another model.
    """

    modalities = ("text", "image")

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.device = device
        self.digest = digest_of(folder)
        state = once(read_state(folder / WEIGHTS), folder / WEIGHTS)
        self.sizes = read_sizes(state, folder / WEIGHTS)
        network = MsClip(self.sizes)
        load_strict(network, state, folder / WEIGHTS)
        self.network = folded(network).to(device)
        self.words = BytePairs(folder)
        if self.words.size != self.sizes.vocabulary:
            raise WeightsError(
                f"{display(folder / MERGES)} makes {self.words.size} tokens,"
                f" the network knows {self.sizes.vocabulary}: it is of another model"
            )
        self.dim = self.sizes.dim
        self.image_min_side = 2 * self.sizes.side
        self._mean = torch.tensor(MEAN, device=device) * 255
        self._deviation = torch.tensor(DEVIATION, device=device) * 255

    def preparer(self, modality: Modality) -> Prepare:
        plans: dict[Modality, Prepare] = {"text": text_bytes, "image": Crop(self.sizes.side)}
        return plans[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality == "image":
            return self._pictures(batch)
        texts = [clean(text_of(array)) for array in batch]
        return encode_in_pieces(texts, self._fits, self._texts)

    def _pictures(self, batch: Sequence[Array]) -> torch.Tensor:
        pixels = (upload(batch, self.device).float() - self._mean) / self._deviation
        with precision(self.device):
            rows = self.network.encode_image(pixels.permute(0, 3, 1, 2))
        return normalize(rows.float(), dim=-1)

    def _fits(self, text: str) -> bool:
        return len(self.words.ids(text)) <= self.sizes.context

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        rows = [self.words.ids(text) for text in texts]
        tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = torch.tensor(row)
        with precision(self.device):
            return self.network.encode_text(tokens.to(self.device)).float()


def once(state: Mapping[str, torch.Tensor], where: Path) -> dict[str, torch.Tensor]:
    """Each shared tensor under the name that texts have for it, whether it came with both or one.

    Raises WeightsError when the two differ: they are one tensor in the published network.
    """
    kept = dict(state)
    for key in state:
        other = TEXTS + key.removeprefix(PICTURES)
        if not key.startswith(PICTURES) or not {"attn", "mlp"} & set(key.split(".")):
            continue
        if other in kept and torch.equal(kept.pop(key), kept[other]):
            continue
        raise WeightsError(f"{display(where)}: '{key}' is not the same as '{other}'")
    return kept
