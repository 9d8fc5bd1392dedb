"""What joins the networks of Molecule-Space (FreeBind), without the networks: heads and factors.

Source: Z. Wang et al., FreeBind: Free Lunch in Unified Multimodal Space via Knowledge Bridge, 2024,
and its released code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from unisearch.records import Modality
from unisearch.spaces.mixed import combine
from unisearch.spaces.towers.reaction import Ensemble

Parts = tuple[Tensor, Tensor | None]
Rows = Mapping[str, Tensor]

#: Of ImageBind, by what it sees of a sample; the fine-tuned copy of its audio tower is `tuned`.
IMAGEBIND, TUNED, INTERNVL, GENERAL, MUSIC = "imagebind", "tuned", "internvl", "general", "music"


@dataclass(frozen=True)
class Displacement:
    """ImageBind in the space of InternVL-C.

    heads: seven, of ImageBind to InternVL
    own: those of the fine-tuned audio tower, where there is one and they are to be used
    """

    heads: Ensemble
    own: Ensemble | None = None

    def parts(self, modality: Modality, rows: Rows) -> Parts:
        """InternVL and the displaced ImageBind; of sounds the latter alone is the base."""
        if modality != "audio":
            return rows[INTERNVL], self.heads(rows[IMAGEBIND])
        if TUNED not in rows:
            return self.heads(rows[IMAGEBIND]), None
        heads = self.heads if self.own is None else self.own
        return heads(rows[TUNED]), None


@dataclass(frozen=True)
class Bonds:
    """Of one space.

    displacement: None where ImageBind itself is the base; share: of ImageBind in its vectors
    clap: fourteen heads, seven for each CLAP; None where there are none
    """

    displacement: Displacement | None = None
    share: float = 0.0
    clap: Ensemble | None = None

    def parts(self, modality: Modality, rows: Rows) -> Parts:
        """Base and expert of a sample, as MixedSpace.parts."""
        if self.clap is None:
            return self._displaced(modality, rows)
        expert = None if modality == "image" else self.clap(rows[GENERAL], rows[MUSIC])
        base, other = self._displaced(modality, rows)
        return base if other is None else combine(self.share, other, base), expert

    def _displaced(self, modality: Modality, rows: Rows) -> Parts:
        if self.displacement is None:
            return rows[IMAGEBIND], None
        return self.displacement.parts(modality, rows)
