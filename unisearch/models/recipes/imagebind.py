"""ImageBind: imagebind_huge.pth, of which its vision, text and audio towers are kept.

Nothing is renamed; what lies below the other three modalities (depth, thermal, IMU) is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from unisearch.models.recipes.base import Converted, Shape, State, only, strict, stripped

KEPT, DROPPED = ("vision", "text", "audio"), ("depth", "thermal", "imu")
PARTS = ("preprocessors", "trunks", "heads", "postprocessors")
NORM: Mapping[str, int] = {"weight": 1, "bias": 1}
LINEAR: Mapping[str, int] = {"weight": 2, "bias": 1}
#: The number of axes of every tensor in a block; in those of the audio tower two more.
BLOCK: Mapping[str, Mapping[str, int]] = {
    "attn": {"in_proj_weight": 2, "in_proj_bias": 1},
    "attn.out_proj": LINEAR,
    "norm_1": NORM,
    "mlp.fc1": LINEAR,
    "mlp.fc2": LINEAR,
    "norm_2": NORM,
}
#: Around the blocks, below 'modality_PART.TOWER.'.
AROUND: Mapping[str, Mapping[str, int]] = {
    "vision": {
        "preprocessors.vision.cls_token": 3,
        "preprocessors.vision.rgbt_stem.proj.1.weight": 5,
        "preprocessors.vision.pos_embedding_helper.pos_embed": 3,
        "trunks.vision.pre_transformer_layer.0.weight": 1,
        "trunks.vision.pre_transformer_layer.0.bias": 1,
        "heads.vision.0.weight": 1,
        "heads.vision.0.bias": 1,
        "heads.vision.2.weight": 2,
    },
    "text": {
        "preprocessors.text.pos_embed": 3,
        "preprocessors.text.mask": 2,
        "preprocessors.text.token_embedding.weight": 2,
        "heads.text.proj.0.weight": 1,
        "heads.text.proj.0.bias": 1,
        "heads.text.proj.1.weight": 2,
        "postprocessors.text.1.log_logit_scale": 0,
    },
    "audio": {
        "preprocessors.audio.cls_token": 3,
        "preprocessors.audio.rgbt_stem.proj.weight": 4,
        "preprocessors.audio.rgbt_stem.norm_layer.weight": 1,
        "preprocessors.audio.rgbt_stem.norm_layer.bias": 1,
        "preprocessors.audio.pos_embedding_helper.pos_embed": 3,
        "heads.audio.0.weight": 1,
        "heads.audio.0.bias": 1,
        "heads.audio.2.weight": 2,
        "postprocessors.audio.1.log_logit_scale": 0,
    },
}


def convert(files: Mapping[str, State]) -> Converted:
    """The same keys; raises WeightsError for one that lacks or is too many in the three towers."""
    file, state = only(files)
    dropped = tuple(f"modality_{part}.{tower}." for part in PARTS for tower in DROPPED)
    kept = {
        key: tensor
        for key, tensor in stripped(state, "module.").items()
        if not key.startswith(dropped)
    }
    return Converted(strict(kept, shapes_of(kept, KEPT), file))


def shapes_of(state: Iterable[str], towers: Iterable[str]) -> dict[str, Shape]:
    """Every key of those towers, as deep as the state says, with lengths left open."""
    keys = set(state)
    axes: dict[str, int] = {}
    for tower in towers:
        axes |= {f"modality_{key}": count for key, count in AROUND[tower].items()}
        axes |= dict(_blocks(keys, tower))
    return {key: (None,) * count for key, count in axes.items()}


def _blocks(keys: set[str], tower: str) -> Iterator[tuple[str, int]]:
    trunk, depth = f"modality_trunks.{tower}.blocks.", 1
    while f"{trunk}{depth}.norm_1.weight" in keys:
        depth += 1
    for block in range(depth):
        for part, names in BLOCK.items():
            yield from ((f"{trunk}{block}.{part}.{name}", count) for name, count in names.items())
        if tower == "audio":
            yield from ((f"{trunk}{block}.attn.bias_{name}", 3) for name in "kv")
