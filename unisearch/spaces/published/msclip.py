"""MS-CLIP-S as spaces: one body for pictures and texts."""

from __future__ import annotations

from unisearch.spaces.published.pairs import PairSpace, both_ways
from unisearch.spaces.towers.msclip.tower import MsClipTower

#: No recall was published, but zero-shot accuracy on ImageNet by the 80 prompts of CLIP: there
#: CLIP ViT-B/32 has 63.2 % (its paper, table 11) and a COCO R@1 of 0.402. In that proportion:
RECALL_BY_ACCURACY = 0.402 / 63.2


class MsClipB32Space(PairSpace):
    """Patches of 32 px."""

    name, model, tower = "msclip_b32", "msclip-s-b32", MsClipTower
    #: 36.7 % of the weights trained on YFCC-22M (README of the release); those on LAION: 40.2 %.
    quality = both_ways(round(36.7 * RECALL_BY_ACCURACY, 3))


class MsClipB16Space(PairSpace):
    """Patches of 16 px."""

    name, model, tower = "msclip_b16", "msclip-s-b16", MsClipTower
    #: 39.0 %, trained on YFCC-22M (README of the release).
    quality = both_ways(round(39.0 * RECALL_BY_ACCURACY, 3))
