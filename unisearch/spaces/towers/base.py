"""The contract of a tower: one network of a published system, with its own preparation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch

from unisearch.records import Modality
from unisearch.spaces.towers.prepare import Array, Prepare


class Tower(ABC):
    """Turns samples of its modalities into unit vectors of its own space.

    version: of the preparation; a change that moves vectors counts it up
    digest: of the weights, hexadecimal, from the manifest of their folder
    What a tower wants from readers stands in the same names as in Space.
    """

    dim: int
    modalities: tuple[Modality, ...]
    version: int = 1
    digest: str
    device: str

    image_min_side: int = 448
    audio_rate_hz: int = 16_000
    points: int = 10_000

    @abstractmethod
    def preparer(self, modality: Modality) -> Prepare:
        """The CPU part for that modality: one array of a sample; deterministic, numpy only.

        It is pickled and sent to the processes that decode, where unpickling it must load neither
        weights nor torch: a function of a light module, or a frozen dataclass of plain values.
        Text travels as it is (`prepare.text_bytes`) and becomes tokens in `encode`.
        """

    def passes(self, modality: Modality) -> int:
        """How often the network runs for one sample of usual size."""
        del modality  # of all alike, unless a subclass says otherwise
        return 1

    @abstractmethod
    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        """float32 (n, dim) unit rows in order, on the tower's device.

        What is longer than the network reads at once (a text of more than 77 tokens) is encoded in
        pieces whose unit rows are averaged; nothing is cut silently.
        """
