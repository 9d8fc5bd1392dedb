"""C-MCR: the two heads of clap_clip.pt, or of ulip_clip.pt, under their official keys."""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.models.recipes.base import Converted, Shape, State, only, strict

STATISTICS = ("weight", "bias", "running_mean", "running_var")
#: The layers of each head: two in clap_clip.pt, one in ulip_clip.pt.
LAYERS = {"clap_clip.pt": ("net1.", "net2."), "ulip_clip.pt": ("net.",)}


def layer(prefix: str) -> dict[str, Shape]:
    """Keys and shapes of a linear layer and the normalisation behind it."""
    return {
        f"{prefix}0.weight": (None, None),
        f"{prefix}0.bias": (None,),
        **{f"{prefix}1.{end}": (None,) for end in STATISTICS},
        f"{prefix}1.num_batches_tracked": (),
    }


def convert(files: Mapping[str, State]) -> Converted:
    """28 or 14 tensors."""
    name, state = only(files)
    shapes: dict[str, Shape] = {}
    for head in ("Head_A.", "Head_B."):
        for part in LAYERS[name]:
            shapes |= layer(head + part)
    return Converted(strict(state, shapes, name))
