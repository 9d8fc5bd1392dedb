"""Molecule-Space (FreeBind): spaces of ImageBind, two CLAPs and InternVL-C, joined by projectors.

InternVL_IB displaces ImageBind into the space of InternVL-C: the base of pictures and texts is
InternVL's vector, the expert ImageBind's through seven heads; sounds are the latter alone. The
spaces with ++ (`_pp`) mix what two CLAPs make of sounds and texts, through fourteen heads, into
such a base or into ImageBind itself. With a dagger (`_ft`) ImageBind's audio tower is fine-tuned.

Source and formulas: bonds.py. Not for commercial use: all stand on ImageBind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from torch import Tensor

from unisearch.errors import WeightsError, display
from unisearch.factors import PRESETS, Factors, factors_of
from unisearch.records import Modality
from unisearch.spaces.mixed import MixedSpace
from unisearch.spaces.published import imagebind
from unisearch.spaces.published.bonds import (
    GENERAL,
    IMAGEBIND,
    INTERNVL,
    MUSIC,
    TUNED,
    Bonds,
    Displacement,
    Parts,
)
from unisearch.spaces.published.imagebind import both_ways
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.folder import digest_of, model_folder
from unisearch.spaces.towers.imagebind.tower import ALL, WEIGHTS, ImageBindTower
from unisearch.spaces.towers.internvl import InternVlTower
from unisearch.spaces.towers.reaction import DATA, Ensemble, ensemble_of
from unisearch.spaces.towers.strict import read_state

#: How sounds pass from the fine-tuned tower into the space: through the heads in its own file, or
#: through the displacement. The released code stops at an error on either way.
TunedAudio = Literal["own", "displacement"]

INTERNVL_MODEL, TUNED_MODEL = "internvl-c", "freebind-internvl-ib-ft"
CLAPS = {GENERAL: "clap-630k-fusion", MUSIC: "clap-music-speech"}
DISPLACEMENT = "freebind-drvt"
#: The published folders of heads in each model, one for each expert that they see.
HEADS = {
    DISPLACEMENT: ("InternVL_IB_Proj",),
    "freebind-ib-pp": ("IB_PP_G_Proj", "IB_PP_M_Proj"),
    "freebind-internvl-ib-pp": ("InternVL_IB_PP_G_Proj", "InternVL_IB_PP_M_Proj"),
    "freebind-internvl-ib-ftpp": ("InternVL_IB_FTPP_G_Proj", "InternVL_IB_FTPP_M_Proj"),
}
#: The two parts of the fine-tuned model's file: the tower, and heads with numbers for names.
TUNED_TOWER, TUNED_HEADS = "ib.", "ib_head.projectors."
NUMBERS = [str(place) for place in range(len(DATA))]
#: What InternVL sees, so that ImageBind is mixed into it.
DISPLACED: tuple[Modality, ...] = ("text", "image")


def head_names(model: str) -> list[str]:
    """Of the heads in that model, as its tensors begin, in published order."""
    return [f"{folder}/{data}" for folder in HEADS[model] for data in DATA]


def nearest_preset(factors: Factors) -> str:
    """The one whose published figures say most about a space of those factors."""
    return min(
        PRESETS,
        key=lambda name: sum(abs(factors[one] - two) for one, two in PRESETS[name].items()),
    )


class FreeBindSpace(MixedSpace):
    """What a subclass names: the share of ImageBind in a displaced base, and the heads of CLAP.

    factors: of CLAP in texts and in sounds, or a name of PRESETS
    remote_code: whether the program code in InternVL's folder may run
    """

    modalities = ("text", "image", "audio", "video")
    share: ClassVar[float] = 0.0  # 0: ImageBind is the base, not displaced
    clap: ClassVar[str] = ""  # a model of HEADS
    tuned: ClassVar[bool] = False
    #: FreeBind, tables 3 and 4, by preset; '' where there are no factors to set.
    figures: ClassVar[Mapping[str, imagebind.Quality]]

    def __init__(
        self,
        weights: Mapping[str, Path],
        device: str = "cpu",
        factors: str | Factors = "versatile",
        remote_code: bool = False,
        tuned_audio: TunedAudio = "own",
    ) -> None:
        self.device, self._weights = device, weights
        self.factors = factors_of(factors) if self.clap else dict.fromkeys(DISPLACED, self.share)
        self._sounds = tuned_audio if self.tuned else ""
        self.towers = self._open_towers(remote_code)
        self.seen_by = {modality: tuple(self._seeing(modality)) for modality in ALL}
        self.bonds = self._open_bonds()
        self.dim = self._check_sizes()
        self.fixed = not self.clap
        self.finish()

    def finish(self) -> None:
        super().finish()
        self.quality = self.figures[nearest_preset(self.factors) if self.clap else ""]

    def parts(self, modality: Modality, rows: Mapping[str, Tensor]) -> Parts:
        return self.bonds.parts(modality, rows)

    @property
    def parts_digest(self) -> str:
        used = [model for model in (DISPLACEMENT if self.share else "", self.clap) if model]
        digests = [digest_of(self._folder(model)) for model in used]
        return ",".join([*digests, f"{self.share:g}", self._sounds])

    def _folder(self, model: str) -> Path:
        return model_folder(self._weights, model, self.name)

    def _open_towers(self, remote_code: bool) -> dict[str, Tower]:
        sees = ALL if not self.tuned else DISPLACED
        folder = self._folder(imagebind.MODEL)
        towers: dict[str, Tower] = {IMAGEBIND: ImageBindTower(folder, self.device, sees)}
        if self.share:
            folder = self._folder(INTERNVL_MODEL)
            towers[INTERNVL] = InternVlTower(folder, self.device, remote_code)
        if self.tuned:
            folder, state = self._folder(TUNED_MODEL), self._tuned_state(TUNED_TOWER)
            towers[TUNED] = ImageBindTower(folder, self.device, ("audio",), state)
        if self.clap:
            for name, model in CLAPS.items():
                towers[name] = ClapTower(self._folder(model), self.device)
        return towers

    def _seeing(self, modality: Modality) -> Iterator[str]:
        """The towers that see that modality and count."""
        return (name for name, tower in self.towers.items() if modality in tower.modalities)

    def _open_bonds(self) -> Bonds:
        clap = self._heads(self.clap) if self.clap else None
        if not self.share:
            return Bonds(clap=clap)
        own = None
        if self._sounds == "own":
            file = self._folder(TUNED_MODEL) / WEIGHTS
            state = self._tuned_state(TUNED_HEADS)
            own = ensemble_of(state, NUMBERS, file).to(self.device)
        return Bonds(Displacement(self._heads(DISPLACEMENT), own), self.share, clap)

    def _heads(self, model: str) -> Ensemble:
        file = self._folder(model) / WEIGHTS
        return ensemble_of(read_state(file), head_names(model), file).to(self.device)

    def _tuned_state(self, prefix: str) -> dict[str, Tensor]:
        """Of the two parts of the file, the tensors below one, without the prefix."""
        file = self._folder(TUNED_MODEL) / WEIGHTS
        state = read_state(file)
        if extra := [key for key in state if not key.startswith((TUNED_TOWER, TUNED_HEADS))]:
            raise WeightsError(f"{display(file)} has '{extra[0]}' too much: it is of another model")
        return {k.removeprefix(prefix): one for k, one in state.items() if k.startswith(prefix)}

    def _check_sizes(self) -> int:
        """The width of the space; raises WeightsError where heads do not fit the towers."""
        dim = self.towers[INTERNVL if self.share else IMAGEBIND].dim
        links = [(self.bonds.clap, GENERAL), (self.bonds.clap, MUSIC)]
        if displacement := self.bonds.displacement:
            links += [(displacement.heads, IMAGEBIND), (displacement.own, TUNED)]
        for heads, tower in links:
            if heads is None:
                continue
            wanted = (self.towers[tower].dim, dim)
            if heads.widths != wanted:
                raise WeightsError(
                    f"the space '{self.name}': heads from {heads.widths[0]} to {heads.widths[1]}"
                    f" numbers, where '{tower}' needs {wanted[0]} to {wanted[1]}"
                )
        return dim


class IbPpSpace(FreeBindSpace):
    """ImageBind with two CLAPs: the one that runs on an ordinary machine."""

    name, clap = "ib_pp", "freebind-ib-pp"
    figures = MappingProxyType(
        {
            "versatile": both_ways(image_text=0.5701, audio_text=0.2916, audio_image=0.1548),
            "at_expertise": both_ways(image_text=0.4761, audio_text=0.4250, audio_image=0.1238),
        }
    )


class InternVlIbSpace(FreeBindSpace):
    """InternVL-C with ImageBind."""

    name, share = "internvl_ib", 0.2
    figures = MappingProxyType(
        {"": both_ways(image_text=0.6149, audio_text=0.1117, audio_image=0.1377)}
    )


class InternVlIbPpSpace(FreeBindSpace):
    """InternVL-C with ImageBind and two CLAPs."""

    name, share, clap = "internvl_ib_pp", 0.2, "freebind-internvl-ib-pp"
    figures = MappingProxyType(
        {
            "versatile": both_ways(image_text=0.6107, audio_text=0.2911, audio_image=0.1440),
            "at_expertise": both_ways(image_text=0.5487, audio_text=0.4141, audio_image=0.1099),
        }
    )


class InternVlIbFtSpace(FreeBindSpace):
    """InternVL-C with ImageBind, its audio tower fine-tuned."""

    name, share, tuned = "internvl_ib_ft", 0.1, True
    figures = MappingProxyType(
        {"": both_ways(image_text=0.6149, audio_text=0.1120, audio_image=0.1447)}
    )


class InternVlIbFtPpSpace(FreeBindSpace):
    """InternVL-C with ImageBind, its audio tower fine-tuned, and two CLAPs."""

    name, share, clap, tuned = "internvl_ib_ft_pp", 0.1, "freebind-internvl-ib-ftpp", True
    figures = MappingProxyType(
        {
            "versatile": both_ways(image_text=0.6113, audio_text=0.2942, audio_image=0.1548),
            "at_expertise": both_ways(image_text=0.5475, audio_text=0.4310, audio_image=0.1223),
        }
    )
