"""What a space needs once before the first vector is stored in it."""

from __future__ import annotations

from collections.abc import Callable

from unisearch.spaces.base import Space


def ensure_background(space: Space, tell: Callable[[str], object]) -> None:
    """Make the background of a space that brings none and has none yet.

    tell: called with what is being done; it takes minutes for a large network on a CPU
    """
    if space.reference_file is None or space.reference_file.is_file():
        return
    from unisearch.training.reference import make_reference  # loads readers of meshes

    make_reference(space, space.reference_file.parent, tell)
