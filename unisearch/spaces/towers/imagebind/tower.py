"""ImageBind from the folder of its model: prepared samples to unit rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.bpe import MERGES, BytePairs, clean
from unisearch.spaces.towers.folder import digest_of
from unisearch.spaces.towers.imagebind.network import ImageBind
from unisearch.spaces.towers.imagebind.prepare import PrepareSound
from unisearch.spaces.towers.imagebind.sizes import Sizes, sizes_of
from unisearch.spaces.towers.imagebind.sound import RATE_HZ
from unisearch.spaces.towers.pictures import Crop
from unisearch.spaces.towers.pieces import encode_in_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.run import precision, upload
from unisearch.spaces.towers.strict import load_strict, read_state

WEIGHTS = "model.safetensors"
#: What the published keys call the tower of a modality.
NAMES: Mapping[Modality, str] = {"text": "text", "image": "vision", "audio": "audio"}
ALL = tuple(NAMES)
#: CLIP's, of the channels red, green and blue.
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class ImageBindTower(Tower):
    """Texts, pictures and sounds, or those of them that `modalities` names.

    folder: of a model, with WEIGHTS under the official keys and, for texts, CLIP's merges
    state: the tensors instead of those in WEIGHTS, where that file holds more than ImageBind
    Raises WeightsError when a file of the folder is missing, damaged or of another model.
    """

    audio_rate_hz = RATE_HZ

    def __init__(
        self,
        folder: Path,
        device: str = "cpu",
        modalities: Sequence[Modality] = ALL,
        state: Mapping[str, Tensor] | None = None,
    ) -> None:
        file = folder / WEIGHTS
        self.device, self.modalities = device, tuple(modalities)
        self.digest = digest_of(folder)
        left_out = tuple(f".{NAMES[one]}." for one in ALL if one not in modalities)
        kept = {
            key: tensor
            for key, tensor in (state or read_state(file)).items()
            if not any(tower in key for tower in left_out)
        }
        self.sizes = {one: sizes_of(NAMES[one], kept, file) for one in modalities}
        self.network = _network(kept, {NAMES[one]: of for one, of in self.sizes.items()}, file)
        self.network.to(device)
        self.dim = self.sizes[self.modalities[0]].dim
        self.image_min_side = 2 * self.sizes["image"].side if "image" in modalities else 0
        if "text" in modalities:
            self.words = _words(folder, self.sizes["text"].vocabulary)
        self._mean = torch.tensor(MEAN, device=device) * 255
        self._deviation = torch.tensor(DEVIATION, device=device) * 255

    def preparer(self, modality: Modality) -> Prepare:
        if modality == "image":
            return Crop(self.sizes["image"].side)
        return text_bytes if modality == "text" else PrepareSound()

    def encode(self, modality: Modality, batch: Sequence[Array]) -> Tensor:
        if modality == "image":
            return self._pictures(batch)
        if modality == "audio":
            return self._sounds(batch)
        texts = [clean(text_of(array)) for array in batch]
        return encode_in_pieces(texts, self._fits, self._texts)

    def _pictures(self, batch: Sequence[Array]) -> Tensor:
        pixels = (upload(batch, self.device).float() - self._mean) / self._deviation
        with precision(self.device):
            rows = self.network.vision(pixels.permute(0, 3, 1, 2))
        return normalize(rows.float(), dim=-1)

    def _sounds(self, batch: Sequence[Array]) -> Tensor:
        """The mean of each sound's clips, which count alike, then unit rows."""
        clips = upload(batch, self.device)  # (n, clips, 1, bands, frames)
        with precision(self.device):
            rows = self.network.audio(clips.flatten(0, 1))
        units = normalize(rows.float(), dim=-1)
        return normalize(units.view(*clips.shape[:2], -1).mean(dim=1), dim=-1)

    def _fits(self, text: str) -> bool:
        return len(self.words.ids(text)) <= self.sizes["text"].tokens

    def _texts(self, texts: Sequence[str]) -> Tensor:
        rows = [self.words.ids(text) for text in texts]
        # What is behind the end is not seen by what is before it: no longer than the longest text.
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
        with precision(self.device):
            return self.network.text(ids.to(self.device)).float()


def _network(state: Mapping[str, Tensor], sizes: Mapping[str, Sizes], file: Path) -> ImageBind:
    if len({of.dim for of in sizes.values()}) > 1:
        raise WeightsError(f"{display(file)}: its towers lead into spaces of different width")
    with torch.device("meta"):  # drawing a thousand million numbers first would take a minute
        network = ImageBind(sizes)
    network.to_empty(device="cpu")
    load_strict(network, state, file)
    return network


def _words(folder: Path, vocabulary: int) -> BytePairs:
    words = BytePairs(folder)
    if words.size != vocabulary:
        raise WeightsError(
            f"{display(folder / MERGES)} makes {words.size} tokens, the network knows"
            f" {vocabulary}: it is of another model"
        )
    return words
