"""A mixed space of hashes: texts and sounds of a base and an expert, pictures of the base alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from unisearch.factors import Factors, factors_of
from unisearch.records import Modality
from unisearch.spaces.mixed import EXPERT, MixedSpace
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.spaces.toy import DIM, ToySpace, _features

TEXTS: tuple[Modality, ...] = ("text", "audio")


class HashTower(Tower):
    """The features of the space `toy`, turned some places on."""

    dim, device, digest = DIM, "cpu", "hashes"
    image_min_side = ToySpace.image_min_side

    def __init__(self, modalities: tuple[Modality, ...], places: int) -> None:
        self.modalities, self._places = modalities, places

    def preparer(self, modality: Modality) -> Prepare:
        del modality
        return _features

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        rows = torch.from_numpy(np.stack(batch)).roll(self._places, dims=1)
        return torch.nn.functional.normalize(rows, dim=-1)


class Blend(MixedSpace):
    """No weights, instant; its vectors move far with the factors."""

    name, dim = "blend", DIM
    modalities = ("text", "image", "audio", "video")

    def __init__(
        self,
        weights: Mapping[str, Path] | None = None,
        device: str = "cpu",
        factors: str | Factors = "versatile",
    ) -> None:
        assert not weights
        self.device, self.factors = device, factors_of(factors)
        seen: tuple[Modality, ...] = ("text", "image", "audio")
        self.towers = {"base": HashTower(seen, 0), "expert": HashTower(TEXTS, 7)}
        self.seen_by = {one: ("base", "expert")[: 1 + (one in TEXTS)] for one in seen}
        self.finish()

    def parts(
        self, modality: Modality, rows: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        return rows["base"], rows.get("expert")

    @property
    def parts_digest(self) -> str:
        return "blend"

    @cached_property
    def stored_reference(self) -> dict[str, NDArray[np.float32]]:
        toy = ToySpace()
        bases = {one: toy.reference(one) for one in self.seen_by}
        return bases | {one + EXPERT: np.roll(bases[one], 7, axis=1) for one in TEXTS}
