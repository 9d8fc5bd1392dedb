"""Any model of open_clip as a space; which one is the user's choice, so nothing is declared."""

from __future__ import annotations

from unisearch.spaces.published.pairs import PairSpace
from unisearch.spaces.towers.openclip import OpenClipTower


class OpenClipSpace(PairSpace):
    """The model in the folder `openclip` among the models."""

    name, model, tower = "openclip", "openclip", OpenClipTower
