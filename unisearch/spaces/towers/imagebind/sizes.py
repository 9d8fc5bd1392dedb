"""How large the towers are: read from the shapes of their weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from unisearch.errors import WeightsError, display

#: Width of one head of attention, which no tensor tells; the number of heads follows.
HEAD = {"vision": 80, "text": 64, "audio": 64}
#: What the audio tower hears: mel bands x frames, in overlapping patches (Audio-MAE, AST).
MEL_BANDS, MEL_FRAMES = 128, 204
AUDIO_PATCH, AUDIO_STRIDE = 16, 10


@dataclass(frozen=True)
class Sizes:
    """Of one tower. Published: vision 1280 x 32 blocks, text 1024 x 24, audio 768 x 12.

    tokens: places in its sequence; patch: side of a picture's patch, px; vocabulary: of texts
    """

    width: int
    blocks: int
    heads: int
    mlp: int
    dim: int
    tokens: int
    patch: int = 0
    vocabulary: int = 0

    @property
    def side(self) -> int:
        """Of the picture that it sees, px."""
        return math.isqrt(self.tokens - 1) * self.patch


def sizes_of(tower: str, state: Mapping[str, Tensor], where: Path) -> Sizes:
    """The sizes of the tower 'vision', 'text' or 'audio' with those weights.

    Raises WeightsError for a tensor that lacks or a shape that is none of ImageBind's.
    """
    before, trunk = f"modality_preprocessors.{tower}.", f"modality_trunks.{tower}.blocks."
    places = {"text": before + "pos_embed"}.get(tower, before + "pos_embedding_helper.pos_embed")
    head = f"modality_heads.{tower}." + ("proj.1.weight" if tower == "text" else "2.weight")

    def shape(key: str, length: int) -> tuple[int, ...]:
        if key not in state:
            raise WeightsError(f"{display(where)} lacks '{key}': it is no ImageBind")
        found = tuple(state[key].shape)
        if len(found) != length:
            raise WeightsError(f"{display(where)} holds '{key}' in a shape that is no ImageBind's")
        return found

    _, tokens, width = shape(places, 3)
    depth = [re.match(re.escape(trunk) + r"(\d+)\.", key) for key in state]
    if width % HEAD[tower] or not _fits(tower, tokens):
        raise WeightsError(f"{display(where)} holds '{places}' in a size that is no ImageBind's")
    return Sizes(
        width=width,
        blocks=1 + max((int(found[1]) for found in depth if found), default=-1),
        heads=width // HEAD[tower],
        mlp=shape(trunk + "0.mlp.fc1.weight", 2)[0],
        dim=shape(head, 2)[0],
        tokens=tokens,
        patch=shape(before + "rgbt_stem.proj.1.weight", 5)[-1] if tower == "vision" else 0,
        vocabulary=shape(before + "token_embedding.weight", 2)[0] if tower == "text" else 0,
    )


def _fits(tower: str, tokens: int) -> bool:
    """Whether a sequence is so long: the class token and a grid of patches, which texts lack."""
    high, wide = ((size - AUDIO_PATCH) // AUDIO_STRIDE + 1 for size in (MEL_BANDS, MEL_FRAMES))
    if tower == "audio":
        return tokens == high * wide + 1
    return tower == "text" or math.isqrt(tokens - 1) ** 2 == tokens - 1
