"""Any model of the package open_clip, from a folder in its own format.

The package is an extra: it brings torchvision, which must match torch (docs/decisions/0001). The
weights are read by us; the package gives the network and the vocabulary, and asks no hub.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import normalize

from unisearch.errors import MissingExtra, WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.folder import digest_of, read_json
from unisearch.spaces.towers.pictures import Crop, Squeeze
from unisearch.spaces.towers.pieces import encode_in_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.run import Pixels, precision
from unisearch.spaces.towers.strict import load_strict, read_state

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
#: Pillow's numbers of the filters; 'random' is for training, where bicubic stands for it otherwise.
FILTERS = {"bilinear": 2, "bicubic": 3, "random": 3}


class OpenClipTower(Tower):
    """Pictures and texts of the model in a folder, made by open_clip's `push_to_hf_hub` or alike.

    Raises MissingExtra when the package is not there or does not start, and WeightsError when a
    file of the folder is missing, damaged or of another model.
    """

    modalities = ("text", "image")

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        package = _open_clip()
        self.device = device
        self.digest = digest_of(folder)
        stored = read_json(folder / CONFIG)
        self._network, self._words = _built(package, folder)
        load_strict(self._network, read_state(folder / WEIGHTS), folder / WEIGHTS)
        self._network.to(device)
        self.dim = int(stored["model_cfg"]["embed_dim"])
        self.context = int(self._words.context_length)
        self.picture, mean, std = _pictures(folder / CONFIG, self._network.visual.preprocess_cfg)
        self.image_min_side = 2 * self.picture.side
        self._pixels = Pixels(mean, std, device)
        self._padding = int(self._words([""], self.context + 1)[0].mode().values)

    def preparer(self, modality: Modality) -> Prepare:
        plans: dict[Modality, Prepare] = {"text": text_bytes, "image": self.picture}
        return plans[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality == "image":
            with precision(self.device):
                found = self._network.encode_image(self._pixels(batch))
            return normalize(found.float(), dim=-1)
        texts = [text_of(array) for array in batch]
        return encode_in_pieces(texts, self._fits, self._texts)

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        numbers = self._words(list(texts), self.context).to(self.device)
        with precision(self.device):
            found: torch.Tensor = self._network.encode_text(numbers).float()
        return found

    def _fits(self, text: str) -> bool:
        """Whether nothing is cut: with one place more the same comes out, and a place is left.

        Most fill up behind a text, some before it.
        """
        shown, more = (self._words([text], self.context + room)[0] for room in (0, 1))
        sides = ((more[:-1], more[-1]), (more[1:], more[0]))
        return any(torch.equal(shown, rest) and int(left) == self._padding for rest, left in sides)


def _open_clip() -> Any:
    try:
        return importlib.import_module("open_clip")
    except Exception as error:  # a torchvision that does not match torch is a RuntimeError
        if isinstance(error, ModuleNotFoundError) and error.name == "open_clip":
            raise MissingExtra("openclip", ["openclip"]) from error
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MissingExtra(
            "openclip",
            ["openclip"],
            f"open_clip is here but does not start ({reason}); its torchvision must match"
            f" torch {torch.__version__}",
        ) from error


def _built(package: Any, folder: Path) -> tuple[Any, Any]:
    """The network with no weights yet, and what makes numbers of texts."""
    name, before = f"local-dir:{folder}", logging.root.manager.disable
    logging.disable(logging.WARNING)  # it warns that there are no weights, which we read ourselves
    try:
        network = package.create_model(name, load_weights=False, pretrained_text=False)
        return network, package.get_tokenizer(name)
    except Exception as error:  # whatever a setting leads to
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{display(folder / CONFIG)} describes no network: {reason}") from error
    finally:
        logging.disable(before)


def _pictures(
    file: Path, plan: Mapping[str, Any]
) -> tuple[Crop | Squeeze, list[float], list[float]]:
    """How pictures are prepared, and the mean and deviation of their channels."""
    sides = set(plan["size"]) if isinstance(plan["size"], (tuple, list)) else {plan["size"]}
    kinds: dict[str, type[Crop | Squeeze]] = {"shortest": Crop, "squash": Squeeze}
    kind = kinds.get(plan["resize_mode"])
    resample = FILTERS.get(plan["interpolation"])
    if kind is None or resample is None or len(sides) != 1:
        raise WeightsError(
            f"{display(file)} wants pictures as unisearch makes none: size {plan['size']},"
            f" {plan['resize_mode']}, {plan['interpolation']}"
        )
    return kind(int(sides.pop()), resample), list(plan["mean"]), list(plan["std"])
