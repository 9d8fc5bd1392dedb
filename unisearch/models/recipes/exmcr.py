"""Ex-MCR: the heads of ex_clap.pt and ex_ulip.pt in one file, their keys behind the file's name."""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.models.recipes.base import Converted, Shape, State, strict
from unisearch.models.recipes.cmcr import layer

SHAPES: Mapping[str, Shape] = {
    "Head1.weight": (None, None),
    "Head1.bias": (None,),
    **layer("Head2.mlp1.net1."),
    **layer("Head2.mlp1.net2."),
    **layer("Head2.mlp2.net1."),
    **layer("Head2.mlp2.net2."),
}


def convert(files: Mapping[str, State]) -> Converted:
    """Twice 30 tensors."""
    return Converted(
        {
            f"{name.removesuffix('.pt')}.{key}": tensor
            for name, state in files.items()
            for key, tensor in strict(state, SHAPES, name).items()
        }
    )
