"""PointBERT of ULIP-2, from the training checkpoint pointbert_ULIP-2.pt.

Kept are the point encoder and its projection, under their official keys; the SLIP towers for
pictures and texts beside them are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.errors import WeightsError
from unisearch.models.recipes.base import Converted, Shape, State, only, strict, stripped, without

DROPPED = (
    *("visual.", "transformer.", "token_embedding.", "ln_final."),
    *("positional_embedding", "image_projection", "text_projection", "logit_scale"),
)
ENCODER = "point_encoder."
BLOCKS = f"{ENCODER}blocks.blocks."  # the word stands there twice
#: Of tensors that have no weight and shift of their own.
MATRICES: Mapping[str, Shape] = {
    "pc_projection": (None, None),
    f"{ENCODER}cls_token": (1, 1, None),
    f"{ENCODER}cls_pos": (1, 1, None),
}
BLOCK: Mapping[str, Shape] = {
    **{f"{norm}.{end}": (None,) for norm in ("norm1", "norm2") for end in ("weight", "bias")},
    "attn.qkv.weight": (None, None),
    **{
        f"{layer}.{end}": (None, None) if end == "weight" else (None,)
        for layer in ("attn.proj", "mlp.fc1", "mlp.fc2")
        for end in ("weight", "bias")
    },
}


def convert(files: Mapping[str, State]) -> Converted:
    """The 161 tensors of the published size, or as many as a network of fewer blocks has."""
    name, state = only(files)
    kept = without(stripped(state, "module."), *DROPPED)
    first = kept.get(f"{ENCODER}encoder.first_conv.0.weight")
    if first is not None and tuple(first.shape[1:]) == (6, 1):
        raise WeightsError(
            f"{name}: is the coloured PointBERT of 1,280 dimensions; wanted is the one without"
            " colours, pointbert_ULIP-2.pt"
        )
    return Converted(strict(kept, _shapes(kept), name))


def _shapes(state: State) -> dict[str, Shape]:
    """Every key that belongs to the network, with its shape as far as that is fixed."""
    depth = len({key.split(".")[3] for key in state if key.startswith(BLOCKS)})
    shapes = dict(MATRICES)
    for pair, inputs in (("first_conv", 3), ("second_conv", None)):
        shapes |= _pair(f"{ENCODER}encoder.{pair}.", inputs)
    for layer in ("reduce_dim", "pos_embed.0", "pos_embed.2"):
        shapes |= {f"{ENCODER}{layer}.weight": (None, None), f"{ENCODER}{layer}.bias": (None,)}
    for place in range(max(depth, 1)):
        shapes |= {f"{BLOCKS}{place}.{key}": shape for key, shape in BLOCK.items()}
    return shapes | {f"{ENCODER}norm.weight": (None,), f"{ENCODER}norm.bias": (None,)}


def _pair(prefix: str, inputs: int | None) -> dict[str, Shape]:
    """A convolution, its normalisation, and another convolution."""
    statistics = ("weight", "bias", "running_mean", "running_var")
    return {
        f"{prefix}0.weight": (None, inputs, 1),
        f"{prefix}0.bias": (None,),
        **{f"{prefix}1.{end}": (None,) for end in statistics},
        f"{prefix}1.num_batches_tracked": (),
        f"{prefix}3.weight": (None, None, 1),
        f"{prefix}3.bias": (None,),
    }
