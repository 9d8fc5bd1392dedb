"""InternVL-C: the contrastive mode of InternVL-14B-224px, whose network comes as program code.

The snapshot of the hub (OpenGVLab/InternVL-14B-224px) brings Python files of its publisher, which
transformers runs. That happens only where the user allows it; nothing is imported before.
Facts: the model card's quick start, and the code of FreeBind, which uses it so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.nn.functional import normalize

from unisearch.errors import BadSetting, WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.folder import digest_of, read_json
from unisearch.spaces.towers.pictures import Crop
from unisearch.spaces.towers.pieces import encode_in_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.quiet import quiet
from unisearch.spaces.towers.run import upload

PICTURES = "preprocessor_config.json"
MODE = "InternVL-C"
#: What stands before each text, without a space; and the most tokens that it was trained with.
PROMPT, CONTEXT = "summarize:", 80
PADDING = 0  # the quick start sets it: the code finds the end of a text by it
WIDTH = 768
#: One of them holds the words of LLaMA.
WORDS = ("tokenizer.json", "tokenizer.model")
#: What reads the second, and what pip calls it.
READERS = {"sentencepiece": "sentencepiece", "google.protobuf": "protobuf"}
#: How texts begin and end, and the fewest words that can write every byte.
MARKS, LEAST_WORDS = (1, 2), 3 + 256
#: Buffers that files may hold and networks make themselves.
CONSTANTS = (".inv_freq", ".position_ids")

Built = TypeVar("Built")


class InternVlTower(Tower):
    """Pictures and texts.

    folder: the snapshot; remote_code: whether the Python files in it may run
    Raises BadSetting when they may not, and WeightsError when a file of the folder is missing,
    damaged, not in its manifest or of another model.
    """

    modalities = ("text", "image")
    dim = WIDTH

    def __init__(self, folder: Path, device: str = "cpu", remote_code: bool = False) -> None:
        self.device = device
        self.digest = digest_of(folder)
        if not remote_code:
            raise BadSetting(
                f"the model in {display(folder)} runs Python code of its publisher, with all your"
                " rights: look at its files, then set 'spaces.remote_code: true' to allow it"
            )
        _check_code(folder)
        self.picture, mean, deviation = _read_pictures(folder / PICTURES)
        self.image_min_side = 2 * self.picture.side
        self._mean = torch.tensor(mean, device=device) * 255
        self._deviation = torch.tensor(deviation, device=device) * 255
        self._tokenizer = _built(folder, "tokenizer", lambda: _tokenizer(folder))
        self._network = _built(folder, "network", lambda: _network(folder)).to(device)

    def preparer(self, modality: Modality) -> Prepare:
        plans: dict[Modality, Prepare] = {"text": text_bytes, "image": self.picture}
        return plans[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality == "image":
            return self._pictures(batch)
        texts = [text_of(array) for array in batch]
        return encode_in_pieces(texts, self._fits, self._texts)

    def _pictures(self, batch: Sequence[Array]) -> torch.Tensor:
        pixels = (upload(batch, self.device).float() - self._mean) / self._deviation
        inputs = pixels.permute(0, 3, 1, 2).to(self._network.dtype)
        return normalize(self._network.encode_image(inputs, mode=MODE).float(), dim=-1)

    def _fits(self, text: str) -> bool:
        return len(self._ids(text)) <= CONTEXT

    def _ids(self, text: str) -> list[int]:
        found = self._tokenizer(PROMPT + text, add_special_tokens=False)["input_ids"]
        return [self._tokenizer.bos_token_id, *found, self._tokenizer.eos_token_id]

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        ids = torch.full((len(texts), CONTEXT), PADDING)
        for place, text in enumerate(texts):
            row = self._ids(text)
            ids[place, : len(row)] = torch.tensor(row)
        found: torch.Tensor = self._network.encode_text(ids.to(self.device)).float()
        return found


def _check_code(folder: Path) -> None:
    """Only code whose digest was verified runs, and none from elsewhere."""
    listed = read_json(folder / "manifest.json")["files"]
    code = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    if unknown := sorted(code - set(listed)):
        raise WeightsError(f"{display(folder / unknown[0])} is not in the manifest of its model")
    for file in folder.glob("*config.json"):
        for name in read_json(file).get("auto_map", {}).values():
            if "--" in str(name):  # 'REPOSITORY--FILE.CLASS'
                raise WeightsError(f"{display(file)} wants code of another place: {name}")


def _network(folder: Path) -> Any:
    from transformers import AutoModel

    with quiet():
        network, found = AutoModel.from_pretrained(
            folder,
            trust_remote_code=True,
            local_files_only=True,
            dtype=torch.bfloat16,
            output_loading_info=True,
        )
    # transformers would draw what lacks at random, and say so in a log.
    extra = [key for key in found["unexpected_keys"] if not key.endswith(CONSTANTS)]
    for what, keys in (
        ("lack", found["missing_keys"]),
        ("have too much:", extra),
        ("hold of another size", [key for key, *_ in found["mismatched_keys"]]),
    ):
        if odd := sorted(keys):
            more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
            raise ValueError(f"its weights {what} '{odd[0]}'{more}; are they of its code?")
    return network.eval().requires_grad_(False)


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    # Without a file of words transformers makes a vocabulary of three marks.
    if not any((folder / name).is_file() for name in WORDS):
        raise ValueError(f"there is neither {' nor '.join(WORDS)}")
    if not (folder / WORDS[0]).is_file() and not all(is_here(name) for name in READERS):
        raise ValueError(f"{WORDS[1]} needs packages: pip install {' '.join(READERS.values())}")
    words = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if (words.bos_token_id, words.eos_token_id) != MARKS or len(words) < LEAST_WORDS:
        raise ValueError("its words are not those of LLaMA")
    return words


def is_here(package: str) -> bool:
    """Whether that package can be imported."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def _built(folder: Path, what: str, build: Callable[[], Built]) -> Built:
    try:
        return build()
    except Exception as error:  # whatever the published code does
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"the {what} in {display(folder)} does not load: {reason}") from error


def _read_pictures(file: Path) -> tuple[Crop, list[float], list[float]]:
    """How pictures are prepared, and the mean and deviation of their channels."""
    stored = read_json(file)
    try:
        size = stored["size"]
        side = int(size if isinstance(size, int) else size["shortest_edge"])
        mean, deviation = (
            [float(one) for one in stored[f"image_{name}"]] for name in ("mean", "std")
        )
        return Crop(side, int(stored.get("resample", 3))), mean, deviation
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{display(file)} says not how pictures are prepared: {error}"
        ) from error
