"""Spaces that heads make of others: ULIP-2 alone, Ex-MCR, and the two of C-MCR.

Sources: see towers/heads.py and towers/pointbert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.composed import ComposedSpace
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.clip import ClipTower
from unisearch.spaces.towers.folder import digest_of, model_folder
from unisearch.spaces.towers.heads import Head, load_ex_heads, load_pair_heads
from unisearch.spaces.towers.pointbert import PointBertTower
from unisearch.spaces.towers.strict import read_state
from unisearch.spaces.towers.views import ViewsTower

WEIGHTS = "model.safetensors"
CLIP, CLAP, ULIP = "clip-vit-b-32", "clap-630k-fusion", "ulip2-pointbert"

#: Which network sees what.
SEES: Mapping[str, tuple[Modality, ...]] = {
    CLIP: ("text", "image"),
    CLAP: ("audio",),
    ULIP: ("3d",),
}
Quality = dict[tuple[Modality, Modality], float]


def declared(recalls: Mapping[tuple[Modality, Modality], float]) -> Quality:
    """R@1 of pairs in both directions, of videos as of pictures."""
    pairs = {pair: value for (a, b), value in recalls.items() for pair in ((a, b), (b, a))}
    videos = {
        ("video" if asked == "image" else asked, "video" if target == "image" else target): value
        for (asked, target), value in pairs.items()
    }
    return pairs | videos


def open_tower(model: str, weights: Mapping[str, Path], space: str, device: str) -> Tower:
    """The network of that model."""
    folder = model_folder(weights, model, space)
    if model == CLIP:
        return ClipTower(folder, device)
    if model == CLAP:
        return ClapTower(folder, device, SEES[CLAP])
    return PointBertTower(folder, device)


class Ulip2Space(ComposedSpace):
    """PointBERT of ULIP-2 alone: shapes that are like a shape.

    The towers for pictures and texts that it was trained beside are not those of any other space
    here, so it answers nothing else; exmcr and cmcr-ulip-clip join it with CLIP.
    """

    name = "ulip2"
    modalities = ("3d",)

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        tower = open_tower(ULIP, weights, self.name, device)
        self.device, self.dim = device, tower.dim
        self.towers, self.seen_by = {ULIP: tower}, {"3d": (ULIP,)}
        self.finish()

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return rows[self.seen_by[modality][0]]


class HeadedSpace(ComposedSpace):
    """Networks of several systems, each behind its head.

    A subclass names its model of heads and the networks, and says which head is whose. A network
    without one gives the vectors of the space itself. Without ULIP-2, shapes are seen in pictures.
    """

    model: ClassVar[str]
    networks: ClassVar[tuple[str, ...]]

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        folder = model_folder(weights, self.model, self.name)
        self.device, self._digest = device, digest_of(folder)
        self._heads = {
            model: head.to(device) for model, head in self.read_heads(folder / WEIGHTS).items()
        }
        self.towers: dict[str, Tower] = {
            model: open_tower(model, weights, self.name, device) for model in self.networks
        }
        self.seen_by = {one: (model,) for model in self.networks for one in SEES[model]}
        if "3d" not in self.seen_by:
            self.towers[CLIP] = ViewsTower(self.towers[CLIP])
            self.seen_by["3d"] = (CLIP,)
        self.dim = self._checked_dim(folder / WEIGHTS)
        self.finish()

    def read_heads(self, file: Path) -> Mapping[str, Head]:
        """The head of each network, by its model."""
        raise NotImplementedError

    @property
    def heads_digest(self) -> str:
        return self._digest

    def join(self, modality: Modality, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
        [model] = self.seen_by[modality]
        if model not in self._heads:
            return rows[model]
        # Small, and behind it rows are compared: not in half precision, whatever the networks are.
        with torch.autocast(torch.device(self.device).type, enabled=False):
            found: torch.Tensor = self._heads[model](rows[model].float())
        return found

    def _checked_dim(self, file: Path) -> int:
        """The one width of all networks and heads; raises WeightsError when they differ."""
        [read, *others] = {head.width for head in self._heads.values()}
        for model, tower in self.towers.items():
            if others or tower.dim != read:
                raise WeightsError(
                    f"{display(file)} reads rows of {read} numbers,"
                    f" the model '{model}' gives {tower.dim}: they do not belong together"
                )
        return read


class ExMcrSpace(HeadedSpace):
    """Ex-MCR: the space of CLIP, into which CLAP's sounds and ULIP-2's shapes are moved.

    Texts pass through CLIP alone, also those that sounds are looked for with.
    """

    name = "exmcr"
    modalities = ("text", "image", "audio", "3d", "video")
    model = "exmcr-heads"
    networks = (CLIP, CLAP, ULIP)
    #: R@1 in tables 3 and 4 of FreeBind (Z. Wang et al., 2024): COCO, AudioCaps, VGG-SS. For shapes
    #: none is printed there.
    quality = declared(
        {("text", "image"): 0.402, ("audio", "text"): 0.191, ("audio", "image"): 0.021}
    )

    def read_heads(self, file: Path) -> Mapping[str, Head]:
        heads = load_ex_heads(read_state(file), file)
        return {CLAP: heads["ex_clap"], ULIP: heads["ex_ulip"]}


class CmcrClapClipSpace(HeadedSpace):
    """C-MCR of CLAP and CLIP: a space of its own, for which both are moved."""

    name = "cmcr-clap-clip"
    modalities = ("text", "image", "audio", "3d", "video")
    model = "cmcr-clap-clip"
    networks = (CLIP, CLAP)
    #: As those of Ex-MCR, from the same tables.
    quality = declared(
        {("text", "image"): 0.167, ("audio", "text"): 0.158, ("audio", "image"): 0.019}
    )

    def read_heads(self, file: Path) -> Mapping[str, Head]:
        heads = load_pair_heads(read_state(file), file)
        return {CLAP: heads["Head_A"], CLIP: heads["Head_B"]}


class CmcrUlipClipSpace(HeadedSpace):
    """C-MCR of ULIP-2 and CLIP: another space of its own, whose heads stand the other way round."""

    name = "cmcr-ulip-clip"
    modalities = ("text", "image", "3d", "video")
    model = "cmcr-ulip-clip"
    networks = (CLIP, ULIP)

    def read_heads(self, file: Path) -> Mapping[str, Head]:
        heads = load_pair_heads(read_state(file), file)
        return {CLIP: heads["Head_A"], ULIP: heads["Head_B"]}
