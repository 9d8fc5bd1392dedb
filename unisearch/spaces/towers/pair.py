"""What networks of transformers for pictures and texts do the same way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.nn.functional import normalize
from transformers import PretrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.folder import digest_of, read_json
from unisearch.spaces.towers.pictures import Crop, Squeeze
from unisearch.spaces.towers.pieces import encode_in_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.quiet import quiet
from unisearch.spaces.towers.run import Pixels, precision
from unisearch.spaces.towers.strict import load_strict, read_state
from unisearch.spaces.towers.tokens import Tokens

CONFIG, PICTURES, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
#: Buffers of a constant that older files store and today's networks do not.
CONSTANTS = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")


class PairTower(Tower):
    """Pictures and texts of a snapshot of the hub in a local folder.

    A subclass names its kind and the classes of its network, and makes numbers of texts.
    Raises WeightsError when a file of the folder is missing, damaged or of another model.
    """

    modalities = ("text", "image")
    kind: ClassVar[str]
    config_class: ClassVar[type[PretrainedConfig]]
    network_class: ClassVar[type[PreTrainedModel]]

    tokens: Tokens

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.folder, self.device = folder, device
        self.digest = digest_of(folder)
        self.config = self._read_config(folder / CONFIG)
        self._network = self._load(folder / WEIGHTS).to(device)
        self.context = int(self.config.text_config.max_position_embeddings)
        self.picture, mean, std = self._read_pictures(folder / PICTURES)
        self.image_min_side = 2 * self.picture.side
        self._pixels = Pixels(mean, std, device)

    @abstractmethod
    def numbers(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """The inputs of the network for texts that fit."""

    def preparer(self, modality: Modality) -> Prepare:
        plans: dict[Modality, Prepare] = {"text": text_bytes, "image": self.picture}
        return plans[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality == "image":
            return self._pictures(batch)
        texts = [text_of(array) for array in batch]
        return encode_in_pieces(texts, self._fits, self._texts)

    def _pictures(self, batch: Sequence[Array]) -> torch.Tensor:
        with precision(self.device):
            found = self._network.get_image_features(pixel_values=self._pixels(batch))
        return normalize(_rows(found), dim=-1)

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        inputs = {name: part.to(self.device) for name, part in self.numbers(texts).items()}
        with precision(self.device):
            return _rows(self._network.get_text_features(**inputs))

    def _fits(self, text: str) -> bool:
        return len(self.tokens.of(text)) <= self.context

    def _read_config(self, file: Path) -> Any:
        stored = read_json(file)
        if stored.get("model_type") != self.kind:
            raise WeightsError(
                f"{display(file)} is of a model of the kind '{stored.get('model_type')}',"
                f" not '{self.kind}'"
            )
        return _built(file, lambda: self.config_class.from_dict(stored))

    def _load(self, file: Path) -> Any:
        with no_init_weights():  # every number comes from the file
            network = _built(self.folder / CONFIG, lambda: self.network_class(self.config))
        state = {key: one for key, one in read_state(file).items() if key not in CONSTANTS}
        load_strict(network, state, file)
        return network

    def _read_pictures(self, file: Path) -> tuple[Crop | Squeeze, list[float], list[float]]:
        """How pictures are prepared, and the mean and deviation of their channels."""
        stored = read_json(file)
        try:
            picture = _plan(stored)
            mean, std = (
                [float(one) for one in stored[f"image_{name}"]] for name in ("mean", "std")
            )
            if len(mean) != 3 or len(std) != 3 or not all(std):
                raise ValueError("not three channels")
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"{display(file)} says not how pictures are prepared: {error}"
            ) from error
        if picture.side != self.config.vision_config.image_size:
            raise WeightsError(
                f"{display(file)} makes pictures of {picture.side} px, the network reads"
                f" {self.config.vision_config.image_size} px"
            )
        return picture, mean, std


def _plan(stored: Mapping[str, Any]) -> Crop | Squeeze:
    """What a preprocessor_config.json asks for: older ones say a number, newer ones an object."""
    size, resample = stored["size"], int(stored.get("resample", 3))
    if isinstance(size, int) or "shortest_edge" in size:
        short = size if isinstance(size, int) else size["shortest_edge"]
        crop = stored["crop_size"]
        sides = {crop} if isinstance(crop, int) else {crop["height"], crop["width"]}
        if sides != {short}:
            raise ValueError(f"crops to {sides} of a short side of {short}")
        return Crop(int(short), resample)
    if size["height"] != size["width"]:
        raise ValueError("pictures that are not square")
    return Squeeze(int(size["height"]), resample)


def _built(file: Path, build: Callable[[], Any]) -> Any:
    try:
        with quiet():
            return build()
    except Exception as error:  # whatever a setting leads to
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{display(file)} describes no network: {reason}") from error


def _rows(found: Any) -> torch.Tensor:
    """The projected rows (n, dim); transformers 5 wraps them, version 4 does not."""
    rows: torch.Tensor = getattr(found, "pooler_output", found)
    return rows.float()
