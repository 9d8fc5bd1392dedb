"""ImageBind as a space: texts, pictures, sounds, and shots of videos as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from unisearch.records import Modality
from unisearch.spaces.composed import ComposedSpace
from unisearch.spaces.towers.folder import model_folder
from unisearch.spaces.towers.imagebind.tower import ALL, ImageBindTower

MODEL = "imagebind-huge"
Quality = Mapping[tuple[Modality, Modality], float]


def both_ways(*, image_text: float, audio_text: float, audio_image: float) -> Quality:
    """R@1 of published tables for both directions of a pair, of videos as of pictures."""
    seen: tuple[Modality, ...] = ("image", "video")
    figures: dict[tuple[Modality, Modality], float] = {("audio", "text"): audio_text}
    for one in seen:
        figures |= {(one, "text"): image_text, ("audio", one): audio_image}
    return figures | {(target, asked): figure for (asked, target), figure in figures.items()}


class ImageBindSpace(ComposedSpace):
    """Not for commercial use: the weights are CC BY-NC-SA 4.0."""

    name = "imagebind"
    modalities = ("text", "image", "audio", "video")
    #: FreeBind, table 3 (Z. Wang et al., 2024): COCO, AudioCaps, VGG-SS.
    quality = both_ways(image_text=0.5728, audio_text=0.0924, audio_image=0.1482)

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        tower = ImageBindTower(model_folder(weights, MODEL, self.name), device)
        self.device, self.dim = device, tower.dim
        self.towers = {self.name: tower}
        self.seen_by = dict.fromkeys(ALL, (self.name,))
        self.finish()

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        del modality  # one tower sees them all
        return rows[self.name]
