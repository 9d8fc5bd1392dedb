"""Spaces whose vectors are mixed of two parts, by factors that can be turned later.

A vector is v(f) = n(f e + (1 - f) b): of the base b and the expert e, unit rows of one space, and
the factor f in [0, 1]; n makes it a unit vector. f = 0 is the base alone, f = 1 the expert alone.

What a change of f needs:

* For queries nothing: both parts are made anew for each one, so every factor is exact.
* For stored rows both parts, for n is not linear: v(f) of one f tells nothing of another. From b
  and e all rows of a library are mixed anew in one pass over them, without embedding anything.
* Or one question at a time: `mixed_cosine` is exact for any f from the products q.e and q.b with
  the stored parts and one number e.b for each row.

The background is stored in parts, too, and mixed when it is read: exact for every f.
Approximate is what stands on vectors of one f: an index of v(f) proposes candidates as f ranks
them, which `mixed_cosine` scores exactly for another factor, but others it never sees. Parts that
are stored as float16 are exact to 2e-4.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from unisearch.factors import Factors, marked, mix, side_by_side, told
from unisearch.records import Modality, Prepared, Sample, seen_as
from unisearch.spaces.composed import ComposedSpace

Floats = NDArray[np.floating]
#: Behind the name of a modality: experts of its background.
EXPERT = ".expert"


def combine(factor: float, expert: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """Unit rows (n, dim): v(factor) of unit rows of both parts (n, dim)."""
    return normalize(factor * expert + (1 - factor) * base, dim=-1)


def mixed_cosine(factor: float, query_expert: Floats, query_base: Floats, parts: Floats) -> Floats:
    """The cosine of a query to v(factor), of products of unit vectors, element by element.

    query_expert: q.e; query_base: q.b; parts: e.b
    """
    rest = 1 - factor
    length = np.sqrt(factor**2 + rest**2 + 2 * factor * rest * parts)
    mixed: Floats = (factor * query_expert + rest * query_base) / length
    return mixed


class MixedSpace(ComposedSpace):
    """A subclass sets factors, and gives the parts.

    factors: by the modality whose vectors are mixed; they belong to the id of the space
    fixed: whether they are, so that no parts are stored
    """

    factors: Factors
    fixed: bool = False

    @abstractmethod
    def parts(
        self, modality: Modality, rows: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Base and expert, unit rows (n, dim), of the rows of the towers that see that modality.

        The expert is None where nothing is mixed: the base is the vector whatever the factors.
        """

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        base, expert = self.parts(modality, rows)
        return base if expert is None else combine(self.factors[seen_as(modality)], expert, base)

    def encode_parts(
        self, batch: Sequence[Prepared]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Bases and experts, unit rows (n, dim) each, in order.

        Where nothing is mixed the expert is the base: v(f) is that for every f.
        """
        both = self.encode_with(self._side_by_side, batch, 2 * self.dim)
        return both[:, : self.dim], both[:, self.dim :]

    def encode_stored(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        kinds = {seen_as(prepared.modality) for prepared in batch}
        if not kinds & set(self.mixed):
            return self.encode_prepared(batch)
        [modality] = kinds
        parts = side_by_side(self.encode_with(self._side_by_side, batch, 2 * self.dim))
        return np.concatenate([mix(self.factors[modality], parts), parts], axis=1)

    @property
    def mixed(self) -> tuple[Modality, ...]:  # type: ignore[override]
        return () if self.fixed else tuple(one for one in self.modalities if one in self.factors)

    def turned(self, factors: Factors) -> Self:
        if self.fixed or told(factors) == told(self.factors):
            return self
        other = copy(self)
        other.factors = factors
        other.finish()
        return other

    def finish(self) -> None:
        super().finish()
        if not self.fixed:
            self.id = marked(self.parts_id, self.factors)

    def _side_by_side(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        base, expert = self.parts(modality, rows)
        return torch.cat([base, base if expert is None else expert], dim=1)

    def reference_rows(
        self, modality: Modality, samples: Sequence[Sample]
    ) -> dict[str, NDArray[np.float32]]:
        """Both parts, so that other factors need no other background."""
        base, expert = self.encode_parts([self.prepare(sample) for sample in samples])
        return {modality: base, modality + EXPERT: expert}

    def reference(self, modality: Modality) -> NDArray[np.float32]:
        base, seen = super().reference(modality), seen_as(modality)
        expert = self.stored_reference.get(seen + EXPERT, base)
        parts = torch.from_numpy(expert), torch.from_numpy(base)
        mixed: NDArray[np.float32] = combine(self.factors.get(seen, 0.0), *parts).numpy()
        return mixed

    @property
    def reference_name(self) -> str:
        return f"{self.parts_id}.safetensors"

    @property
    @abstractmethod
    def parts_digest(self) -> str:
        """Digest of the weights that are not of a tower; without the factors."""

    @property
    def heads_digest(self) -> str:
        return f"{self.parts_digest};{told(self.factors)}"

    @property
    def parts_id(self) -> str:  # type: ignore[override]
        """As `id`, but the same for all factors: of what the parts are comparable with."""
        return self.id_of(self.parts_digest)
