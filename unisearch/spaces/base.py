"""The contract of a space, and what every space does the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from unisearch.factors import Factors
from unisearch.records import Modality, Prepared, Sample, seen_as


class Space(ABC):
    """Turns samples of its modalities into comparable unit vectors.

    name: as in SPACES; id: name + digest of the weights + version of the preprocessing.
    Vectors of two ids never meet in one index.
    """

    name: str
    id: str
    dim: int
    modalities: tuple[Modality, ...]
    device: str = "cpu"
    #: How well queries of one modality find things of another, in [0, 1]; unmeasured pairs lack.
    quality: Mapping[tuple[Modality, Modality], float] = MappingProxyType({})

    # What readers should deliver; the largest need of all active spaces wins.
    image_min_side: int = 192
    audio_rate_hz: int = 16_000
    points: int = 4_096

    #: The folder of backgrounds that were made after the weights were installed.
    references: Path | None = None

    @property
    @abstractmethod
    def preparer(self) -> Callable[[Sample], Prepared]:
        """The CPU part: deterministic, numpy only, no device.

        It is pickled and sent to the processes that decode, where unpickling it must load neither
        weights nor torch: a function of a light module, or an object of plain values.
        """

    @abstractmethod
    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        """Unit rows (n, dim), in order; modalities may be mixed."""

    #: Of what its stored parts are comparable with, '' for a space without; see spaces/mixed.py.
    parts_id: str = ""
    #: Modalities, as they are seen, whose vectors are mixed of two parts by factors.
    mixed: tuple[Modality, ...] = ()

    def encode_stored(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        """As `encode_prepared`, of one modality, for storing: where it is mixed the unit rows
        (n, 2 dim) of its parts stand beside the vectors."""
        return self.encode_prepared(batch)

    def stored_width(self, modality: Modality) -> int:
        """How many numbers `encode_stored` gives for something of that modality."""
        return self.dim * (3 if seen_as(modality) in self.mixed else 1)

    def turned(self, factors: Factors) -> Self:
        """The same space with other factors, without loading anything; itself where none count."""
        del factors
        return self

    @abstractmethod
    def reference(self, modality: Modality) -> NDArray[np.float32]:
        """Varied vectors (>= 512, dim) of that modality: the background that scores start from.

        Of what networks see in several passes (a shape by eight pictures) fewer, at least 128.
        """

    @property
    def reference_name(self) -> str:
        """The file of its background, where that is made once; the same for the same rows."""
        return f"{self.id}.safetensors"

    @property
    def reference_file(self) -> Path | None:
        """Where its background lies that was made once; None when it brings its own."""
        return None

    def passes(self, modality: Modality) -> int:
        """How often networks run for one sample of usual size."""
        del modality  # of all alike, unless a subclass says otherwise
        return 1

    def reference_rows(
        self, modality: Modality, samples: Sequence[Sample]
    ) -> dict[str, NDArray[np.float32]]:
        """What is stored of the background of that modality: unit rows (n, dim) by their names."""
        return {modality: self.encode(samples)}

    def prepare(self, sample: Sample) -> Prepared:
        """The sample after the CPU part."""
        return self.preparer(sample)

    def encode(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Unit rows (n, dim), in order."""
        return self.encode_prepared([self.prepare(sample) for sample in samples])
