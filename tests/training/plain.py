"""Spaces of one tower without weights: it sees what the toy sees, and brings no background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize

from unisearch.records import Modality, Sample
from unisearch.spaces.composed import ComposedSpace
from unisearch.spaces.mixed import MixedSpace
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.spaces.toy import DIM, prepare_sample


def features(sample: Sample) -> Array:
    """float32 (DIM,)."""
    return prepare_sample(sample).arrays[0]


class PlainTower(Tower):
    dim = DIM
    modalities: tuple[Modality, ...] = ("text", "image", "audio", "3d")
    digest = "0" * 64
    device = "cpu"
    points = 300
    audio_rate_hz = 8_000

    def preparer(self, modality: Modality) -> Prepare:
        return features

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        return normalize(torch.from_numpy(np.stack(batch)), dim=-1)


class PlainSpace(ComposedSpace):
    name = "plain"
    dim = DIM
    modalities: tuple[Modality, ...] = ("text", "image", "audio", "3d", "video")

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        self.towers = {"plain": PlainTower()}
        self.seen_by = dict.fromkeys(PlainTower.modalities, ("plain",))
        self.finish()

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return rows["plain"]


class MixedPlain(MixedSpace):
    """Two halves of what the plain space sees, under the name of a published mixture."""

    name, dim, modalities = "ib_pp", DIM, ("text", "image", "audio")

    def __init__(self, text: float = 0.3, audio: float = 0.3) -> None:
        self.towers, self.seen_by = PlainSpace({}).towers, PlainSpace({}).seen_by
        self.factors = {"text": text, "audio": audio}
        self.finish()

    @property
    def parts_digest(self) -> str:
        return ""

    def parts(
        self, modality: Modality, rows: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        return rows["plain"], None if modality == "image" else rows["plain"].flip(1)
