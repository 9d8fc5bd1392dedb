"""Code as a publisher puts it into a model's folder: a tiny network with the methods of InternVL-C.

Tests copy this file; it leaves a mark where it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel


class TinyConfig(PretrainedConfig):
    """mark: a file that is made when the code runs."""

    model_type = "tiny_internvl"

    def __init__(self, mark: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.mark = mark


class TinyModel(PreTrainedModel):
    """Two layers that tell pictures and texts apart."""

    config_class = TinyConfig

    def __init__(self, config: TinyConfig) -> None:
        super().__init__(config)
        if config.mark:
            Path(config.mark).touch()
        self.seen = torch.nn.Linear(3 * 32 * 32, 768)
        self.read = torch.nn.Embedding(300, 768)
        self.post_init()

    def encode_image(self, pixels: torch.Tensor, mode: str) -> torch.Tensor:
        assert mode == "InternVL-C"
        rows: torch.Tensor = 3 * self.seen(pixels.flatten(1))
        return rows

    def encode_text(self, ids: torch.Tensor) -> torch.Tensor:
        assert ids.shape[1] == 80
        places = torch.arange(1, 81, device=ids.device) / 80
        rows = self.read(ids).float() * (ids > 0)[..., None] * places[:, None]
        return rows.sum(dim=1)
