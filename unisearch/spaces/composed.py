"""A space built of towers: each modality is seen by one or more, and their vectors are joined."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from unisearch.errors import WeightsError
from unisearch.records import Modality, Prepared, Sample, seen_as
from unisearch.spaces.base import Space
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.prepare import Array, Preparers

#: Samples in one pass of a tower.
BATCH = {"cpu": 16, "cuda": 128}

#: Rows of a modality from those of the towers that see it.
Join = Callable[[Modality, Mapping[str, torch.Tensor]], torch.Tensor]


class ComposedSpace(Space):
    """What spaces of towers do the same way. A subclass sets name, dim, towers and seen_by.

    towers: by a name of the space's own ('clip', 'clap', ...)
    seen_by: the towers that see each modality, by those names; all of them run
    """

    towers: Mapping[str, Tower]
    seen_by: Mapping[Modality, tuple[str, ...]]
    version: int = 1

    @abstractmethod
    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Unit rows (n, dim) of the space from the unit rows of each tower that sees them."""

    def finish(self) -> None:
        """To be called at the end of __init__: what follows from the towers."""
        towers = self.towers.values()
        self.id = self.id_of(self.heads_digest)
        self.image_min_side = max(tower.image_min_side for tower in towers)
        self.audio_rate_hz = max(tower.audio_rate_hz for tower in towers)
        self.points = max(tower.points for tower in towers)

    def id_of(self, heads_digest: str) -> str:
        """The id of a space of these towers with such heads."""
        marks = [f"{name}:{one.digest}:{one.version}" for name, one in sorted(self.towers.items())]
        digest = hashlib.sha256(";".join([*marks, heads_digest]).encode()).hexdigest()[:12]
        return f"{self.name}-{digest}-{self.version}"

    @property
    def heads_digest(self) -> str:
        """Digest of the weights that are not of a tower; and of the settings that move vectors."""
        return ""

    @property
    def preparer(self) -> Callable[[Sample], Prepared]:
        return Preparers(
            {
                modality: tuple(self.towers[name].preparer(modality) for name in names)
                for modality, names in self.seen_by.items()
            }
        )

    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        return self.encode_with(self.join, batch, self.dim)

    def encode_with(self, join: Join, batch: Sequence[Prepared], width: int) -> NDArray[np.float32]:
        """Rows (n, width) that `join` makes of those of the towers, in order."""
        rows = np.empty((len(batch), width), np.float32)
        size = BATCH.get(torch.device(self.device).type, 16)
        places: dict[Modality, list[int]] = defaultdict(list)
        for place, prepared in enumerate(batch):
            places[seen_as(prepared.modality)].append(place)
        for modality, wanted in places.items():
            for start in range(0, len(wanted), size):
                chunk = wanted[start : start + size]
                arrays = [batch[place].arrays for place in chunk]
                rows[chunk] = self._halving(join, modality, arrays)
        return rows

    def _halving(
        self, join: Join, modality: Modality, batch: list[tuple[Array, ...]]
    ) -> NDArray[np.float32]:
        """Rows of a batch, in two halves when the device has no memory for the whole."""
        try:
            return self._encode(join, modality, batch)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return np.concatenate(
            [self._halving(join, modality, part) for part in (batch[:half], batch[half:])]
        )

    def _encode(
        self, join: Join, modality: Modality, batch: list[tuple[Array, ...]]
    ) -> NDArray[np.float32]:
        with torch.inference_mode():
            seen = {}
            for place, name in enumerate(self.seen_by[modality]):
                seen[name] = self.towers[name].encode(modality, [arrays[place] for arrays in batch])
            found: NDArray[np.float32] = join(modality, seen).float().cpu().numpy()
        return found

    def reference(self, modality: Modality) -> NDArray[np.float32]:
        try:
            return self.stored_reference[seen_as(modality)]
        except KeyError as error:
            raise WeightsError(
                f"the background of the space '{self.id}' has no rows of '{modality}';"
                f" make it again: unisearch models verify {self.name}"
            ) from error

    def passes(self, modality: Modality) -> int:
        return max(self.towers[name].passes(modality) for name in self.seen_by[seen_as(modality)])

    @property
    def reference_file(self) -> Path | None:
        return self.references / self.reference_name if self.references else None

    @cached_property
    def stored_reference(self) -> dict[str, NDArray[np.float32]]:
        """Unit rows by name, as `reference_rows` gave them for sample media.

        Made once by training/reference.py. Raises WeightsError when it is not there or damaged.
        """
        file = self.reference_file
        if file is None or not file.is_file():
            raise WeightsError(
                f"the space '{self.id}' has no background yet;"
                f" make it: unisearch models verify {self.name}"
            )
        try:
            return {name: rows.astype(np.float32) for name, rows in load_file(file).items()}
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"{file}: the background cannot be read: {error};"
                f" delete it and make it again: unisearch models verify {self.name}"
            ) from error
