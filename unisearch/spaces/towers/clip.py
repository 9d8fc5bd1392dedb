"""CLIP, as `openai/clip-*` and `laion/CLIP-*` are published for transformers.

Source: A. Radford et al., Learning transferable visual models from natural language supervision,
2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

from unisearch.errors import WeightsError, display
from unisearch.spaces.towers.pair import CONFIG, PairTower
from unisearch.spaces.towers.tokens import Tokens

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
#: What configurations before 2023 name as the end: there the highest number is taken for it.
OLD_END = 2


class ClipTower(PairTower):
    """Pictures and texts; `dim` is 512 for ViT-B/32."""

    kind = "clip"
    config_class = CLIPConfig
    network_class = CLIPModel

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        super().__init__(folder, device)
        self.dim = int(self.config.projection_dim)
        self.tokens = Tokens(folder, BEGIN, END)
        [self._end] = self.tokens.after
        # The row of the end is the text's; without it the network silently takes the first one.
        if self.config.text_config.eos_token_id not in (OLD_END, self._end):
            raise WeightsError(f"{display(folder / CONFIG)} has another end of text than its words")

    def numbers(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        # What is behind the end is not seen by what is before it, so any padding will do.
        rows = [self.tokens.of(text) for text in texts]
        ids = torch.full((len(rows), max(map(len, rows))), self._end)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        return {"input_ids": ids, "attention_mask": mask}
