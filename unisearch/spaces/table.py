"""Every space by name, the models it stands on, and the one way to open one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from unisearch.errors import UnknownName
from unisearch.registry import Entry, load
from unisearch.spaces.base import Space


@dataclass(frozen=True)
class SpaceEntry(Entry):
    """One space: where its class is, and the models whose weights it needs, in no order."""

    models: tuple[str, ...] = ()


SPACES: dict[str, SpaceEntry] = {
    "toy": SpaceEntry("unisearch.spaces.toy:ToySpace"),
    "starter": SpaceEntry("unisearch.spaces.starter.space:StarterSpace", models=("starter",)),
}


def models_of(name: str) -> tuple[str, ...]:
    """The models that a space stands on; raises UnknownName for a name that is not in SPACES."""
    if name not in SPACES:
        raise UnknownName("space", name, SPACES)
    return SPACES[name].models


def load_space(
    name: str, weights: Mapping[str, Path], device: str = "cpu", references: Path | None = None
) -> Space:
    """The space of that name, ready to encode.

    weights: the folders of its verified models, by their names
    device: a torch device name
    references: where the background vectors lie of spaces that bring none, by the space's id
    Raises UnknownName, MissingExtra, and WeightsError when the weights do not fit.
    """
    space = cast(Space, load("space", SPACES, name)(weights, device))
    space.references = references
    return space
