"""Every space by name, and the one way to open one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from unisearch.registry import Entry, load
from unisearch.spaces.base import Space

SPACES = {
    "toy": Entry("unisearch.spaces.toy:ToySpace"),
    "starter": Entry("unisearch.spaces.starter.space:StarterSpace"),
}


def load_space(name: str, weights: Path | None, device: str = "cpu") -> Space:
    """The space of that name, ready to encode.

    weights: the folder of its verified weights, or None for a space that has none
    device: a torch device name
    Raises UnknownName, MissingExtra, and WeightsError when the weights do not fit.
    """
    return cast(Space, load("space", SPACES, name)(weights, device))
