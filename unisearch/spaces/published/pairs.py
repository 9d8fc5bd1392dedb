"""Spaces of one network for pictures and texts, which sees shapes in pictures of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

import torch

from unisearch.records import Modality
from unisearch.spaces.composed import ComposedSpace
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.clip import ClipTower
from unisearch.spaces.towers.folder import model_folder
from unisearch.spaces.towers.siglip import SiglipTower
from unisearch.spaces.towers.views import ViewsTower

Quality = Mapping[tuple[Modality, Modality], float]


class TowerClass(Protocol):
    """A class of towers, as all of them are opened."""

    def __call__(self, folder: Path, device: str) -> Tower: ...


def both_ways(recall: float) -> Quality:
    """R@1, the mean of both directions, of videos as of pictures; other pairs are unmeasured."""
    seen: tuple[Modality, ...] = ("image", "video")
    return {pair: recall for one in seen for pair in (("text", one), (one, "text"))}


class PairSpace(ComposedSpace):
    """What a subclass's tower sees: texts, pictures, videos and shapes by pictures of them."""

    modalities = ("text", "image", "3d", "video")
    model: ClassVar[str]
    tower: ClassVar[TowerClass]

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        tower = ViewsTower(self.tower(model_folder(weights, self.model, self.name), device))
        self.device, self.dim = device, tower.dim
        self.towers = {self.name: tower}
        self.seen_by = dict.fromkeys(tower.modalities, (self.name,))
        self.finish()

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return rows[self.seen_by[modality][0]]


class ClipSpace(PairSpace):
    """CLIP ViT-B/32 of OpenAI."""

    name, model, tower = "clip", "clip-vit-b-32", ClipTower
    #: COCO R@1 as in table 3 of FreeBind (Z. Wang et al., 2024), in the rows that stand on it.
    quality = both_ways(0.402)


class SiglipSpace(PairSpace):
    """SigLIP 2 ViT-B/16 of Google, 224 px."""

    name, model, tower = "siglip2", "siglip2-base", SiglipTower
    #: COCO R@1 of B/16 at 224 px, table 1 of the paper: 52.1 to pictures, 68.9 to texts.
    quality = both_ways(0.605)
