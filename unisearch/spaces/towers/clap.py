"""LAION-CLAP: sounds and texts, in the layout of transformers' ClapModel.

Source: Y. Wu et al., Large-scale contrastive language-audio pretraining with feature fusion and
keyword-to-caption augmentation, 2023. Official checkpoints become this layout in
models/recipes/clap.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import normalize
from transformers import ClapConfig, ClapModel
from transformers.initialization import no_init_weights

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.clap_attention import quicken
from unisearch.spaces.towers.clap_prepare import BANDS, RATE_HZ, PrepareSound
from unisearch.spaces.towers.folder import digest_of, read_json
from unisearch.spaces.towers.pieces import encode_in_pieces, mean_of_pieces
from unisearch.spaces.towers.prepare import Array, Prepare, text_bytes, text_of
from unisearch.spaces.towers.run import precision, upload
from unisearch.spaces.towers.strict import (
    check_fits,
    load_strict,
    read_state,
    shapes_in,
    shapes_of,
)
from unisearch.spaces.towers.tokens import Tokens

CONFIG, WEIGHTS = "config.json", "model.safetensors"
BOTH: tuple[Modality, ...] = ("text", "audio")
#: Buffers of a constant, which files may lack.
CONSTANTS = ("text_model.embeddings.position_ids", "text_model.embeddings.token_type_ids")
#: The half that reads texts, four fifths of the weights: its parts, and how their keys begin.
READING = ("text_model", "text_projection")
BEGIN, END = "<s>", "</s>"
#: Tokens of a text, its two marks included, that the network was trained with.
CONTEXT = 77
#: Windows in one pass. On a CPU what is between two layers should stay in its cache.
AT_ONCE = {"cpu": 4, "cuda": 64}


class ClapTower(Tower):
    """Sounds and texts, or sounds alone; `dim` is 512 in all published checkpoints.

    modalities: without 'text' neither weights nor words of that half are loaded
    Windows are encoded as short sounds are (`is_longer` False): what networks with fusion do with
    longer ones depends on chance, and readers cut sounds into windows anyway.
    Raises WeightsError when a file of the folder is missing, damaged or of another model.
    """

    audio_rate_hz = RATE_HZ

    def __init__(
        self, folder: Path, device: str = "cpu", modalities: Sequence[Modality] = BOTH
    ) -> None:
        self.folder, self.device, self.modalities = folder, device, tuple(modalities)
        self.digest = digest_of(folder)
        config = _read_config(folder / CONFIG)
        self._network = _load(config, folder / WEIGHTS, "text" in modalities).to(device)
        self.dim = int(config.projection_dim)
        self.fusion = bool(config.audio_config.enable_fusion)
        if "text" not in modalities:
            return
        self.tokens = Tokens(folder, BEGIN, END)
        self._padding = int(config.text_config.pad_token_id)
        # Positions are counted from behind the number of the padding.
        positions = int(config.text_config.max_position_embeddings) - self._padding - 1
        self.context = min(CONTEXT, positions)

    def preparer(self, modality: Modality) -> Prepare:
        plans: dict[Modality, Prepare] = {"text": text_bytes, "audio": PrepareSound(self.fusion)}
        return plans[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality == "audio":
            return self._sounds(batch)
        texts = [text_of(array) for array in batch]
        return encode_in_pieces(
            texts, lambda text: len(self.tokens.of(text)) <= self.context, self._texts
        )

    def encode_long(self, mels: Sequence[Array]) -> torch.Tensor:
        """float32 (n, dim) unit rows of sounds as `clap_prepare.long_mels` has them.

        As networks with fusion were trained; spaces do not use it.
        """
        return normalize(self._windows(upload(mels, self.device), longer=True), dim=-1)

    def encode_numbers(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32 (n, dim) rows of texts as numbers (n, length), mask 0 where there is padding."""
        with precision(self.device):
            found = self._network.get_text_features(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device)
            )
        return _rows(found)

    def _sounds(self, batch: Sequence[Array]) -> torch.Tensor:
        windows = [window for windows in batch for window in windows]
        size = AT_ONCE.get(torch.device(self.device).type, 4)
        chunks = [windows[start : start + size] for start in range(0, len(windows), size)]
        rows = [self._windows(upload(chunk, self.device)[:, None], False) for chunk in chunks]
        return mean_of_pieces(torch.cat(rows), [len(windows) for windows in batch])

    def _windows(self, mels: torch.Tensor, longer: bool) -> torch.Tensor:
        """float32 (n, dim): of mels (n, channels, frames, bands); short sounds have 1."""
        flags = torch.full((len(mels), 1), longer, device=self.device)
        with precision(self.device):
            found = self._network.get_audio_features(input_features=mels, is_longer=flags)
        return _rows(found)

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        rows = [self.tokens.of(text) for text in texts]
        ids = torch.full((len(rows), max(map(len, rows))), self._padding)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
        return self.encode_numbers(ids, (ids != self._padding).long())


def _read_config(file: Path) -> Any:
    stored = read_json(file)
    if stored.get("model_type") != "clap":
        raise WeightsError(
            f"{display(file)} is of a model of the kind '{stored.get('model_type')}', not 'clap'"
        )
    config = _built(file, lambda: ClapConfig.from_dict(stored))
    if config.audio_config.num_mel_bins != BANDS:
        raise WeightsError(
            f"{display(file)} reads {config.audio_config.num_mel_bins} mel bands, not {BANDS}"
        )
    return config


def _load(config: Any, file: Path, texts: bool) -> Any:
    with no_init_weights():  # every number comes from the file
        network = _built(file.with_name(CONFIG), lambda: ClapModel(config))
    own = network.state_dict()
    constants = {key: own[key] for key in CONSTANTS}
    if texts:
        load_strict(network, constants | read_state(file), file)
    else:
        check_fits(shapes_of(own), shapes_of(constants) | shapes_in(file), file)
        for part in READING:
            delattr(network, part)
        load_strict(network, read_state(file, without=READING), file)
    quicken(network.audio_model.audio_encoder)
    return network


def _built(file: Path, build: Callable[[], Any]) -> Any:
    try:
        return build()
    except Exception as error:  # whatever a setting leads to
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{display(file)} describes no network: {reason}") from error


def _rows(found: Any) -> torch.Tensor:
    """The projected rows (n, dim)."""
    rows: torch.Tensor = found.pooler_output
    return rows.float()
