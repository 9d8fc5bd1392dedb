"""Every space by name, the models it stands on, and the one way to open one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from unisearch.errors import UnknownName
from unisearch.registry import Entry, load
from unisearch.spaces.base import Space


@dataclass(frozen=True)
class SpaceEntry(Entry):
    """One space: where its class is, and the models whose weights it needs, in no order.

    settings: names of the settings below `spaces` that its class takes
    """

    models: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


_CLAPS = ("clap-630k-fusion", "clap-music-speech")
_INTERNVL_IB = ("imagebind-huge", "internvl-c", "freebind-drvt")
_INTERNVL_IB_FT = (*_INTERNVL_IB, "freebind-internvl-ib-ft")


SPACES: dict[str, SpaceEntry] = {
    "toy": SpaceEntry("unisearch.spaces.toy:ToySpace"),
    "starter": SpaceEntry("unisearch.spaces.starter.space:StarterSpace", models=("starter",)),
    "clip": SpaceEntry("unisearch.spaces.published.pairs:ClipSpace", models=("clip-vit-b-32",)),
    "siglip2": SpaceEntry("unisearch.spaces.published.pairs:SiglipSpace", models=("siglip2-base",)),
    "openclip": SpaceEntry(
        "unisearch.spaces.published.openclip:OpenClipSpace",
        extras=("openclip",),
        models=("openclip",),
    ),
    "clap": SpaceEntry("unisearch.spaces.published.clap:ClapSpace", models=("clap-630k-fusion",)),
    "ulip2": SpaceEntry("unisearch.spaces.published.mcr:Ulip2Space", models=("ulip2-pointbert",)),
    "exmcr": SpaceEntry(
        "unisearch.spaces.published.mcr:ExMcrSpace",
        models=("clip-vit-b-32", "clap-630k-fusion", "ulip2-pointbert", "exmcr-heads"),
    ),
    "cmcr-clap-clip": SpaceEntry(
        "unisearch.spaces.published.mcr:CmcrClapClipSpace",
        models=("clip-vit-b-32", "clap-630k-fusion", "cmcr-clap-clip"),
    ),
    "cmcr-ulip-clip": SpaceEntry(
        "unisearch.spaces.published.mcr:CmcrUlipClipSpace",
        models=("clip-vit-b-32", "ulip2-pointbert", "cmcr-ulip-clip"),
    ),
    "msclip_b32": SpaceEntry(
        "unisearch.spaces.published.msclip:MsClipB32Space", models=("msclip-s-b32",)
    ),
    "msclip_b16": SpaceEntry(
        "unisearch.spaces.published.msclip:MsClipB16Space", models=("msclip-s-b16",)
    ),
    "imagebind": SpaceEntry(
        "unisearch.spaces.published.imagebind:ImageBindSpace", models=("imagebind-huge",)
    ),
    "ib_pp": SpaceEntry(
        "unisearch.spaces.published.freebind:IbPpSpace",
        models=("imagebind-huge", *_CLAPS, "freebind-ib-pp"),
        settings=("factors",),
    ),
    "internvl_ib": SpaceEntry(
        "unisearch.spaces.published.freebind:InternVlIbSpace",
        models=_INTERNVL_IB,
        settings=("remote_code",),
    ),
    "internvl_ib_pp": SpaceEntry(
        "unisearch.spaces.published.freebind:InternVlIbPpSpace",
        models=(*_INTERNVL_IB, *_CLAPS, "freebind-internvl-ib-pp"),
        settings=("factors", "remote_code"),
    ),
    "internvl_ib_ft": SpaceEntry(
        "unisearch.spaces.published.freebind:InternVlIbFtSpace",
        models=_INTERNVL_IB_FT,
        settings=("remote_code", "tuned_audio"),
    ),
    "internvl_ib_ft_pp": SpaceEntry(
        "unisearch.spaces.published.freebind:InternVlIbFtPpSpace",
        models=(*_INTERNVL_IB_FT, *_CLAPS, "freebind-internvl-ib-ftpp"),
        settings=("factors", "remote_code", "tuned_audio"),
    ),
}


def models_of(name: str) -> tuple[str, ...]:
    """The models that a space stands on; raises UnknownName for a name that is not in SPACES."""
    if name not in SPACES:
        raise UnknownName("space", name, SPACES)
    return SPACES[name].models


def load_space(
    name: str,
    weights: Mapping[str, Path],
    device: str = "cpu",
    references: Path | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
) -> Space:
    """The space of that name, ready to encode.

    weights: the folders of its verified models, by their names
    device: a torch device name
    references: where the background vectors lie of spaces that bring none, by the space's id
    settings: those below `spaces`; the space is given the ones that its entry names
    Raises UnknownName, MissingExtra, and WeightsError when the weights do not fit.
    """
    build = load("space", SPACES, name)
    chosen = {key: settings[key] for key in SPACES[name].settings if key in settings}
    space = cast(Space, build(weights, device, **chosen))
    space.references = references
    return space
