"""SigLIP 2 of a fixed resolution, as `google/siglip2-*` are published for transformers.

Its network is SigLIP's; the vocabulary is Gemma's, its texts are in lower case.
Source: M. Tschannen et al., SigLIP 2: multilingual vision-language encoders, 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import normalizers
from transformers import SiglipConfig, SiglipModel

from unisearch.spaces.towers.pair import PairTower
from unisearch.spaces.towers.tokens import Tokens

END, PADDING = "<eos>", "<pad>"


class SiglipTower(PairTower):
    """Pictures and texts; `dim` is 768 for ViT-B/16."""

    kind = "siglip"
    config_class = SiglipConfig
    network_class = SiglipModel

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        super().__init__(folder, device)
        self.dim = int(self.config.vision_config.hidden_size)
        self.tokens = Tokens(folder, None, END)
        self._padding = self.tokens.number(PADDING)
        backend = self.tokens.backend
        # Trained on lower case, which the published vocabulary does not do by itself.
        steps = [normalizers.Lowercase(), *([backend.normalizer] if backend.normalizer else [])]
        backend.normalizer = normalizers.Sequence(steps)

    def numbers(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        # Trained on texts filled up to the context, whose last place is the text's: no mask.
        ids = torch.full((len(texts), self.context), self._padding)
        for place, text in enumerate(texts):
            row = self.tokens.of(text)
            ids[place, : len(row)] = torch.tensor(row)
        return {"input_ids": ids}
