"""LAION-CLAP as a space of its own: sounds by words, words by sounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch

from unisearch.records import Modality
from unisearch.spaces.composed import ComposedSpace
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.folder import model_folder

MODEL = "clap-630k-fusion"
#: AudioCaps, R@1 of both directions together, in tables 3 and 4 of FreeBind (Wang et al., 2024).
RECALL = 0.4025


class ClapSpace(ComposedSpace):
    """The checkpoint 630k-fusion-best, the one that Ex-MCR, C-MCR and FreeBind stand on, too."""

    name = "clap"
    modalities = ("text", "audio")
    quality = MappingProxyType({("text", "audio"): RECALL, ("audio", "text"): RECALL})

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        tower = ClapTower(model_folder(weights, MODEL, self.name), device)
        self.device, self.dim = device, tower.dim
        self.towers = {self.name: tower}
        self.seen_by = {"text": (self.name,), "audio": (self.name,)}
        self.finish()

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return rows[self.seen_by[modality][0]]
