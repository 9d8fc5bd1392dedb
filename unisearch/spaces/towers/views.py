"""3D for a network that knows pictures: a shape is the mean of what it looks like from around."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unisearch.records import Modality
from unisearch.spaces.towers import rendered
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.pieces import mean_of_pieces
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.spaces.towers.rendered import VIEWS, Views

#: Pictures in one pass: a batch of shapes has eight times as many.
AT_ONCE = {"cpu": 32, "cuda": 256}


class ViewsTower(Tower):
    """A tower that sees pictures, and by eight pictures of each also shapes.

    The vector of a shape is the mean direction of the unit rows of its pictures.
    """

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.dim, self.device, self.digest = tower.dim, tower.device, tower.digest
        self.modalities = (*tower.modalities, "3d")
        self.version = 100 * rendered.VERSION + tower.version
        self.image_min_side = tower.image_min_side
        self.audio_rate_hz = tower.audio_rate_hz
        self.points = rendered.MOST_POINTS

    def preparer(self, modality: Modality) -> Prepare:
        if modality == "3d":
            return Views(self.tower.preparer("image"), self.tower.image_min_side // 2)
        return self.tower.preparer(modality)

    def passes(self, modality: Modality) -> int:
        return VIEWS if modality == "3d" else 1

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        if modality != "3d":
            return self.tower.encode(modality, batch)
        pictures = [picture for views in batch for picture in views]
        size = AT_ONCE.get(torch.device(self.device).type, 32)
        rows = [
            self.tower.encode("image", pictures[start : start + size])
            for start in range(0, len(pictures), size)
        ]
        return mean_of_pieces(torch.cat(rows), [VIEWS] * len(batch))
