"""MS-CLIP-S: the published B/32 and B/16 checkpoints, which are bare state dicts.

Nothing is renamed. Dropped is the second name of every shared tensor: what lies under
`visual.transformer.resblocks.I.attn.` and `….mlp.`, I from 1 on, is the same tensor as what lies
under `transformer.resblocks.I.` (11 layers x 8 names: 521 keys become 433).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from unisearch.errors import WeightsError
from unisearch.models.recipes.base import Converted, Shape, State, only, strict, stripped

NORM = {"weight": 1, "bias": 1}
LINEAR = {"weight": 2, "bias": 1}
CONV = {"weight": 4}
BATCH_NORM = NORM | {"running_mean": 1, "running_var": 1, "num_batches_tracked": 0}
#: What a layer shares, and what it does not; each with the number of axes of its tensors.
SHARED = {
    "attn": {"in_proj_weight": 2, "in_proj_bias": 1},
    "attn.out_proj": LINEAR,
    "mlp.c_fc": LINEAR,
    "mlp.c_proj": LINEAR,
}
NORMS = {"ln_1": NORM, "ln_2": NORM}
STAGE = {"conv1": CONV, "bn1": BATCH_NORM, "downsample.0": CONV, "downsample.1": BATCH_NORM}
BOTTLENECK = {
    f"resnet_stage.conv_0.{name}": part
    for one in ("conv1 bn1", "conv2 bn2", "conv3 bn3", "residual_conv residual_bn")
    for name, part in zip(one.split(), (CONV, BATCH_NORM), strict=True)
}
ADAPTER = {
    "top2bottom_dw_conv.conv": CONV,
    "top2bottom_dw_conv.bn": BATCH_NORM,
    "top2bottom_pw_conv.conv": CONV,
    "bottom_dw_conv.conv": CONV,
    "bottom_dw_conv.bn": BATCH_NORM,
    "ln_adapt": NORM,
}
STAGES = 5  # of the side branch, each with its adapter
PICTURES = "visual.transformer.resblocks"


def convert(files: Mapping[str, State]) -> Converted:
    """The same keys, each tensor once; raises WeightsError for a key that lacks or is too many."""
    file, state = only(files)
    state = stripped(state, "module.")
    layers = 1
    while f"transformer.resblocks.{layers}.ln_1.weight" in state:
        layers += 1
    axes = dict(_keys(layers))
    shapes: dict[str, Shape] = {key: (None,) * count for key, count in axes.items()}
    second = dict(_second_names(layers))
    found = strict(state, shapes | {key: shapes[first] for key, first in second.items()}, file)
    for key, first in second.items():
        if not torch.equal(found.pop(key), found[first]):
            raise WeightsError(f"{file}: '{key}' is not the same as '{first}', which it should be")
    return Converted(found)


def _second_names(layers: int) -> Iterator[tuple[str, str]]:
    """What pictures call a shared tensor, and what texts call it."""
    for i in range(1, layers):
        for part, names in SHARED.items():
            for name in names:
                tail = f"{i}.{part}.{name}"
                yield f"{PICTURES}.{tail}", f"transformer.resblocks.{tail}"


def _keys(layers: int) -> Iterator[tuple[str, int]]:
    """Every key that is kept, with the number of axes of its tensor."""
    yield from {"positional_embedding": 2, "text_projection": 2, "logit_scale": 0}.items()
    yield from _below("", {"token_embedding": {"weight": 2}, "ln_final": NORM})
    yield from {f"visual.{name}": 2 for name in ("positional_embedding", "proj")}.items()
    yield "visual.class_embedding", 1
    yield from _below("visual.", {"ln_pre": NORM, "ln_post": NORM})
    for i in range(layers):
        yield from _below(f"transformer.resblocks.{i}.", SHARED | NORMS)
    for i in range(1, layers):
        yield from _below(f"{PICTURES}.{i}.", NORMS)
    yield from _below(f"{PICTURES}.0.", {"conv1": CONV, "bn1": BATCH_NORM, "last_conv": CONV})
    for i in range(STAGES - 1):
        yield from _below(f"{PICTURES}.0.resnet_stage.conv_{i}.", STAGE)
    branch = "visual.transformer.parallel_branch_v"
    yield from _below(f"{branch}.0.", {"conv": CONV, "bn": BATCH_NORM})
    for i in range(1, STAGES):
        yield from _below(f"{branch}.{i}.", BOTTLENECK)
    for i in range(STAGES):
        yield from _below(f"visual.transformer.parallel_lateral_adapter.{i}.", ADAPTER)


def _below(prefix: str, parts: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, int]]:
    for part, names in parts.items():
        for name, count in names.items():
            yield f"{prefix}{part}.{name}", count
